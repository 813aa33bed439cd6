"""JUnit's XML, which most build servers show: one test case a file.

A file that would be repaired or stays broken is a failure, one that could not be handled an error. What XML 1.0 cannot
hold (control characters, halves of surrogate pairs) is escaped as Python writes it.
"""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ctm.repair.reports.base import FileReport, Format, RunEnd
from ctm.repair.reports.finding import findings_of

_IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Report(Format):
    """One suite."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._cases: list[str] = []
        self._failures = self._errors = 0

    def file(self, report: FileReport) -> str:
        """Nothing yet: the suite begins with its counts."""
        inside = ""
        if report.fixed is None:
            self._errors += 1
            inside = f"<error message={_attribute(report.error)}/>"
        elif findings := findings_of(report):
            self._failures += 1
            did = "was repaired" if report.written else "would be repaired"
            message = did if report.fixed.compiles else "does not compile, and no repair was found"
            lines = "\n".join(f"{item.line}:{item.column}: {item.summary}" for item in findings)
            inside = f"<failure message={_attribute(message)}>{escape(_possible(lines))}</failure>"
        name = _attribute(report.name)
        self._cases.append(
            f'  <testcase classname="ctm-repair" name={name} file={name}>{inside}</testcase>\n'
        )
        return ""

    def end(self, run: RunEnd) -> str:
        """The suite."""
        counts = f'tests="{len(self._cases)}" failures="{self._failures}" errors="{self._errors}"'
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="ctm-repair" {counts}>\n'
            f' <testsuite name="ctm-repair" {counts} skipped="0" time="0">\n'
            + "".join(self._cases)
            + " </testsuite>\n</testsuites>\n"
        )


def _attribute(text: str) -> str:
    return quoteattr(_possible(text))


def _possible(text: str) -> str:
    return _IMPOSSIBLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
