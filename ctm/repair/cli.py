"""The command `ctm-repair`: `fix` proposes repairs of files, `evaluate` measures a model on pairs.

Exit status of `fix`: 0 nothing to repair, 1 repairs proposed (or written), 2 error, 3 broken and no repair found; of
several files the gravest counts: 2 before 3 before 1. Errors are one line each on stderr.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ctm.repair.admit import admit
from ctm.repair.bundle import Bundle
from ctm.repair.cli_evaluate import evaluate
from ctm.repair.diff import unified_diff
from ctm.repair.files import fix_source
from ctm.repair.fixed import Fixed
from ctm.repair.source import MAX_BYTES, FileError, Source, parse_source, read_source, write_source
from ctm.repair.suggest import UNBOUND
from ctm.repair.terminal import ERROR, BundleOption, ThreadsOption, complain, load_model, print_raw, stop
from ctm.repair.versions import Version, parse_target

CLEAN, PROPOSED, _, UNREPAIRED = range(4)
GRAVITY = (CLEAN, PROPOSED, UNREPAIRED, ERROR)
STDIN = "-"

app = typer.Typer(
    help="Repair Python with a trained Continuous Thought Machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(evaluate)


@app.command()
def fix(
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders (walked for *.py), or - for stdin.", metavar="PATH...")
    ],
    bundle: BundleOption = None,
    write: Annotated[bool, typer.Option("--write", help="Write the repairs into the files.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of diffs.")] = False,
    confidence: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Probability that an edit of code that compiles and has 100 cells must exceed, "
            "shorter code a higher one; default: the bundle's.",
        ),
    ] = None,
    threads: ThreadsOption = 1,
    target_version: Annotated[
        str | None,
        typer.Option(
            "--target-version",
            metavar="3.X",
            help="Python that the code is for; default: the running one. Syntax of a newer one is named, not edited.",
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say what was skipped or passed over, and why.")
    ] = False,
) -> None:
    """Propose repairs as a unified diff on stdout.

    Exit status: 0 nothing to repair, 1 repairs proposed, 2 error, 3 broken and no repair found.
    """
    if write and STDIN in paths:
        raise stop("--write needs files; what is read from stdin cannot be written back")
    try:
        target = None if target_version is None else parse_target(target_version)
    except ValueError as error:
        raise stop(str(error)) from error
    model = load_model(bundle, threads)
    if confidence is not None:
        model = model.with_threshold(confidence)
    worst = CLEAN
    rows: list[dict[str, Any]] = []
    for path, problem in _expand(paths):
        row, status = _fix_one(path, problem, model, target, write, as_json, verbose)
        rows.append(row)
        worst = max(worst, status, key=GRAVITY.index)
    if as_json:
        content = {"format_version": 1, "bundle": str(model.path), "status": worst, "files": rows}
        print_raw(json.dumps(content, indent=1) + "\n")
    raise typer.Exit(worst)


def _fix_one(
    path: str,
    problem: str,
    model: Bundle,
    target: Version | None,
    write: bool,
    as_json: bool,
    verbose: bool,
) -> tuple[dict[str, Any], int]:
    """One file: print its diff or write it; its row for --json and its exit status."""
    name = "<stdin>" if path == STDIN else path
    try:
        if problem:
            raise FileError(problem)
        source = _read(path)
        fixed = admit(source, "" if path == STDIN else path, target) or fix_source(source, model.repairer())
        diff = unified_diff(fixed, name)
        fixed.after.encode()  # before anything is printed: a repair that cannot be written is none
        if write and fixed.changes:
            write_source(Path(path), fixed.after)
    except FileError as error:
        complain(f"{name}: {error}")
        return {"path": path, "status": "error", "error": str(error)}, ERROR
    if not as_json and not write:
        print_raw(diff, source.encoding)
    if fixed.changes and not fixed.compiles:
        complain(f"{name}: still broken after {len(fixed.changes)} repairs, {fixed.error}")
    elif fixed.status == "unrepaired":
        complain(f"{name}: no repair found, {fixed.error}")
    if verbose:
        for reason, count in sorted(fixed.skipped.items()):
            did = (
                f"passed over in {count} of its parts"
                if reason == UNBOUND
                else f"skipped {count} of its parts"
            )
            complain(f"{name}: {did}: {reason}")
    return _row(path, fixed, diff), {"clean": CLEAN, "repaired": PROPOSED, "unrepaired": UNREPAIRED}[
        fixed.status
    ]


def _row(path: str, fixed: Fixed, diff: str) -> dict[str, Any]:
    changes = [{name: getattr(item, name) for name in item.__slots__} for item in fixed.changes]
    return {
        "path": path,
        "status": fixed.status,
        "error": fixed.error or None,
        "compiled": fixed.compiled,
        "compiles": fixed.compiles,
        "changes": changes,
        "skipped": fixed.skipped,
        "diff": diff,
    }


def _read(path: str) -> Source:
    if path == STDIN:
        return parse_source(sys.stdin.buffer.read(MAX_BYTES + 1))
    return read_source(Path(path))


def _expand(paths: list[str]) -> Iterator[tuple[str, str]]:
    """(file, "") for each file to look at, (folder, reason) for one that cannot be read; hidden ones are left out."""
    for path in paths:
        if path == STDIN or not Path(path).is_dir():
            yield path, ""
            continue
        problems: list[OSError] = []
        for folder, folders, names in os.walk(path, onerror=problems.append):
            folders[:] = sorted(
                name for name in folders if not name.startswith(".") and name != "__pycache__"
            )
            yield from ((str(Path(folder, name)), "") for name in sorted(names) if name.endswith(".py"))
        for error in problems:
            yield str(error.filename), (error.strerror or str(error)).lower()


if __name__ == "__main__":
    app()
