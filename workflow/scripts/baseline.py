"""Rule baseline: accuracy, time and memory of an untrained model against their targets, as figures, page and plots."""

import json

from ctm.analysis.pretraining_reports import baseline_page, plot_baseline
from ctm.evaluation.baseline import baseline
from ctm.files import write_text
from options import File, Number, Text, start


def main(
    manifest: File, tokenizer: File, model: Text, threads: Number, out: File, page: File, plot: File
) -> None:
    report = baseline(manifest, tokenizer, json.loads(model), threads, out)
    write_text(page, baseline_page(report, plot.name))
    plot_baseline(report, plot)


if __name__ == "__main__":
    start(main)
