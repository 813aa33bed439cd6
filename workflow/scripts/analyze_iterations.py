"""Rule analyze_iterations: what each tick adds."""

from ctm.analysis.settings import AnalysisSettings
from ctm.analysis.ticks import analyze_iterations
from options import File, Text, given, start


def main(
    report: File,
    items: File,
    thoughts: File,
    test: File,
    settings: Text,
    out: File,
    plot: File,
    flips: File,
    exits: File,
) -> None:
    analyze_iterations(
        report, items, thoughts, test, given(AnalysisSettings, settings), out, plot, flips, exits
    )


if __name__ == "__main__":
    start(main)
