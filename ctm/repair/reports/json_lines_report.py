"""A JSON object for each file, on a line of its own, as soon as the file is done."""

from __future__ import annotations

import json

from ctm.repair.reports.base import FileReport, Format
from ctm.repair.reports.json_report import row_of


class Report(Format):
    """The objects that --json has in `files`."""

    def file(self, report: FileReport) -> str:
        """One line."""
        return json.dumps(row_of(report)) + "\n"
