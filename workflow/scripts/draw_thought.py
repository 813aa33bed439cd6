"""Rule draw_thought: one thought on real code, tick by tick."""

from ctm.analysis.drawn_thought import draw_thought
from ctm.analysis.settings import AnalysisSettings
from options import File, Text, given, start


def main(
    weights: File, tokenizer: File, items: File, test: File, real: File, settings: Text, animation: File, still: File,
    out: File,
) -> None:  # fmt: skip
    draw_thought(
        weights, tokenizer, items, test, real, given(AnalysisSettings, settings), animation, still, out
    )


if __name__ == "__main__":
    start(main)
