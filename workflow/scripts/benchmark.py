"""Rule benchmark: thresholds from the validation split, figures from the frozen test sets."""

from ctm.evaluation.benchmark import benchmark
from ctm.evaluation.settings import EvaluationSettings
from options import File, Number, Text, given, start


def main(
    weights: File,
    tokenizer: File,
    validation: File,
    test: File,
    real: File,
    windows: File,
    quotas: File,
    settings: Text,
    threads: Number,
    out: File,
    items: File,
    validation_items: File,
) -> None:
    chosen = given(EvaluationSettings, settings)
    suites = (validation, test, real, windows, quotas)
    benchmark(weights, tokenizer, *suites, chosen, threads, out, items, validation_items)


if __name__ == "__main__":
    start(main)
