"""One JSON object about the whole run (docs/repair.md has its keys)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from ctm.repair.diff import unified_diff
from ctm.repair.reports.base import FileReport, Format, RunEnd

FORMAT_VERSION = 1
NOT_SHOWN = ("edits",)
"""Of a change: in characters of the text as it was then, which no reader has."""


class Report(Format):
    """The object of --json."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._rows: list[dict[str, Any]] = []

    def file(self, report: FileReport) -> str:
        """Nothing yet: it is one object."""
        self._rows.append(row_of(report))
        return ""

    def end(self, run: RunEnd) -> str:
        """The object."""
        content = {
            "format_version": FORMAT_VERSION,
            "bundle": str(run.bundle),
            "status": run.status,
            "files": self._rows,
            "left_out": run.left_out,
        }
        return json.dumps(content, indent=1) + "\n"


def row_of(report: FileReport) -> dict[str, Any]:
    """What JSON says of one file."""
    path = report.path if report.is_unnamed else report.name
    fixed = report.fixed
    if fixed is None:
        return {"path": path, "status": "error", "error": report.error}
    changes = [
        {key: value for key, value in asdict(item).items() if key not in NOT_SHOWN} for item in fixed.changes
    ]
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
        "diff": unified_diff(fixed, report.place),
    }
