"""For people: each change with its place, what the compiler said, the edit, its confidence, and the lines around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctm.repair.file_repair import FileRepair
from ctm.repair.reports.base import FileReport, Format
from ctm.repair.reports.finding import REPAIR, Finding, Replacement, findings_of
from ctm.repair.reports.style import BOLD, CYAN, GREEN, RED, painted
from ctm.repair.terminal import escaped, visible

PLACES = 3
"""Of one change that are shown."""
LINES = 12
"""Of one side of a place."""
AROUND = 1
"""Lines before and behind a place."""


class Report(Format):
    """A paragraph a finding."""

    names_broken_files = True

    def file(self, report: FileReport) -> str:
        """The paragraphs; errors of files are on stderr."""
        fixed = report.fixed
        if fixed is None:
            return ""
        lines = (line for item in findings_of(report) for line in self._paragraph(report.name, item, fixed))
        return "".join(f"{line}\n" for line in lines)

    def _paragraph(self, name: str, item: Finding, fixed: FileRepair) -> Iterator[str]:
        place = self._painted(visible(f"{name}:{item.line}:{item.column}"), BOLD)
        yield f"{place}: {visible(item.message)}"
        sure = "" if item.confidence is None else f", confidence {item.confidence:.2f}"
        by = f" ({', '.join(item.rewrites)})" if item.rewrites else ""
        yield f"  {self._painted(visible(item.edit), CYAN)}{visible(by)}{sure}"
        if self.style.explain:
            yield from (f"  {line}" for line in _explained(item))
        for part in item.replacements[:PLACES]:
            yield from self._excerpt(part, fixed.before.lines)
        if (more := len(item.replacements) - PLACES) > 0:
            yield f"  … and {more} more place{'s' * (more > 1)}"
        yield ""

    def _excerpt(self, part: Replacement, lines: Sequence[str]) -> Iterator[str]:
        first, last = part.line, part.end_line
        old = list(lines[first - 1 : last])
        text = part.text.replace("\r\n", "\n").replace("\r", "\n")
        new = f"{old[0][: part.column - 1]}{text}{old[-1][part.end_column - 1 :]}".split("\n")
        while old and new and old[-1] == new[-1]:  # lines that come or go as a whole
            old, new, last = old[:-1], new[:-1], last - 1
        while old and new and old[0] == new[0]:
            old, new, first = old[1:], new[1:], first + 1
        width = len(str(last + AROUND))
        begin = max(1, first - AROUND)
        yield from (_line(" ", width, number, lines[number - 1]) for number in range(begin, first))
        yield from self._side("-", width, first, old, RED)
        yield from self._side("+", width, first, new, GREEN)
        behind = range(last + 1, min(last + AROUND, len(lines)) + 1)
        yield from (_line(" ", width, n, lines[n - 1]) for n in behind if lines[n - 1] or n < len(lines))

    def _side(self, sign: str, width: int, first: int, lines: Sequence[str], color: str) -> Iterator[str]:
        for number, line in enumerate(lines[:LINES], first):
            yield self._painted(_line(sign, width, number, line), color)
        if len(lines) > LINES:
            yield f"    {' ' * width} … {len(lines) - LINES} more lines"

    def _painted(self, text: str, color: str) -> str:
        return painted(text, color) if self.style.color else text


def _line(sign: str, width: int, number: int, line: str) -> str:
    return f"  {sign} {number:>{width}} | {escaped(line.expandtabs(4))}".rstrip()


def _explained(item: Finding) -> Iterator[str]:
    """Why this edit: the compiler's line, what is lost, what would have come next."""
    if item.rule == REPAIR:
        yield f"why: the compiler stops at line {item.message_line}: {visible(item.message)}"
    if item.lost:
        yield visible(f"loses of what you wrote: {' '.join(item.lost)}")
    for other in item.considered:
        outcome = f", {other.outcome}" if other.outcome else ""
        yield visible(f"considered: {other.edit}, confidence {other.confidence:.2f}{outcome}")
    if not item.considered and item.confidence is not None:
        yield "considered: nothing else that compiles"
