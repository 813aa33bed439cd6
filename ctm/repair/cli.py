"""The command `ctm-repair`: `fix` proposes repairs of files, `evaluate` measures a model on pairs.

Exit status of `fix`: 0 nothing to repair, 1 repairs proposed (or written), 2 error, 3 broken and no repair found; of
several files the gravest counts: 2 before 3 before 1. Errors are one line each on stderr.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ctm.repair.bundle import Bundle, BundleError, find_bundle, load_bundle
from ctm.repair.evaluate import BadItems, Evaluator, read_items
from ctm.repair.files import UNBOUND, Fixed, fix_source, unified_diff
from ctm.repair.metrics import report
from ctm.repair.sandbox import unavailable
from ctm.repair.source import MAX_BYTES, FileError, Source, parse_source, read_source, write_source

CLEAN, PROPOSED, ERROR, UNREPAIRED = range(4)
GRAVITY = (CLEAN, PROPOSED, UNREPAIRED, ERROR)
STDIN = "-"

app = typer.Typer(
    help="Repair Python with a trained Continuous Thought Machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

BundleOption = Annotated[
    Path | None,
    typer.Option(
        "--bundle", help="Folder of the model; default: results/final, or else $CTM_BUNDLE.", metavar="DIR"
    ),
]
ThreadsOption = Annotated[int, typer.Option("--threads", min=1, help="Threads for the model.")]


# --- fix ------------------------------------------------------------------------------------------------------------


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
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say what was skipped or passed over, and why.")
    ] = False,
) -> None:
    """Propose repairs as a unified diff on stdout.

    Exit status: 0 nothing to repair, 1 repairs proposed, 2 error, 3 broken and no repair found.
    """
    if write and STDIN in paths:
        raise _stop("--write needs files; what is read from stdin cannot be written back")
    model = _load(bundle, threads)
    if confidence is not None:
        model = model.with_threshold(confidence)
    worst = CLEAN
    rows: list[dict[str, Any]] = []
    for path, problem in _expand(paths):
        row, status = _fix_one(path, problem, model, write, as_json, verbose)
        rows.append(row)
        worst = max(worst, status, key=GRAVITY.index)
    if as_json:
        content = {"format_version": 1, "bundle": str(model.path), "status": worst, "files": rows}
        _print(json.dumps(content, indent=1) + "\n")
    raise typer.Exit(worst)


def _fix_one(
    path: str, problem: str, model: Bundle, write: bool, as_json: bool, verbose: bool
) -> tuple[dict[str, Any], int]:
    """One file: print its diff or write it; its row for --json and its exit status."""
    name = "<stdin>" if path == STDIN else path
    try:
        if problem:
            raise FileError(problem)
        source = _read(path)
        fixed = fix_source(source, model.repairer())
        diff = unified_diff(fixed, name)
        fixed.after.encode()  # before anything is printed: a repair that cannot be written is none
        if write and fixed.changes:
            write_source(Path(path), fixed.after)
    except FileError as error:
        _complain(f"{name}: {error}")
        return {"path": path, "status": "error", "error": str(error)}, ERROR
    if not as_json and not write:
        _print(diff, source.encoding)
    if fixed.changes and not fixed.compiles:
        _complain(f"{name}: still broken after {len(fixed.changes)} repairs, {fixed.error}")
    elif fixed.status == "unrepaired":
        _complain(f"{name}: no repair found, {fixed.error}")
    if verbose:
        for reason, count in sorted(fixed.skipped.items()):
            did = (
                f"passed over in {count} of its parts"
                if reason == UNBOUND
                else f"skipped {count} of its parts"
            )
            _complain(f"{name}: {did}: {reason}")
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


# --- evaluate -------------------------------------------------------------------------------------------------------


@app.command()
def evaluate(
    pairs: Annotated[Path, typer.Argument(help="JSON lines: id, buggy, fixed, category?, kind?, test?.")],
    out: Annotated[Path, typer.Option("--json", help="Where the measures go.", metavar="OUT")],
    bundle: BundleOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N items.")] = None,
    items: Annotated[Path | None, typer.Option(help="Also write each item's answers, as JSON lines.")] = None,
    threads: ThreadsOption = 1,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Run tests even where no sandbox can be had.")
    ] = False,
) -> None:
    """Measure a model on pairs: exact match, BIFI measure, tests, false alarms, calibration, coverage."""
    for path in (out, items):
        if path is not None and not path.absolute().parent.is_dir():
            raise _stop(f"{path}: its folder does not exist")
    try:
        todo = read_items(pairs, limit)
    except BadItems as error:
        raise _stop(str(error)) from error
    except OSError as error:
        raise _stop(f"{pairs}: {(error.strerror or str(error)).lower()}") from error
    model = _load(bundle, threads)
    run_tests = any(item.test for item in todo)
    if run_tests and not unsafe and (why := unavailable()):
        _complain(f"tests are not run: {why}; --unsafe runs them without isolation")
        run_tests = False
    evaluator = Evaluator(
        model.proposer,
        model.tokenizer,
        model.threshold,
        model.further,
        run_tests=run_tests,
        unsafe=unsafe,
        threads=threads,
    )
    begin = time.perf_counter()
    columns = (TextColumn("evaluate"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=len(todo))
        results = evaluator.evaluate(todo, lambda done: progress.advance(task, done))
    seconds = time.perf_counter() - begin
    measures = report([result.outcome for result in results])
    _write(out, json.dumps(measures, indent=1) + "\n")
    if items is not None:
        _write(items, "".join(json.dumps(result.as_row()) + "\n" for result in results))
    Console().print(_table(measures))
    Console().print(
        f"{len(todo)} items in {seconds:.1f} s, {len(todo) / seconds:.1f} a second; {out}", soft_wrap=True
    )


def _table(measures: dict[str, Any]) -> Table:
    columns = {"all": measures["all"], "in scope": measures["in_scope"], **measures["by_category"]}
    table = Table("", *columns)
    for column in table.columns[1:]:
        column.justify = "right"
    for name in measures["all"]:
        label = name.replace("_", " ")
        table.add_row(label, *(_figure(name, values[name]) for values in columns.values()))
    return table


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name == "n":
        return str(value)
    return (
        f"{value:.3f}"
        if name == "ece"
        else f"{value:.1f}"
        if name == "ticks_mean"
        else f"{100 * value:.1f} %"
    )


# --- both -----------------------------------------------------------------------------------------------------------


def _load(bundle: Path | None, threads: int) -> Bundle:
    try:
        return load_bundle(find_bundle(bundle), threads)
    except BundleError as error:
        raise _stop(str(error)) from error


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise _stop(f"{path}: {(error.strerror or str(error)).lower()}") from error


def _print(text: str, encoding: str = "utf-8") -> None:
    """To stdout in the file's own encoding: a diff must hold the bytes that the file has."""
    sys.stdout.flush()
    try:
        raw = text.encode(encoding, errors="surrogateescape")
    except UnicodeEncodeError:  # the file's name, in the header
        raw = text.encode(encoding, errors="backslashreplace")
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()


def _complain(message: str) -> None:
    line = f"ctm-repair: {message}".replace("\n", " ")
    typer.echo(line.encode("utf-8", "backslashreplace").decode(), err=True)


def _stop(message: str) -> typer.Exit:
    _complain(message)
    return typer.Exit(ERROR)


if __name__ == "__main__":
    app()
