"""`ctm-pipeline why`, `diff-lineage` and `used`: what would run and why, and what was used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ctm.pipeline.rule_use import Measure

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


def _refuse_elsewhere(run: Path) -> None:
    """Raises ValueError for a run whose results lie in a bucket: the plan would miss them all."""
    from ctm.pipeline.ledger import LEDGER
    from ctm.pipeline.run_records import read_records
    from ctm.pipeline.storage import elsewhere

    records = read_records(run) if (run / LEDGER).is_file() else None
    if records and records.bucket and records.gone:
        raise ValueError(
            f"{elsewhere(records.bucket, run)}. What would run in the bucket is said by `snakemake -n` with the "
            "options of its start"
        )


def why(
    target: Annotated[
        str | None, typer.Argument(help="A rule, or a file of the run; none: the model.")
    ] = None,
    directory: Run = Path("."),
    configfile: Overlays = None,
) -> None:
    """Say what would run, and because of which change. Exit status 0, whether anything would run or not."""
    from ctm.pipeline.checkout import find_checkout
    from ctm.pipeline.ledger import read
    from ctm.pipeline.lineage import Lineage
    from ctm.pipeline.planned import plan
    from ctm.pipeline.planning import config_of
    from ctm.pipeline.why import explain

    root = find_checkout()
    files = [root / "config/config.yaml", *(configfile or [])]
    try:
        _refuse_elsewhere(directory)
        lineage = Lineage(config_of(configfile or [], root), root)
        jobs = plan(files, root, directory, [target] if target else [])
        entries = read(directory)
        explained = explain(jobs, entries, lineage, directory)
    except (ValueError, OSError) as error:
        _refuse(str(error))
    running = sum(len(one.jobs) for one in explained)
    if not entries and running:
        console.print(
            f"{directory} has no ledger: what changed since it was built is not known", soft_wrap=True
        )
    console.print(f"{running} of {len(jobs)} jobs would run{':' if running else '; nothing has changed'}")
    _table((_name(one.rule, len(one.jobs)), [*_few(one.reasons), *_after(one.after)]) for one in explained)


def diff_lineage(
    a: Annotated[str, typer.Argument(help="Folder of a run, or the first digits of a lineage.")],
    b: Annotated[str, typer.Argument(help="The other one, of the same sort.")],
    directory: Run = Path("."),
) -> None:
    """Say in what two runs differ, step by step; or two lineages of the run in --directory."""
    from ctm.pipeline.lineage_diff import of_lineages, of_runs

    try:
        folders = Path(a).is_dir() and Path(b).is_dir()
        steps = of_runs(Path(a), Path(b)) if folders else of_lineages(directory, a, b)
    except (ValueError, OSError) as error:
        _refuse(str(error))
    differ = [one for one in steps if one.differences]
    console.print(
        f"{len(differ)} of {len(steps)} steps differ" if folders else "they differ" if differ else "the same"
    )
    _table((one.step, one.differences) for one in differ)


def used(directory: Run = Path(".")) -> None:
    """Print what jobs asked for and what they used, and what to ask for, as YAML for section `resources`."""
    from ctm.pipeline.ledger import read
    from ctm.pipeline.resources_section import HEAD, NO_LEDGER
    from ctm.pipeline.rule_use import resources_yaml, rule_uses

    try:
        uses = rule_uses(read(directory))
    except (ValueError, OSError) as error:
        _refuse(str(error))
    if not uses:
        _refuse(f"{directory}: {NO_LEDGER}")
    table = Table(*HEAD[:-2], box=None)
    for use in uses:
        cells = [Text(use.rule), Text(str(use.jobs)), *(_measure(one) for one in use.measures)]
        table.add_row(*cells)
    console.print(table)
    typer.echo(resources_yaml(uses), nl=False)


def _measure(measure: Measure) -> Text:
    return Text(measure.text, style="red" if measure.passed else "")


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
