"""Rule validate_model: the five checks of an untrained model, with page and plots; fails if one does not hold."""

import json
import logging

from ctm.analysis.pretraining_reports import plot_validation, validation_page
from ctm.evaluation.model_checks import refuse_failures, validate
from ctm.files import write_text
from options import File, Number, Text, start


def main(
    manifest: File,
    tokenizer: File,
    model: Text,
    threads: Number,
    mem_gb: Number,
    vram_gb: Number,
    out: File,
    page: File,
    plot: File,
) -> None:
    report = validate(manifest, tokenizer, json.loads(model), threads, out, mem_gb, vram_gb)
    text = validation_page(report, plot.name)
    write_text(page, text)
    plot_validation(report, plot)
    if not all(part["holds"] for part in report["checks"]):
        logging.error("%s", text)  # Snakemake removes what a failed job wrote; its log stays
    refuse_failures(report)


if __name__ == "__main__":
    start(main)
