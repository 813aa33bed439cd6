"""Rule analyze_certainty: how sure the model is, and whether it may be."""

from ctm.analysis.certainty import analyze_certainty
from ctm.analysis.settings import AnalysisSettings
from options import File, Text, given, start


def main(
    report: File, items: File, settings: Text, out: File, reliability: File, risk_coverage: File
) -> None:
    analyze_certainty(report, items, given(AnalysisSettings, settings), out, reliability, risk_coverage)


if __name__ == "__main__":
    start(main)
