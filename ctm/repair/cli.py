"""The command `ctm-repair`: `fix` proposes repairs of files, `evaluate` measures a model on pairs.

Exit status of `fix`: 0 nothing to repair, 1 repairs proposed (or written), 2 error, 3 broken and no repair found; of
several files the gravest counts: 2 before 3 before 1. As a filter (`fix -`): 0 what is printed compiles. Errors are
one line each on stderr; one that nobody foresaw ends its file, not the command (boundary.py). What is printed is
reporting.py's.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from click.exceptions import Exit

from ctm.python.newer_strings import Version
from ctm.repair.boundary import Guarded, describe
from ctm.repair.cli_evaluate import evaluate
from ctm.repair.discover import STDIN
from ctm.repair.input_options import (
    config_option,
    exclude_option,
    extend_exclude_option,
    force_exclude_option,
    isolated_option,
    make_discovery,
    make_selection,
    no_gitignore_option,
    paths_argument,
    select_option,
)
from ctm.repair.model_on_demand import ModelOnDemand
from ctm.repair.progress import progress_over
from ctm.repair.reporting import Color, OptionsError, OutputOptions, Reporter, choose_format, wants_color
from ctm.repair.reports.base import FORMATS, STDIN_NAME, FileReport, Style
from ctm.repair.selection import Selection
from ctm.repair.source import MAX_BYTES, FileError, PythonFile, parse_source
from ctm.repair.targets import read_target, repair_source, targets_of, write_target
from ctm.repair.terminal import (
    PATH,
    CommandRefused,
    bundle_option,
    error_exit,
    find_model,
    finite,
    print_error,
    print_raw,
    read_stdin,
    threads_option,
)
from ctm.repair.versions import parse_target


def _show_versions(_: click.Context, __: click.Parameter, wanted: bool) -> None:
    if wanted:
        from ctm.repair.about import versions  # reads what is installed, which a repair need not wait for

        print_raw(versions())
        raise Exit


@click.group(cls=Guarded)
@click.option(
    "--version",
    is_flag=True,
    callback=_show_versions,
    is_eager=True,
    expose_value=False,
    help="Versions of code and model, and leave.",
)
def app() -> None:
    """Repair Python with a trained Continuous Thought Machine."""


app.add_command(evaluate)


@app.command(short_help="Propose repairs of files that do not compile.")
@paths_argument
@bundle_option
@click.option("--write", is_flag=True, help="Write the repairs into the files.")
@click.option("--diff", is_flag=True, help="Print a diff: the default, but for - alone.")
@click.option("--check", is_flag=True, help="Print no diff; say which files would be repaired, on stderr.")
@click.option(
    "--suggest",
    "suggesting",
    is_flag=True,
    help="Also look for what might be wrong in files that compile.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of diffs.")
@click.option(
    "--output-format",
    type=click.Choice(list(FORMATS)),
    help="Print a report instead of diffs; json is --json.",
)
@click.option(
    "--output-file", type=PATH, metavar="FILE", help="Where what is printed goes, in place of stdout."
)
@click.option("--stdin-filename", metavar="NAME", help="What the text on stdin is called.")
@click.option(
    "--confidence",
    type=click.FloatRange(0.0, 1.0),
    callback=finite,
    help="With --suggest: probability that an edit of code with 100 cells must exceed, "
    "shorter code a higher one; default: the bundle's.",
)
@click.option(
    "--allow-deletions",
    is_flag=True,
    help="Propose repairs that lose more of the code than the budget, too.",
)
@threads_option
@click.option(
    "--target-version",
    metavar="3.X",
    help="Python that the code is for; default: the running one. Syntax of a newer one is named, not edited.",
)
@click.option("--verbose", "-v", is_flag=True, help="Say what was skipped or passed over, and why.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but errors and what was asked to be printed.")
@click.option("--explain", is_flag=True, help="Also show why, and what else was considered (full, json).")
@click.option(
    "--color",
    type=click.Choice([color.value for color in Color]),
    default=Color.auto.value,
    show_default=True,
    help="Colors of diffs and full: auto is for a terminal only.",
)
@click.option("--exit-zero", is_flag=True, help="End with 0 whatever is found; an error stays 2.")
@select_option
@exclude_option
@extend_exclude_option
@force_exclude_option
@no_gitignore_option
@isolated_option
@config_option
@click.option(
    "--watch",
    "watching",
    is_flag=True,
    help="Run again on files that change, until Ctrl-C; writes only with --write.",
)
@click.pass_context
def fix(
    context: click.Context,
    *,
    paths: tuple[str, ...],
    bundle: Path | None,
    write: bool,
    diff: bool,
    check: bool,
    as_json: bool,
    output_format: str | None,
    output_file: Path | None,
    stdin_filename: str | None,
    confidence: float | None,
    allow_deletions: bool,
    threads: int,
    target_version: str | None,
    verbose: bool,
    quiet: bool,
    explain: bool,
    color: str,
    exit_zero: bool,
    watching: bool,
    **_: object,  # what make_selection and make_discovery read from the context
) -> None:
    """Propose repairs of files that do not compile as a unified diff on stdout, for `patch -p0` or `git apply -p0`.

    PATH: files, folders (walked for *.py, *.pyi and *.ipynb), or - for stdin. Files that compile are left alone.
    `ctm-repair fix -` prints the repaired text instead.

    Exit status: 0 nothing to repair, 1 repairs proposed, 2 error, 3 broken and no repair found. Of a filter: 0 what
    is printed compiles.
    """
    if watching:
        from ctm.repair.watch import watch

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
            style=Style(wants_color(Color(color), output_file), explain),
        )
        target = None if target_version is None else parse_target(target_version)
    except (OptionsError, ValueError) as error:
        raise error_exit(str(error)) from error
    selection = make_selection(context)
    model = ModelOnDemand(
        find_model(bundle), threads, confidence, allow_deletions, selection.suggestions, explain, verbose
    )
    if selection.suggestions:
        model.load()  # files that compile are asked about too: an error is one before anything is printed
    discovery = make_discovery(context)
    found = list(discovery.files(paths))
    reporter = Reporter(options, model.path, [*paths, *(file for file, _ in found)])
    with progress_over(len(found), quiet) as reporter.progress:
        for file, unread in found:
            name = file if file != STDIN else stdin_filename or STDIN_NAME
            reporter.progress.advance(name)
            for path, problem in targets_of(file, unread, discovery):
                report = FileReport(str(path), name)
                if path != file:
                    report = replace(report, name=str(path), notebook=file)
                done = _fix_one(report, path, problem, model, target, write, selection)
                reporter.add(done)
    for folder in discovery.empty if not quiet else ():
        print_error(f"{folder}: no Python files to look at")
    left_out = dict(+discovery.left_out)
    for reason, count in sorted(left_out.items()) if verbose else ():
        print_error(f"skipped {count}: {reason}")
    raise Exit(reporter.end(left_out))


def _fix_one(
    report: FileReport,
    path: str,
    problem: str,
    model: ModelOnDemand,
    target: Version | None,
    write: bool,
    selection: Selection,
) -> FileReport:
    """What becomes of one file; with `write` it is written. Raises CommandRefused where the model cannot be loaded."""
    try:
        if problem:
            raise FileError(problem)
        source = _read(path)
        name = "" if report.is_unnamed else report.name
        fixed = repair_source(source, path, name, target, model.repair, selection=selection)
        fixed.after.encode()  # before anything is printed: a repair that cannot be written is none
        is_written = write and fixed.status == "repaired"
        if is_written:
            write_target(path, fixed.before, fixed.after)
        return replace(report, fixed=fixed, written=is_written)
    except CommandRefused:
        raise
    except Exception as error:
        return replace(report, error=str(error) if isinstance(error, FileError) else describe(error))


def _read(path: str) -> PythonFile:
    if path == STDIN:
        return parse_source(read_stdin(MAX_BYTES + 1))
    return read_target(path)


if __name__ == "__main__":
    app()
