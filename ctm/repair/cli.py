"""The command `ctm-repair`: `fix` proposes repairs of files, `evaluate` measures a model on pairs.

Exit status of `fix`: 0 nothing to repair, 1 repairs proposed (or written), 2 error, 3 broken and no repair found; of
several files the gravest counts: 2 before 3 before 1. As a filter (`fix -`): 0 what is printed compiles. Errors are
one line each on stderr; one that nobody foresaw ends its file, not the command (boundary.py). What is printed is
reporting.py's.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ctm.repair.boundary import Guarded, describe
from ctm.repair.bundle import Bundle
from ctm.repair.cli_evaluate import evaluate
from ctm.repair.discover import STDIN
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
from ctm.repair.progress import progress_over
from ctm.repair.reporting import Color, OptionsError, OutputOptions, Reporter, choose_format, wants_color
from ctm.repair.reports.base import FORMATS, STDIN_NAME, FileReport, Style
from ctm.repair.search import RepairSearchSettings
from ctm.repair.selection import Selection
from ctm.repair.source import MAX_BYTES, FileError, PythonFile, parse_source
from ctm.repair.targets import read_target, repair_source, targets_of, write_target
from ctm.repair.terminal import (
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
from ctm.repair.watch import WatchOption, watch

OutputFormat = StrEnum("OutputFormat", {name: name for name in FORMATS})  # type: ignore[misc]  # made of the table
CONSIDERED = 3
"""Others that --explain names beside each change."""
DELETIONS = -80.0
"""Score (nats) from which a repair is followed with --allow-deletions: a cost of 0.8 for each of a hundred cells."""

app = typer.Typer(
    cls=Guarded,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(evaluate)


def _show_versions(wanted: bool) -> None:
    if wanted:
        from ctm.repair.about import versions  # reads what is installed, which a repair need not wait for

        print_raw(versions())
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_versions, is_eager=True, help="Versions of code and model, and leave."
        ),
    ] = False,
) -> None:
    """Repair Python with a trained Continuous Thought Machine."""


@app.command()
def fix(
    context: typer.Context,
    paths: PathsArgument,
    bundle: BundleOption = None,
    write: Annotated[bool, typer.Option("--write", help="Write the repairs into the files.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print a diff: the default, but for - alone.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Print no diff; say which files would be repaired, on stderr.")
    ] = False,
    suggesting: Annotated[
        bool,
        typer.Option("--suggest", help="Also look for what might be wrong in files that compile."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of diffs.")] = False,
    output_format: Annotated[
        OutputFormat | None,
        typer.Option("--output-format", help="Print a report instead of diffs; json is --json."),
    ] = None,
    output_file: Annotated[
        Path | None,
        typer.Option("--output-file", metavar="FILE", help="Where what is printed goes, in place of stdout."),
    ] = None,
    stdin_filename: Annotated[
        str | None,
        typer.Option("--stdin-filename", metavar="NAME", help="What the text on stdin is called."),
    ] = None,
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
        bool, typer.Option("--quiet", "-q", help="Say nothing but errors and what was asked to be printed.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also show why, and what else was considered (full, json).")
    ] = False,
    color: Annotated[
        Color, typer.Option("--color", help="Colors of diffs and full: auto is for a terminal only.")
    ] = Color.auto,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="End with 0 whatever is found; an error stays 2.")
    ] = False,
    select: SelectOption = None,
    exclude: ExcludeOption = None,
    extend_exclude: ExtendExcludeOption = None,
    force_exclude: ForceExcludeOption = False,
    no_respect_gitignore: NoGitignoreOption = False,
    isolated: IsolatedOption = False,
    config: ConfigOption = None,
    watching: WatchOption = False,
) -> None:
    """Propose repairs of files that do not compile as a unified diff on stdout, for `patch -p0` or `git apply -p0`.

    Files that compile are left alone. `ctm-repair fix -` prints the repaired text instead.

    Exit status: 0 nothing to repair, 1 repairs proposed, 2 error, 3 broken and no repair found. Of a filter: 0 what
    is printed compiles.
    """
    if watching:
        watch(context)
    try:
        options = OutputOptions(
            choose_format(
                paths,
                diff=diff,
                check=check,
                write=write,
                as_json=as_json,
                explain=explain,
                output_format=output_format,
                output_file=output_file,
                stdin_filename=stdin_filename,
            ),
            file=output_file,
            write=write,
            check=check,
            verbose=verbose,
            quiet=quiet,
            exit_zero=exit_zero,
            style=Style(wants_color(color, output_file), explain),
        )
        target = None if target_version is None else parse_target(target_version)
    except (OptionsError, ValueError) as error:
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
    reporter = Reporter(options, model.path, paths)
    discovery = make_discovery(context)
    selection = make_selection(context)
    found = list(discovery.files(paths))
    with progress_over(len(found), quiet) as reporter.progress:
        for file, unread in found:
            name = file if file != STDIN else stdin_filename or STDIN_NAME
            reporter.progress.advance(name)
            for path, problem in targets_of(file, unread, discovery):
                report = FileReport(str(path), name)
                if path != file:
                    report = replace(report, name=str(path), notebook=file)
                done = _fix_one(report, path, problem, model, search, target, write, selection, explain)
                reporter.add(done)
    for folder in discovery.empty if not quiet else ():
        print_error(f"{folder}: no Python files to look at")
    left_out = dict(+discovery.left_out)
    for reason, count in sorted(left_out.items()) if verbose else ():
        print_error(f"skipped {count}: {reason}")
    raise typer.Exit(reporter.end(left_out))


def _fix_one(
    report: FileReport,
    path: str,
    problem: str,
    model: Bundle,
    search: RepairSearchSettings,
    target: Version | None,
    write: bool,
    selection: Selection,
    explain: bool,
) -> FileReport:
    """What becomes of one file; with `write` it is written."""
    try:
        if problem:
            raise FileError(problem)
        source = _read(path)
        fixed = repair_source(
            source,
            path,
            "" if report.is_unnamed else report.name,
            target,
            model.repairer(search),
            selection=selection,
            odds=model.odds,
            considered=CONSIDERED if explain else 0,
        )
        fixed.after.encode()  # before anything is printed: a repair that cannot be written is none
        is_written = write and fixed.status == "repaired"
        if is_written:
            write_target(path, fixed.before, fixed.after)
        return replace(report, fixed=fixed, written=is_written)
    except Exception as error:
        return replace(report, error=str(error) if isinstance(error, FileError) else describe(error))


def _read(path: str) -> PythonFile:
    if path == STDIN:
        return parse_source(read_stdin(MAX_BYTES + 1))
    return read_target(path)


if __name__ == "__main__":
    app()
