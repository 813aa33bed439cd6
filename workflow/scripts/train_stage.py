"""Rules train_STAGE: one stage of the curriculum.

Snakemake deletes declared outputs before a job and when it fails. What the trainer appends to (metrics, TensorBoard's
events) therefore grows in the work folder, and is put into place when the stage is done.
"""

import shutil

from ctm.training.settings import StageRun
from ctm.training.stage import train_stage
from options import File, Number, OptionalFile, Text, given, start


def main(
    train: File,
    validation: File,
    tokenizer: File,
    settings: Text,
    threads: Number,
    work: File,
    out: File,
    metrics: File,
    summary: File,
    before: OptionalFile = None,
) -> None:
    run = given(StageRun, settings)
    growing = work / "metrics" / metrics.name
    growing.parent.mkdir(parents=True, exist_ok=True)
    train_stage(
        run, train, validation, tokenizer, before, work / "checkpoints", out, growing, summary, threads
    )
    shutil.copytree(growing.parent, metrics.parent, dirs_exist_ok=True)
    shutil.rmtree(growing.parent)


if __name__ == "__main__":
    start(main)
