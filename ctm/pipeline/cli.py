"""Shows the workflow's configuration, lineage and results (`ctm-pipeline`); `run` hands over to Snakemake."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ctm.pipeline import dashboard_cli, pairs_cli, trace_cli, why_cli
from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.planning import config_of
from ctm.pipeline.sections import Config

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
lineage_app = typer.Typer(no_args_is_help=True, help="What decides whether a rule runs again.")
app.add_typer(lineage_app, name="lineage")
app.add_typer(pairs_cli.app, name="pairs")
app.command()(trace_cli.trace)
app.command()(dashboard_cli.dashboard)
app.command("why")(why_cli.why)
app.command("diff-lineage")(why_cli.diff_lineage)
console = Console(highlight=False)

# with these nothing runs, and what Snakemake says itself is what was asked for
_PLANS = {"-n", "--dry-run", "--dryrun", "--unlock"}
Overlays = Annotated[
    list[Path] | None,
    typer.Option("--configfile", help="Laid over config/config.yaml; may be given several times."),
]


def checkout() -> Path:
    """The checkout that this package is installed from: the folder with Snakefile and config/."""
    for folder in (Path.cwd(), *Path.cwd().parents, Path(__file__).resolve().parents[2]):
        if (folder / "Snakefile").is_file() and (folder / "config" / "config.yaml").is_file():
            return folder
    raise typer.BadParameter(
        "no checkout found (a folder with Snakefile and config/config.yaml); run it inside one"
    )


def _config(overlays: list[Path] | None) -> Config:
    try:
        return config_of(overlays or [], checkout())
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


@app.command()
def schema(
    write: Annotated[
        bool, typer.Option(help="Write config/schema.yaml, docs/config.md and docs/reruns.md.")
    ] = False,
) -> None:
    """Print the configuration's JSON schema, or write it and the pages that are made of it."""
    from ctm.pipeline import reference

    if write:
        for path in reference.write(checkout()):
            console.print(f"wrote {path}")
    else:
        typer.echo(reference.schema_text(), nl=False)


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="A stage of the curriculum, such as stage1.")],
    configfile: Overlays = None,
) -> None:
    """Print what the trainer of a stage is told, as `workflow/scripts/train_stage.py --settings` takes it."""
    from ctm.pipeline.config import stage_json

    config = _config(configfile)
    if name not in config.training.stages:
        typer.echo(f"{name}: no such stage; there are {', '.join(config.training.order)}", err=True)
        raise typer.Exit(2)
    typer.echo(stage_json(config, name))


@app.command()
def doctor(
    profile: Annotated[Path, typer.Option(help="Snakemake profile with the machine's budgets.")] = Path(
        "profiles/strix-halo"
    ),
    configfile: Overlays = None,
) -> None:
    """Say what stands in the way of a run on a machine. Exit status 0: it only informs."""
    from ctm.pipeline.doctor import findings

    folder = profile if profile.is_dir() else checkout() / profile
    if not (folder / "config.yaml").is_file():
        typer.echo(f"{profile}: no Snakemake profile (it has no config.yaml)", err=True)
        raise typer.Exit(2)
    lines = findings(_config(configfile), folder)
    for line in lines or ["nothing found"]:
        console.print(line, soft_wrap=True)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(context: typer.Context) -> None:
    """Run Snakemake with progress bars; all arguments are Snakemake's."""
    from snakemake.cli import get_argument_parser, main
    from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

    from ctm.pipeline import progress
    from ctm.pipeline.caches import caches
    from ctm.pipeline.run_arguments import ArgumentMistake, checked

    LoggerPluginRegistry().register_plugin("snakemake_logger_plugin_ctm", progress)
    try:
        arguments = checked(context.args, get_argument_parser(), Path.cwd(), checkout())
    except ArgumentMistake as mistake:
        typer.echo(str(mistake), err=True)
        raise typer.Exit(2) from None
    bars = [] if _PLANS.intersection(arguments) else ["--logger", "ctm"]
    with caches(os.environ):
        main([*arguments, *bars])


@app.command()
def summary(run: Annotated[Path, typer.Argument(help="Folder of a run, such as runs/demo.")]) -> None:
    """Print the figures of a finished run and the paths to open."""
    from ctm.pipeline.summary import print_summary

    try:
        print_summary(run, console)
    except FileNotFoundError as error:
        typer.echo(f"{error.filename}: no such file; has the run in {run} finished?", err=True)
        raise typer.Exit(2) from None


@lineage_app.command("show")
def lineage_show(
    step: Annotated[str | None, typer.Argument(help="A rule; without it, all of them.")] = None,
    configfile: Overlays = None,
) -> None:
    """Print each rule's lineage, or all that one rule's lineage is made of."""
    from ctm.pipeline.lineage import Lineage

    lineage = Lineage(_config(configfile), checkout())
    if step is None:
        for name in lineage.steps:
            console.print(f"{lineage.of(name)[:16]}  {name}")
    elif step in lineage.steps:
        console.print_json(json.dumps({"lineage": lineage.of(step), **lineage.parts(step)}))
    else:
        typer.echo(f"unknown rule {step!r}; the rules are {', '.join(lineage.steps)}", err=True)
        raise typer.Exit(2)


if __name__ == "__main__":
    app()
