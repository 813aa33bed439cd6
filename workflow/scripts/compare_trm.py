"""Rule compare_trm: the CTM and the TRM on the same frozen test items."""

from ctm.evaluation.comparison import compare_models
from ctm.evaluation.settings import EvaluationSettings
from options import File, Number, Text, given, start


def main(
    ctm: File,
    trm: File,
    tokenizer: File,
    test: File,
    items: Number,
    settings: Text,
    threads: Number,
    out: File,
) -> None:
    chosen = given(EvaluationSettings, settings)
    compare_models({"CTM": ctm, "TRM": trm}, tokenizer, test, items, chosen, threads, out)


if __name__ == "__main__":
    start(main)
