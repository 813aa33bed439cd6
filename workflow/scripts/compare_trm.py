"""Rule compare_trm: the CTM and the TRM on the same frozen test items, and whether they were trained on equal terms."""

from ctm.evaluation.comparison import compare_models, contestants
from ctm.evaluation.settings import EvaluationSettings
from options import File, Files, Number, Text, given, start


def main(
    stages: Files,
    trm: File,
    trm_summary: File,
    tokenizer: File,
    test: File,
    grids: File,
    items: Number,
    settings: Text,
    threads: Number,
    out: File,
    answers: File,
) -> None:
    # weights and summary of each stage in turn
    models = contestants(list(zip(stages[::2], stages[1::2], strict=True)), (trm, trm_summary))
    chosen = given(EvaluationSettings, settings)
    compare_models(models, tokenizer, test, grids, items, chosen, threads, out, answers)


if __name__ == "__main__":
    start(main)
