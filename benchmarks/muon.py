"""Muon's step over all matrices of the demo's and of the full-scale model, ours (stacks of one size) against torch's.

Same matrices, same gradients, rounds in turn, medians; one thread. The second record of each model counts the calls of
ATen's operators, which stand for the kernels that a GPU is sent. Both sides give the same weights to the rounding of
bfloat16 products.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ctm.model.model import CTM
from ctm.pipeline.config import read_config
from ctm.training.muon import StackedMuon
from ctm.training.optimizer import MUON_MOMENTUM, muon_matrices

CONFIG = Path(__file__).parents[1] / "config"
MODELS = {"demo": ("config.yaml", "demo.yaml"), "full": ("config.yaml",)}
ROUNDS = int(os.environ.get("CTM_BENCH_ROUNDS", "5"))
RATE, DECAY = 1e-3, 0.02


class Calls(TorchDispatchMode):
    """Counts calls of ATen's operators, views left out: they launch nothing."""

    VIEWS = frozenset(
        {"t", "transpose", "unbind", "view", "_unsafe_view", "slice", "detach", "select", "reshape"}
    )

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func.overloadpacket.__name__ not in self.VIEWS
        return func(*args, **(kwargs or {}))


def run() -> list[dict[str, Any]]:
    """Steps a second and calls a step of each model, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [record for name in MODELS for record in measure(name)]
    finally:
        torch.set_num_threads(threads)


def torchs(matrices: Sequence[Tensor], decay: float) -> torch.optim.Muon:
    """torch's Muon as ours stands for."""
    return torch.optim.Muon(
        list(matrices), lr=RATE, weight_decay=decay, momentum=MUON_MOMENTUM, adjust_lr_fn="match_rms_adamw"
    )


def measure(name: str) -> list[dict[str, Any]]:
    """Both records of a model."""
    torch.manual_seed(0)
    weights = [m.detach() for m in muon_matrices(CTM(read(name)))]
    sides = [[torch.nn.Parameter(m.clone()) for m in weights] for _ in range(2)]
    gradients = [torch.randn_like(m) for m in weights]
    optimizers: list[torch.optim.Optimizer] = [
        StackedMuon(sides[0], DECAY, MUON_MOMENTUM), torchs(sides[1], DECAY)
    ]  # fmt: skip
    seconds: list[list[float]] = [[], []]
    for _ in range(ROUNDS + 1):  # the first makes moments and kernels
        for side, optimizer, kept in zip(sides, optimizers, seconds, strict=True):
            for parameter, gradient in zip(side, gradients, strict=True):
                parameter.grad = gradient.clone()
            started = time.perf_counter()
            optimizer.step()
            kept.append(time.perf_counter() - started)
    for mine, theirs in zip(*sides, strict=True):
        torch.testing.assert_close(mine.detach(), theirs.detach(), rtol=0, atol=1e-4)
    ours, rival = (1 / statistics.median(kept[1:]) for kept in seconds)
    ratio = statistics.median(b / a for a, b in zip(seconds[0][1:], seconds[1][1:], strict=True))
    calls = [counted(optimizer) for optimizer in optimizers]
    shared = {"rival_name": "torch.optim.Muon", "n": ROUNDS, "threads": 1}
    return [
        {"name": f"muon_{name}", "unit": "steps/s", "ours": ours, "rival": rival, "ratio": ratio, **shared},
        {
            "name": f"muon_{name}_calls", "unit": "calls a step", "ours": calls[0], "rival": calls[1],
            "ratio": calls[1] / calls[0], **shared,
        },
    ]  # fmt: skip


def read(name: str) -> Any:
    """Sizes of a model as its last stage has them."""
    config = read_config([CONFIG / file for file in MODELS[name]])
    stage = config.training.stages[config.training.order[-1]]
    return dataclasses.replace(
        config.model, ticks=stage.ticks, memory=stage.memory, vocabulary=config.tokenizer.vocabulary
    )


def counted(optimizer: torch.optim.Optimizer) -> int:
    """Calls of a step."""
    with Calls() as calls:
        optimizer.step()
    return calls.count


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
