"""GitLab's Code Quality report: a JSON list, for `artifacts: reports: codequality`."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePath
from typing import Any

from ctm.repair.reports.base import FileReport, Format, RunEnd
from ctm.repair.reports.finding import SUGGESTION, findings_in_files
from ctm.repair.terminal import visible


class Report(Format):
    """One entry a finding, and one for a file that could not be handled."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._entries: list[dict[str, Any]] = []

    def file(self, report: FileReport) -> str:
        """Nothing yet: it is one list."""
        if report.fixed is None:
            self._add(report.place, "file-error", report.error, "critical", (1, 1), report.error)
        for item in findings_in_files(report):
            severity = "minor" if item.rule == SUGGESTION else "major"
            lines = item.line, item.end_line
            self._add(item.path, item.rule, item.summary, severity, lines, item.fingerprint)
        return ""

    def end(self, run: RunEnd) -> str:
        """The list."""
        return json.dumps(self._entries, indent=1) + "\n"

    def _add(
        self, path: str, rule: str, description: str, severity: str, lines: tuple[int, int], what: str
    ) -> None:
        """what: tells the entry from others of its file; GitLab wants it to be the only one of the whole report."""
        path = PurePath(path).as_posix()
        content = "\0".join((path, rule, what)).encode("utf-8", "surrogatepass")
        self._entries.append(
            {
                "description": visible(description),
                "check_name": rule,
                "fingerprint": hashlib.sha256(content).hexdigest(),
                "severity": severity,
                "location": {"path": path, "lines": {"begin": lines[0], "end": lines[1]}},
            }
        )
