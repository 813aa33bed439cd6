"""`ctm-pipeline dashboard`: where a run stands, as pages or served live."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console(highlight=False)


def dashboard(
    directory: Annotated[Path, typer.Option(help="Folder of a run, such as runs/demo.")] = Path("."),
    serve: Annotated[bool, typer.Option("--serve", help="Serve it live until Ctrl-C.")] = False,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to serve on.")] = 8321,
    configfile: Annotated[
        list[Path] | None,
        typer.Option(
            "--configfile", help="Overlays with another price (machine.price_per_kwh, machine.currency)."
        ),
    ] = None,
) -> None:
    """Write results/dashboard/ of a run, finished or running; with --serve, show it live instead."""
    from ctm.pipeline.checkout import ROOT
    from ctm.pipeline.config import read_config
    from ctm.pipeline.dashboard import records
    from ctm.pipeline.dashboard.page import Price, write_dashboard

    try:
        machine = read_config([ROOT / "config/config.yaml", *(configfile or [])]).machine
        price = Price(machine.price_per_kwh, machine.currency)
        if not serve:
            for path in write_dashboard(records.read(directory), price):
                console.print(f"wrote {path}", soft_wrap=True)
            return
        from ctm.pipeline.dashboard import server

        console.print(f"http://{host}:{port}/  (Ctrl-C ends it)", soft_wrap=True)
        server.serve(directory, price, host, port)
    except ModuleNotFoundError as error:
        typer.echo(f"--serve needs {error.name}: pip install 'ctm-code-repair[train]'", err=True)
        raise typer.Exit(2) from None
    except (OSError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
