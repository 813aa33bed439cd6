"""Workflow commands, which GitHub shows as annotations of the changed files of a pull request.

What a command may hold is GitHub's: percent signs and line ends are escaped everywhere, colons and commas in the
properties too; other control characters would reach the log's terminal.
"""

from __future__ import annotations

from ctm.repair.reports.base import FileReport, Format
from ctm.repair.reports.finding import SUGGESTION, Finding, findings_in_files
from ctm.repair.terminal import escaped

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


class Report(Format):
    """One command a finding, and one for a file that could not be handled."""

    def file(self, report: FileReport) -> str:
        """The commands."""
        if report.fixed is None:
            return _command("error", {"file": report.place, "title": "ctm-repair"}, report.error)
        return "".join(_of(item) for item in findings_in_files(report))


def _of(item: Finding) -> str:
    properties = {"file": item.path, "line": str(item.line)}
    if item.end_line == item.line:  # GitHub takes columns of one line only
        properties |= {"col": str(item.column), "endColumn": str(max(item.column, item.end_column - 1))}
    properties |= {"endLine": str(item.end_line), "title": f"ctm-repair: {item.rule}"}
    return _command("warning" if item.rule == SUGGESTION else "error", properties, item.summary)


def _command(name: str, properties: dict[str, str], message: str) -> str:
    said = ",".join(f"{key}={_escaped(value, _PROPERTY)}" for key, value in properties.items())
    return f"::{name} {said}::{_escaped(message, _DATA)}\n"


def _escaped(text: str, special: dict[str, str]) -> str:
    return "".join(special.get(character) or escaped(character) for character in text)
