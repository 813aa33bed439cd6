"""The default: a unified diff of each file, in its own encoding."""

from __future__ import annotations

from ctm.repair.diff import unified_diff
from ctm.repair.reports.base import FileReport, Format


class Report(Format):
    """A diff that `patch -p0` and `git apply -p0` take."""

    in_encoding_of_file = True

    def file(self, report: FileReport) -> str:
        """The diff, "" for a file without changes."""
        return "" if report.fixed is None else unified_diff(report.fixed, report.place)
