"""The default: a unified diff of each file, in its own encoding; in colors only for people."""

from __future__ import annotations

from ctm.repair.diff import unified_diff
from ctm.repair.reports.base import FileReport, Format
from ctm.repair.reports.style import BOLD, CYAN, GREEN, RED, painted
from ctm.repair.terminal import escaped

_COLORS = {"-": RED, "+": GREEN, "@": CYAN}
HEADER = 2
"""Lines that name the file."""


class Report(Format):
    """A diff that `patch -p0` and `git apply -p0` take, unless it is colored."""

    in_encoding_of_file = True

    def file(self, report: FileReport) -> str:
        """The diff, "" for a file without changes."""
        diff = "" if report.fixed is None else unified_diff(report.fixed, report.place)
        return _colored(diff) if self.style.color else diff


def _colored(diff: str) -> str:
    """For a terminal: what is in the file moves no cursor and changes no color."""
    lines = []
    for number, line in enumerate(diff.split("\n")[:-1]):
        shown = "\t".join(map(escaped, line.removesuffix("\r").split("\t")))
        color = BOLD if number < HEADER else _COLORS.get(line[:1])
        lines.append((painted(shown, color) if color else shown) + "\n")
    return "".join(lines)
