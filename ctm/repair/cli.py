"""The command `ctm-repair`: `fix` proposes repairs of files, `evaluate` measures a model on pairs.

Exit status of `fix`: 0 nothing to repair, 1 repairs proposed (or written), 2 error, 3 broken and no repair found; of
several files the gravest counts: 2 before 3 before 1. Errors are one line each on stderr; one that nobody foresaw
ends its file, not the command (boundary.py).
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from ctm.repair.boundary import Guarded, describe
from ctm.repair.bundle import Bundle
from ctm.repair.cli_evaluate import evaluate
from ctm.repair.diff import header_name, unified_diff
from ctm.repair.discover import STDIN
from ctm.repair.fixed import FileRepair
from ctm.repair.input_options import (
    ConfigOption,
    ExcludeOption,
    ExtendExcludeOption,
    ForceExcludeOption,
    IsolatedOption,
    NoGitignoreOption,
    PathsArgument,
    SelectOption,
    make_discovery,
    make_selection,
)
from ctm.repair.newer_syntax import Version
from ctm.repair.search import RepairSearchSettings
from ctm.repair.selection import Selection
from ctm.repair.source import MAX_BYTES, FileError, PythonFile, parse_source
from ctm.repair.suggest import BEYOND, PASSED_OVER
from ctm.repair.targets import read_target, repair_source, targets, write_target
from ctm.repair.terminal import (
    ERROR,
    BundleOption,
    ThreadsOption,
    error_exit,
    finite,
    load_model,
    print_error,
    print_raw,
    read_stdin,
)
from ctm.repair.versions import parse_target

CLEAN, PROPOSED, _, UNREPAIRED = range(4)
GRAVITY = (CLEAN, PROPOSED, UNREPAIRED, ERROR)
DELETIONS = -80.0
"""Score (nats) from which a repair is followed with --allow-deletions: a cost of 0.8 for each of a hundred cells."""

app = typer.Typer(
    cls=Guarded,
    help="Repair Python with a trained Continuous Thought Machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(evaluate)


@app.command()
def fix(
    context: typer.Context,
    paths: PathsArgument,
    bundle: BundleOption = None,
    write: Annotated[bool, typer.Option("--write", help="Write the repairs into the files.")] = False,
    suggesting: Annotated[
        bool,
        typer.Option("--suggest", help="Also look for what might be wrong in files that compile."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of diffs.")] = False,
    confidence: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            callback=finite,
            help="With --suggest: probability that an edit of code with 100 cells must exceed, "
            "shorter code a higher one; default: the bundle's.",
        ),
    ] = None,
    allow_deletions: Annotated[
        bool,
        typer.Option(
            "--allow-deletions", help="Propose repairs that lose more of the code than the budget, too."
        ),
    ] = False,
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
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Do not say which files --write has written.")
    ] = False,
    select: SelectOption = None,
    exclude: ExcludeOption = None,
    extend_exclude: ExtendExcludeOption = None,
    force_exclude: ForceExcludeOption = False,
    no_respect_gitignore: NoGitignoreOption = False,
    isolated: IsolatedOption = False,
    config: ConfigOption = None,
) -> None:
    """Propose repairs of files that do not compile as a unified diff on stdout, for `patch -p0` or `git apply -p0`.

    Files that compile are left alone.

    Exit status: 0 nothing to repair, 1 repairs proposed, 2 error, 3 broken and no repair found.
    """
    if write and STDIN in paths:
        raise error_exit("--write needs files; what is read from stdin cannot be written back")
    try:
        target = None if target_version is None else parse_target(target_version)
    except ValueError as error:
        raise error_exit(str(error)) from error
    model = load_model(bundle, threads)
    if confidence is not None:
        model = model.with_threshold(confidence)
    search = (
        RepairSearchSettings(has_budget=False, floor=DELETIONS) if allow_deletions else RepairSearchSettings()
    )
    if verbose and model.unchecked:
        print_error(
            f"{model.path}: an older bundle without checksums; not verified: {', '.join(model.unchecked)}"
        )
    worst = CLEAN
    rows: list[dict[str, Any]] = []
    discovery = make_discovery(context)
    selection = make_selection(context)
    for path, problem in targets(discovery, paths):
        row, status = _fix_one(
            path, problem, model, search, target, write, as_json, verbose, quiet, selection
        )
        rows.append(row)
        worst = max(worst, status, key=GRAVITY.index)
    for folder in discovery.empty:
        print_error(f"{folder}: no Python files to look at")
    left_out = dict(+discovery.left_out)
    for reason, count in sorted(left_out.items()) if verbose else ():
        print_error(f"skipped {count}: {reason}")
    if as_json:
        content = {
            "format_version": 1,
            "bundle": str(model.path),
            "status": worst,
            "files": rows,
            "left_out": left_out,
        }
        print_raw(json.dumps(content, indent=1) + "\n")
    raise typer.Exit(worst)


def _fix_one(
    path: str,
    problem: str,
    model: Bundle,
    search: RepairSearchSettings,
    target: Version | None,
    write: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    selection: Selection,
) -> tuple[dict[str, Any], int]:
    """One file: print its diff or write it; its row for --json and its exit status."""
    name = "<stdin>" if path == STDIN else path
    try:
        if problem:
            raise FileError(problem)
        source = _read(path)
        fixed = repair_source(
            source,
            "" if path == STDIN else path,
            target,
            model.repairer(search),
            selection=selection,
            odds=model.odds,
        )
        diff = unified_diff(fixed, name if path == STDIN else header_name(path))
        fixed.after.encode()  # before anything is printed: a repair that cannot be written is none
        if write and fixed.status == "repaired":
            write_target(path, fixed.before, fixed.after)
            if not quiet:
                print_error(f"repaired {name}: {len(fixed.changes)} change{'s' * (len(fixed.changes) > 1)}")
    except Exception as error:
        reason = str(error) if isinstance(error, FileError) else describe(error)
        print_error(f"{name}: {reason}")
        return {"path": path, "status": "error", "error": reason}, ERROR
    if not as_json and not write:
        print_raw(diff, source.encoding)
    if fixed.status == "unrepaired":
        did = f"still broken after {len(fixed.changes)} repairs" if fixed.changes else "no repair found"
        unwritten = "; nothing was written" if write and fixed.changes else ""
        because = f"; {fixed.refused}" if fixed.refused else ""
        print_error(f"{name}: {did}, {fixed.error}{because}{unwritten}")
    for reason, count in sorted(fixed.skipped.items()):
        did = "passed over in" if reason in PASSED_OVER else "skipped"
        if verbose or reason == BEYOND:
            print_error(f"{name}: {did} {count} of its parts: {reason}")
    return _row(path, fixed, diff), {"clean": CLEAN, "repaired": PROPOSED, "unrepaired": UNREPAIRED}[
        fixed.status
    ]


def _row(path: str, fixed: FileRepair, diff: str) -> dict[str, Any]:
    changes = [{name: getattr(item, name) for name in item.__slots__} for item in fixed.changes]
    return {
        "path": path,
        "encoding": fixed.before.encoding,
        "status": fixed.status,
        "error": fixed.error or None,
        "compiled": fixed.compiled,
        "compiles": fixed.compiles,
        "repairs": fixed.repairs,
        "changes": changes,
        "refused": fixed.refused or None,
        "skipped": fixed.skipped,
        "diff": diff,
    }


def _read(path: str) -> PythonFile:
    if path == STDIN:
        return parse_source(read_stdin(MAX_BYTES + 1))
    return read_target(path)


if __name__ == "__main__":
    app()
