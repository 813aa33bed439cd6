"""`ctm-pipeline pairs`: looks at single pairs of a run, and at how many of a source are true fixes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from ctm.files import write_text

app = typer.Typer(no_args_is_help=True, help="Looks at the pairs of a run.")
console = Console(highlight=False)

Run = Annotated[Path, typer.Option("--directory", help="Folder of a run, such as runs/demo.")]
_STYLES = {"-": "red", "+": "green"}


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="Identity of a pair, or the beginning of one.")],
    directory: Run = Path("."),
) -> None:
    """Print one pair with its origin and its diff."""
    from ctm.pipeline.audit import facts
    from ctm.pipeline.diffs import diff_lines, find_pairs

    try:
        found = {pair.pair_id: pair for pair in find_pairs(directory, name)}
    except (FileNotFoundError, ValueError) as error:
        _refuse(str(error))
    if not found:
        _refuse(
            f"no pair in {directory} has an id that begins with {name!r}; ids are in results/pairs/*.parquet"
        )
    if len(found) > 1:
        _refuse(f"{name}: {len(found)} pairs begin with that, such as {' and '.join(sorted(found)[:2])}")
    [pair] = found.values()
    console.print(Text(pair.pair_id, style="bold"))
    for key, value in facts(pair):
        console.print(Text(f"{key:9s} {value}"), soft_wrap=True)
    for line in diff_lines(pair.buggy, pair.fixed):
        console.print(Text(f"{line.mark} {line.text}", style=_STYLES.get(line.mark, "")), soft_wrap=True)


@app.command()
def audit(
    directory: Run = Path("."),
    n: Annotated[int, typer.Option("--n", min=1, help="Pairs to judge.")] = 200,
    source: Annotated[
        str | None, typer.Option(help="Source of the pairs; without it, the real one with most pairs.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the drawing.")] = 0,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("audit.html"),
    answers: Annotated[
        Path | None, typer.Option(help="Saved answers: print their precision instead.")
    ] = None,
) -> None:
    """Write a page to judge random pairs of a source by hand; with --answers, say how many were true fixes."""
    from ctm.pipeline.audit import AnswersError, audit_page, precision
    from ctm.pipeline.diffs import MADE, all_pairs, drawn, sets_of, sources_of

    if answers is not None:
        try:
            done = precision(answers)
        except (AnswersError, OSError) as error:
            _refuse(str(error))
        share = "nothing decided" if done.share is None else f"precision {done.share:.1%}"
        console.print(f"{done.fix} true fixes, {done.not_fix} not, {done.unsure} unsure (left out)")
        console.print(f"{share}, 95 % interval {done.low:.1%} to {done.high:.1%} (Wilson)")
        return
    try:
        paths = sets_of(directory)
        known = sources_of(paths)
        if source is None and (not known or known[0] == MADE):
            _refuse(
                f"{directory}: all pairs are made bugs, which are true by construction; --source {MADE} shows them"
            )
        source = source or known[0]
        pairs = drawn((pair for pair in all_pairs(paths) if pair.source == source), n, seed)
    except (FileNotFoundError, ValueError) as error:
        _refuse(str(error))
    if not pairs:
        _refuse(f"{directory}: no pairs of source {source!r}; there are {', '.join(sorted(known)) or 'none'}")
    write_text(out, audit_page(pairs, source, seed))
    console.print(
        f"wrote {out}: {len(pairs)} pairs of source {source}; judge them, save, then --answers FILE",
        soft_wrap=True,
    )
