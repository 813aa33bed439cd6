"""Whole training steps of the full-scale model at the four stages' settings, against the specification's rates.

One micro-batch: encoder, ticks, head with the exact loss of all ticks over the vocabulary of 8,192, gradients clipped,
AdamW; the optimizer's part is divided by the stage's accumulation. Texts of 256 cells (the demo's have 113 on average),
answers of three units. Sizes, ticks, memory, batch and accumulation come from config/config.yaml. Each part is timed
with its own backward pass. The rates of the specification were meant for a GPU, so they are floors, not rivals.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from ctm.model.config import CTMConfig, LossTerms
from ctm.model.device import pick_precision
from ctm.model.model import CTM, CTMEncoding, ModelOutput
from ctm.pipeline.config import read_config
from ctm.training.batch import TrainingBatch
from ctm.training.optimizer import CombinedOptimizer, make_optimizer
from ctm.training.settings import CTMStageSettings, CTMTrainingSettings

FLOORS = {"stage1": 4.6, "stage2": 2.8, "stage3": 1.8, "stage4": 1.2}
PARTS = ("encoder", "ticks", "head", "optimizer")
CELLS, UNITS = 256, 3
ROUNDS = int(os.environ.get("CTM_BENCH_ROUNDS", "3"))
CONFIG = Path(__file__).parents[1] / "config" / "config.yaml"


def run() -> list[dict[str, Any]]:
    """Samples a second of each stage on one thread, in the precision that training picks here."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        config = read_config([CONFIG])
        return [
            measure(name, config.model, stage, config.training)
            for name, stage in config.training.stages.items()
        ]
    finally:
        torch.set_num_threads(threads)


def measure(
    name: str, sizes: CTMConfig, stage: CTMStageSettings, training: CTMTrainingSettings
) -> dict[str, Any]:
    """A record, with the share of each part in its name of the rival."""
    torch.manual_seed(0)
    model = CTM(
        CTMConfig(**{**vars(sizes), "ticks": stage.ticks, "memory": stage.memory, "vocabulary": 8192})
    ).train()
    optimizer = make_optimizer(model, training)
    batch = make_batch(stage.batch, model.config.vocabulary)
    precision = pick_precision(training.precision, torch.device("cpu"), "training.precision")
    rounds = [step(model, optimizer, batch, precision, training) for _ in range(ROUNDS + 1)][1:]
    seconds = {part: statistics.median(r[part] for r in rounds) for part in PARTS}
    seconds["optimizer"] /= stage.accumulation
    whole = sum(seconds.values())
    shares = ", ".join(f"{part} {seconds[part] / whole:.0%}" for part in PARTS)
    rate = stage.batch / whole
    return {
        "name": f"ctm_step_{name}", "unit": "samples/s", "ours": rate, "rival": FLOORS[name],
        "rival_name": f"the specification's rate ({str(precision).removeprefix('torch.')}; {shares})",
        "ratio": rate / FLOORS[name], "n": ROUNDS, "threads": 1,
    }  # fmt: skip


def step(
    model: CTM, optimizer: CombinedOptimizer, batch: TrainingBatch, precision: torch.dtype,
    training: CTMTrainingSettings,
) -> dict[str, float]:  # fmt: skip
    """Seconds of each part; cut at the encoding and at the synchronization, whose gradients are handed on."""
    seconds = dict.fromkeys(PARTS, 0.0)
    clock = _Clock(seconds)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        h = model.backbone(*(batch.inputs[n] for n in ("tokens", "rows", "cols", "diagnosis")), _mask(batch))
        clock.lap("encoder")
        encoding = h.detach().requires_grad_()
        memory = model.build_encoding(batch.inputs["tokens"], batch.inputs["lengths"], _mask(batch), encoding)
        synchronization = model.run_ticks(memory, model.config.ticks)
        clock.lap("ticks")
        loss, said = head(model, synchronization, memory, batch, training)
    loss.backward()
    clock.lap("head")
    synchronization.backward(said.grad)
    clock.lap("ticks")
    h.backward(encoding.grad)
    clock.lap("encoder")
    torch.nn.utils.clip_grad_norm_(model.parameters(), training.clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    model.after_step()
    clock.lap("optimizer")
    return seconds


def head(
    model: CTM,
    synchronization: torch.Tensor,
    memory: CTMEncoding,
    batch: TrainingBatch,
    training: CTMTrainingSettings,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss, and the synchronization as a leaf."""
    said = synchronization.detach().requires_grad_()
    with torch.no_grad():
        pointers, sure = model.predict_span(said, memory)
    thought = ModelOutput(pointers, sure, said, memory)
    terms = LossTerms(training.diversity, training.later_ticks)
    return model.loss(thought, batch, terms).total, said


def _mask(batch: TrainingBatch) -> torch.Tensor:
    return torch.zeros(batch.inputs["tokens"].shape)


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds, self.last = seconds, time.perf_counter()

    def lap(self, part: str) -> None:
        now = time.perf_counter()
        self.seconds[part] += now - self.last
        self.last = now


def make_batch(size: int, vocabulary: int) -> TrainingBatch:
    """Random texts of CELLS cells, whose answers have UNITS units, one of them a copy."""
    draw = torch.Generator().manual_seed(1)
    tokens = torch.randint(5, vocabulary, (size, CELLS), generator=draw)
    unit = torch.arange(size * UNITS) % UNITS
    token = torch.randint(5, vocabulary, (size * UNITS,), generator=draw)
    return TrainingBatch(
        inputs={
            "tokens": tokens,
            "rows": (torch.arange(CELLS) // 8).expand(size, -1).contiguous(),
            "cols": (torch.arange(CELLS) % 8).expand(size, -1).contiguous(),
            "lengths": torch.full((size,), CELLS),
            "diagnosis": torch.tensor([[20, 3]]).expand(size, -1).contiguous(),
        },
        words=torch.where(tokens % 3 == 0, tokens, -1),
        start=torch.randint(CELLS, (size,), generator=draw),
        end=torch.randint(CELLS, (size,), generator=draw),
        unit_sample=torch.arange(size).repeat_interleave(UNITS),
        unit_slot=unit,
        unit_token=torch.where(unit == 0, -1, token),
        unit_word=torch.where(unit == 0, tokens[:, 0].repeat_interleave(UNITS), -1),
    )


if __name__ == "__main__":
    print(*run(), sep="\n")
