"""What `ctm-repair fix` prints and where: which options go together, one line a file on stderr, the report itself.

stdout, or the file of --output-file, gets the report and nothing else. What people need to know beside it goes to
stderr. No report is left half written in a file, and none replaces a file that was read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from ctm.bundle_names import CONFIG, MODEL, TOKENIZER
from ctm.repair.boundary import describe
from ctm.repair.discover import STDIN
from ctm.repair.outputs import OutputError, check_outputs, write_output
from ctm.repair.progress import Progress
from ctm.repair.reports.base import DIFF, EXPLAINED, FULL, TEXT, FileReport, RunEnd, Style, make_format
from ctm.repair.terminal import ERROR, encoded, error_exit, print_error, print_raw

CLEAN, PROPOSED, _, UNREPAIRED = range(4)
GRAVITY = (CLEAN, PROPOSED, UNREPAIRED, ERROR)


class Color(StrEnum):
    """When to color what people read."""

    auto = "auto"
    always = "always"
    never = "never"


class OptionsError(ValueError):
    """Options that contradict each other; the message says which, and what to leave out."""


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """What is printed, written and said."""

    format: str
    """One of reports.base.FORMATS, DIFF, TEXT, or "" for no report."""
    file: Path | None = None
    """Where the report goes; None: stdout."""
    write: bool = False
    check: bool = False
    verbose: bool = False
    quiet: bool = False
    exit_zero: bool = False
    style: Style = Style()

    @property
    def is_filter(self) -> bool:
        """Whether the repaired text is what is printed."""
        return self.format == TEXT

    def status(self, report: FileReport) -> int:
        """The exit status that one file asks for. A filter that has repaired its text is done: 0."""
        proposed = CLEAN if self.is_filter else PROPOSED
        return {"clean": CLEAN, "repaired": proposed, "unrepaired": UNREPAIRED, "error": ERROR}[report.status]

    def exit_status(self, worst: int) -> int:
        """That of the command: with --exit-zero only an error is one."""
        return CLEAN if self.exit_zero and worst != ERROR else worst


def choose_format(
    paths: Sequence[str],
    *,
    diff: bool,
    check: bool,
    write: bool,
    as_json: bool,
    explain: bool = False,
    output_format: str | None,
    output_file: Path | None,
    stdin_filename: str | None,
) -> str:
    """The format that the options ask for: what they name, or text for `-` alone, a diff for files.

    Raises OptionsError where two of them contradict each other.
    """
    if as_json and output_format not in (None, "json"):
        raise OptionsError(
            f"--json and --output-format {output_format} contradict each other: name one format"
        )
    named = "json" if as_json else output_format
    whole = "--json" if as_json else f"--output-format {output_format}"
    if write and STDIN in paths:
        raise OptionsError("--write needs files; what is read from stdin cannot be written back")
    for given, option in ((diff, "--diff"), (check, "--check")):
        if write and given:
            raise OptionsError(f"--write and {option} contradict each other: {option} changes no file")
    if diff and named:
        raise OptionsError(f"--diff and {whole} contradict each other: name one format")
    if stdin_filename is not None and STDIN not in paths:
        raise OptionsError("--stdin-filename names what is read from stdin: give - as a path too")
    if explain and (diff or named not in (None, *EXPLAINED)):
        raise OptionsError(
            f"--explain and {'--diff' if diff else whole} contradict each other: full explains"
        )
    if named or diff:
        return named or DIFF
    if explain:
        return FULL
    if check or write:
        if output_file is not None:
            option = "--check" if check else "--write"
            raise OptionsError(f"{option} alone has nothing for --output-file; name an --output-format too")
        return ""
    return TEXT if list(paths) == [STDIN] else DIFF


def wants_color(choice: Color, output_file: Path | None) -> bool:
    """Whether to color; "auto" asks the terminal and NO_COLOR."""
    if choice != Color.auto:
        return choice == Color.always
    # https://no-color.org: any value but an empty one
    refused = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return not refused and output_file is None and sys.stdout is not None and sys.stdout.isatty()


class Reporter:
    """Takes each file when it is done: prints its part of the report, says what has to be said, and counts."""

    def __init__(self, options: OutputOptions, bundle: Path, named: Sequence[str]) -> None:
        """named: all that is looked at. Raises Exit for an output file that is one of them."""
        self.options, self.bundle = options, bundle
        self.progress = Progress()
        """What is hidden while something is printed."""
        self.worst = CLEAN
        self._format = make_format(options.format, options.style)
        self._parts: list[bytes] = []
        """Of the report, where it goes to a file."""
        if options.file is not None:
            parts = [bundle / name for name in (MODEL, TOKENIZER, CONFIG)]
            self._check_file([*parts, *(Path(path) for path in named if path != STDIN)])

    def add(self, report: FileReport) -> None:
        """One file is done."""
        try:
            text = self._format.file(report)
        except Exception as error:  # of one file, like any other that nobody foresaw
            report = replace(report, fixed=None, error=describe(error))
            text = self._format.file(report)
        lines = list(self._lines(report))
        if text or lines:
            with self.progress.hidden():
                self._print(text, report.encoding if self._format.in_encoding_of_file else "utf-8")
                for line in lines:
                    print_error(line)
        self.worst = max(self.worst, self.options.status(report), key=GRAVITY.index)

    def end(self, left_out: dict[str, int]) -> int:
        """All files are done: the rest of the report; the exit status. Raises Exit."""
        status = self.options.exit_status(self.worst)
        self._print(self._format.end(RunEnd(self.bundle, self.worst, status, left_out)))
        if self.options.file is not None and not (self.options.is_filter and self.worst == ERROR):
            try:
                write_output(self.options.file, b"".join(self._parts))
            except OutputError as error:
                raise error_exit(str(error)) from error
        return status

    def _print(self, text: str, encoding: str = "utf-8") -> None:
        if self.options.file is None:
            print_raw(text, encoding)
        else:
            self._parts.append(encoded(text, encoding))

    def _check_file(self, inputs: Sequence[Path]) -> None:
        assert self.options.file is not None
        try:
            check_outputs([self.options.file], inputs)
        except OutputError as error:
            raise error_exit(str(error)) from error

    def _lines(self, report: FileReport) -> Iterator[str]:
        """What stderr says of a file. With --quiet: errors, and what stays broken if no report says it."""
        options, fixed, name = self.options, report.fixed, report.name
        if fixed is None:
            yield f"{name}: {report.error}"
            return
        count = f"{len(fixed.changes)} change{'s' * (len(fixed.changes) > 1)}"
        if fixed.status == "repaired" and not options.quiet and (report.written or options.check):
            yield f"repaired {name}: {count}" if report.written else f"would repair {name}: {count}"
        if fixed.status == "unrepaired" and not self._format.names_broken_files:
            did = f"still broken after {len(fixed.changes)} repairs" if fixed.changes else "no repair found"
            withheld = "nothing was written" if options.write else "it is given back as it was"
            unwritten = f"; {withheld}" if fixed.changes and (options.write or options.is_filter) else ""
            because = f"; {fixed.refused}" if fixed.refused else ""
            yield f"{name}: {did}, {fixed.error}{because}{unwritten}"
        if not fixed.skipped:
            return
        from ctm.repair.suggest import BEYOND, PASSED_OVER  # with numpy, and few files have parts to tell of

        for reason, number in sorted(fixed.skipped.items()):
            did = "passed over in" if reason in PASSED_OVER else "skipped"
            if options.verbose or (reason == BEYOND and not options.quiet):
                yield f"{name}: {did} {number} of its parts: {reason}"
