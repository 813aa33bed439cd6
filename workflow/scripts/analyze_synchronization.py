"""Rule analyze_synchronization: what the synchronization of the trained model says, and which pairs matter."""

from ctm.analysis.settings import SynchronizationSettings
from ctm.analysis.synchronization.analyze import analyze_synchronization
from options import File, Number, Text, given, start


def main(
    weights: File,
    tokenizer: File,
    test: File,
    settings: Text,
    threads: Number,
    out: File,
    pairs: File,
    heatmaps: File,
    page: File,
) -> None:
    chosen = given(SynchronizationSettings, settings)
    analyze_synchronization(weights, tokenizer, test, chosen, threads, out, pairs, heatmaps, page)


if __name__ == "__main__":
    start(main)
