"""Stages run by the tests: their arguments, in this process and in another one that can be killed."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

from ctm.model.config import LossTerms
from ctm.training.settings import StageRun, StageSettings, TrainingSettings

TIMED = ("samples_per_second", "machine", "time")
"""Figures of a line of metrics that no two runs share."""
PROGRAM = """
import pickle, sys
from ctm.training.stage import train_stage
train_stage(*pickle.load(open(sys.argv[1], "rb")))
"""

# the loss of step 9 is not a number until the stage went back once
POISONED = """
import pickle, sys
from ctm.training import gradients, stage
whole = gradients.Gradients.accumulate_step
def poisoned(self, parts, step, told):
    figures = whole(self, parts, step, told)
    if step == 9 and self.rate_factor() == 1:
        figures[gradients.FIGURES.index("loss_certain")] = float("nan")
    return figures
gradients.Gradients.accumulate_step = poisoned
from ctm.training import trainer
init = trainer.Trainer.__init__
def remember(self, *arguments):
    init(self, *arguments)
    self.state.gradients.rate_factor = lambda: self.state.progress.rate_factor
trainer.Trainer.__init__ = remember
stage.train_stage(*pickle.load(open(sys.argv[1], "rb")))
"""


def tiny_run() -> StageRun:
    """A stage of 24 steps that takes about a second."""
    return StageRun(
        "stage1",
        StageSettings(ticks=2, batch=8, accumulation=2, learning_rate=3e-3, epochs=2, samples=192),
        TrainingSettings(
            checkpoint_steps=2, log_steps=1, validation_items=24, precision="float32", device="cpu",
            optimizer="adamw",  # Muon rounds to bfloat16: sums in another order then show in the fourth digit
        ),
        {
            "width": 32, "heads": 2, "neurons": 32, "nlm_hidden": 4, "synapse_depth": 2, "action_pairs": 16,
            "out_pairs": 16, "self_pairs": 4, "blocks": 1, "memory": 3,
        },
        LossTerms(later_ticks=0.5),
    )  # fmt: skip


def arguments(run: StageRun, grids: Any, folder: Path, init: Path | None = None) -> tuple[Any, ...]:
    """What `train_stage` takes; `grids` has train, validation, tokenizer."""
    return (
        run, grids.train, grids.validation, grids.tokenizer, init, folder / "work", folder / "out.safetensors",
        folder / "metrics.jsonl", folder / "summary.json", 1,
    )  # fmt: skip


def lines(path: Path) -> list[dict[str, Any]]:
    """Metrics of a stage."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def figures(path: Path) -> list[dict[str, Any]]:
    """Those that must be the same however often the stage was killed."""
    return [{k: v for k, v in record.items() if k not in TIMED} for record in lines(path)]


def start(folder: Path, values: tuple[Any, ...], program: str = PROGRAM) -> subprocess.Popen[str]:
    """Run a stage in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "arguments.pickle").write_bytes(pickle.dumps(values))
    command = [sys.executable, "-c", program, str(folder / "arguments.pickle")]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def newest(work: Path) -> int:
    """Step of the newest checkpoint, -1 where there is none."""
    return max((int(p.stem.split("-")[1]) for p in work.glob("step-*.pt")), default=-1)
