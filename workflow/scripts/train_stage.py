"""Rules train_STAGE: one stage of the curriculum. By hand, and on several devices: docs/trainer.md.

Snakemake deletes declared outputs before a job and when it fails. What the trainer appends to (metrics, TensorBoard's
events) therefore grows in the work folder, and is put into place when the stage is done.
"""

import shutil
import sys

from filelock import Timeout

from ctm.training.interruption import STOPPED, Stopped, StopRequest
from ctm.training.settings import StageRun
from ctm.training.stage import train_stage
from options import File, Number, OptionalFile, Size, Text, given, start

BUSY = 75
"""Exit status (EX_TEMPFAIL) where another trainer has the work folder: a killed Snakemake may have left it running."""


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
    vram: Size = 0,
    ram: Size = 0,
) -> None:
    run = given(StageRun, settings)
    growing = work / "metrics" / metrics.name
    growing.parent.mkdir(parents=True, exist_ok=True)
    places = work / "checkpoints", out, growing, summary
    try:
        with StopRequest().listening() as stop:
            first = train_stage(run, train, validation, tokenizer, before, *places, threads, vram, ram, stop)
    except Timeout as error:
        held = f"{error.lock_file} is locked: another process trains this stage"
        print(f"{held}. Wait for it, or stop it", file=sys.stderr)
        sys.exit(BUSY)
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        sys.exit(STOPPED)
    if first:
        shutil.copytree(growing.parent, metrics.parent, dirs_exist_ok=True)
        shutil.rmtree(growing.parent)


if __name__ == "__main__":
    start(main)
