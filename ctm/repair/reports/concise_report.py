"""One line a finding: `path:line:column: what the compiler says -> what would repair it [confidence]`."""

from __future__ import annotations

from ctm.repair.reports.base import FileReport, Format
from ctm.repair.reports.finding import findings_of
from ctm.repair.terminal import visible


class Report(Format):
    """Lines that editors and terminals make links of."""

    names_broken_files = True

    def file(self, report: FileReport) -> str:
        """The findings' lines; errors of files are on stderr."""
        return "".join(
            visible(f"{report.name}:{item.line}:{item.column}: {item.summary}") + "\n"
            for item in findings_of(report)
        )
