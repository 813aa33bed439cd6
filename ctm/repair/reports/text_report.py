"""Of a filter: the whole text after the repair, or as it came if it compiles or stays broken."""

from __future__ import annotations

from ctm.repair.reports.base import FileReport, Format


class Report(Format):
    """The bytes that `--write` would leave in the file."""

    in_encoding_of_file = True

    def file(self, report: FileReport) -> str:
        """A text that still does not compile is never given back half repaired, as it is never written."""
        if report.fixed is None:
            return ""
        source = report.fixed.after if report.fixed.compiles else report.fixed.before
        return source.exact_text
