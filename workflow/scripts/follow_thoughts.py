"""Rule follow_thoughts: thoughts seen from inside, with controls, and beyond the trained ticks."""

from ctm.analysis.settings import AnalysisSettings
from ctm.evaluation.settings import EvaluationSettings
from ctm.evaluation.thought_figures import follow_thoughts
from options import File, Number, Text, given, start


def main(
    weights: File, tokenizer: File, test: File, analysis: Text, settings: Text, threads: Number, out: File
) -> None:
    asked, chosen = given(AnalysisSettings, analysis), given(EvaluationSettings, settings)
    follow_thoughts(
        weights,
        tokenizer,
        test,
        asked.scaling_items,
        asked.control_items,
        asked.scaling_ticks,
        chosen,
        threads,
        out,
    )


if __name__ == "__main__":
    start(main)
