"""Rule analyze_iterations: what each tick adds."""

from ctm.analysis.settings import AnalysisSettings
from ctm.analysis.ticks import analyze_iterations
from options import File, Text, given, start


def main(
    report: File,
    items: File,
    validation_items: File,
    thoughts: File,
    test: File,
    settings: Text,
    out: File,
    plot: File,
    flips: File,
    exits: File,
) -> None:
    chosen = given(AnalysisSettings, settings)
    analyze_iterations(report, items, validation_items, thoughts, test, chosen, out, plot, flips, exits)


if __name__ == "__main__":
    start(main)
