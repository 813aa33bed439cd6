"""What every format gets: what became of a file, how the run ended, how it may look; and the table of formats.

A format is a module `NAME_report.py` with a class `Report`. It is imported only when it is used: who wants a diff need
not wait for XML.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path

from ctm.repair.diff import header_name
from ctm.repair.discover import STDIN
from ctm.repair.file_repair import FileRepair

FORMATS = ("full", "concise", "json", "json-lines", "github", "gitlab", "sarif", "junit")
"""Names for --output-format."""
FULL = "full"
EXPLAINED = ("full", "json", "json-lines")
"""Formats that have room for what else was considered."""
DIFF, TEXT = "diff", "text"
"""Formats with an option of their own: --diff, and the repaired text of a filter."""
STDIN_NAME = "<stdin>"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file."""

    path: str
    """As it was named, or found below a folder that was; "-" for stdin."""
    name: str
    """For messages: the path, STDIN_NAME, or what --stdin-filename says."""
    fixed: FileRepair | None = None
    """None where there was an error."""
    error: str = ""
    """Why it could not be handled."""
    written: bool = False
    notebook: str = ""
    """Of a cell: the path of its notebook."""

    @property
    def is_unnamed(self) -> bool:
        """Whether it is what came on stdin, without a name."""
        return self.path == STDIN and self.name == STDIN_NAME

    @property
    def place(self) -> str:
        """For programs: where it is, from the working folder if it is inside, links resolved (diff.header_name)."""
        return self.name if self.is_unnamed else header_name(self.name)

    @property
    def status(self) -> str:
        """ "clean", "repaired", "unrepaired" or "error"."""
        return "error" if self.fixed is None else self.fixed.status

    @property
    def encoding(self) -> str:
        """Of the file; UTF-8 where it could not be read."""
        return "utf-8" if self.fixed is None else self.fixed.before.encoding


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How the command ended."""

    bundle: Path
    status: int
    """The gravest of all files."""
    exit_status: int = 0
    """Of the process: another one with --exit-zero."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Files and folders that were not looked at, by reason."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a report for people looks."""

    color: bool = False
    explain: bool = False
    """Whether what else was considered is shown."""


class Format:
    """A report: text for each file as soon as it is done, and text at the end. This one prints nothing."""

    in_encoding_of_file = False
    """Whether the text for a file is in that file's encoding, not in UTF-8."""
    names_broken_files = False
    """Whether people read in it which files stay broken, so that stderr need not say it again."""

    def __init__(self, style: Style | None = None) -> None:
        self.style = style or Style()

    def file(self, report: FileReport) -> str:
        """What is printed of a file. Keep no FileReport: it holds the file's text."""
        return ""

    def end(self, run: RunEnd) -> str:
        """What is printed when all files are done."""
        return ""


def make_format(name: str, style: Style) -> Format:
    """The format of that name: one of FORMATS, DIFF or TEXT; "" prints nothing."""
    if not name:
        return Format(style)
    module = importlib.import_module(f"ctm.repair.reports.{name.replace('-', '_')}_report")
    made: Format = module.Report(style)
    return made
