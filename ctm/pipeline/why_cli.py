"""`ctm-pipeline why` and `diff-lineage`: which change makes a rule run, and in what two runs differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

console = Console(highlight=False)
MOST = 8
"""Reasons of a rule that are shown; the rest is counted."""

Overlays = Annotated[
    list[Path] | None,
    typer.Option("--configfile", help="Laid over config/config.yaml; may be given several times."),
]
Run = Annotated[Path, typer.Option("--directory", help="Folder of a run, such as runs/demo.")]


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


def why(
    target: Annotated[
        str | None, typer.Argument(help="A rule, or a file of the run; none: the model.")
    ] = None,
    directory: Run = Path("."),
    configfile: Overlays = None,
) -> None:
    """Say what would run, and because of which change. Exit status 0, whether anything would run or not."""
    from ctm.pipeline.cli import checkout
    from ctm.pipeline.config import read_config
    from ctm.pipeline.config_errors import ConfigError
    from ctm.pipeline.ledger import latest, read
    from ctm.pipeline.lineage import Lineage
    from ctm.pipeline.lineage_records import RecordError
    from ctm.pipeline.planned import PlanError, plan
    from ctm.pipeline.why import explain, stale

    root = checkout()
    files = [root / "config/config.yaml", *(configfile or [])]
    try:
        lineage = Lineage(read_config(files), root)
        jobs = plan(files, root, directory, [target] if target else [])
        entries = read(directory)
        explained = explain(jobs, entries, lineage, directory)
        left = stale(jobs, latest(entries), lineage)
    except (ConfigError, PlanError, RecordError, OSError) as error:
        _refuse(str(error))
    running = sum(len(one.jobs) for one in explained)
    if not entries and running:
        console.print(
            f"{directory} has no ledger: what changed since it was built is not known", soft_wrap=True
        )
    console.print(f"{running} of {len(jobs)} jobs would run{':' if running else '; nothing has changed'}")
    _table((_name(one.rule, len(one.jobs)), [*_few(one.reasons), *_after(one.after)]) for one in explained)
    for job, entry in left:
        console.print(
            f"{job.name}: built under another lineage ({entry.lineage[:16]}), yet not planned", soft_wrap=True
        )


def diff_lineage(
    a: Annotated[str, typer.Argument(help="Folder of a run, or the first digits of a lineage.")],
    b: Annotated[str, typer.Argument(help="The other one, of the same sort.")],
    directory: Run = Path("."),
) -> None:
    """Say in what two runs differ, step by step; or two lineages of the run in --directory."""
    from ctm.pipeline.lineage_diff import of_lineages, of_runs
    from ctm.pipeline.lineage_records import RecordError

    try:
        folders = Path(a).is_dir() and Path(b).is_dir()
        steps = of_runs(Path(a), Path(b)) if folders else of_lineages(directory, a, b)
    except (RecordError, OSError) as error:
        _refuse(str(error))
    differ = [one for one in steps if one.differences]
    console.print(
        f"{len(differ)} of {len(steps)} steps differ" if folders else f"{(differ and 'differ') or 'same'}"
    )
    _table((one.step, one.differences) for one in differ)


def _name(rule: str, jobs: int) -> str:
    return rule if jobs == 1 else f"{rule} ({jobs} jobs)"


def _few(reasons: Sequence[str]) -> list[str]:
    more = len(reasons) - MOST
    return [*reasons[:MOST], *([f"and {more} more"] if more > 0 else [])]


def _after(rules: Sequence[str]) -> list[str]:
    return [f"after {', '.join(rules)}"] if rules else []


def _table(rows: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Two columns; of a row with several lines the first alone is named."""
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    for name, lines in rows:
        for i, line in enumerate(lines):
            console.print(Text(f"{name if i == 0 else '':{width}s}  {line}"), soft_wrap=True)
