"""Checkpoints of a running stage: weights, optimizer, position and random states, each written in one rename."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ctm.files import replacing
from ctm.training.optimizer import CombinedOptimizer

BEST = "best.safetensors"


@dataclass
class Progress:
    """Where a stage stands: everything that a bit-identical continuation needs besides weights and optimizer."""

    step: int = 0
    seconds: float = 0.0
    metrics_bytes: int = 0
    rate_factor: float = 1.0
    """What rollbacks left of the learning rate."""
    losses: list[float] = field(default_factory=list)
    """Of the last steps, newest last: used to detect a spike."""
    fit: dict[str, Any] = field(default_factory=dict)
    """`memory_plan.MemoryPlan`: what out-of-memory led to."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """Rollbacks and out-of-memory, as in the metrics."""
    best: dict[str, Any] = field(default_factory=dict)
    """Step, score and its standard error of the best weights by validation (`validation_accuracy.ValidationResult`)."""


def save_checkpoint(
    work: Path, model: torch.nn.Module, ema: dict[str, torch.Tensor], optimizer: CombinedOptimizer,
    progress: Progress, keep: int,
) -> None:  # fmt: skip
    """Write `work/step-N.pt`, synced, then renamed; older ones than the last `keep` go."""
    content: dict[str, Any] = {
        "model": model.state_dict(),
        "ema": ema,
        "optimizer": optimizer.state_dict(),
        "progress": vars(progress),
        "random": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        content["random_cuda"] = torch.cuda.get_rng_state_all()
    with replacing(checkpoint_at(work, progress.step)) as temporary:
        torch.save(content, temporary)
    for old in checkpoints(work)[: -max(1, keep)]:
        old.unlink()


def load_checkpoint(
    path: Path, model: torch.nn.Module, optimizer: CombinedOptimizer
) -> tuple[Progress, dict[str, torch.Tensor]]:
    """Restore a checkpoint in place: progress and moving average."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(content["model"])
    optimizer.load_state_dict(content["optimizer"])
    torch.set_rng_state(content["random"])
    if "random_cuda" in content and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(content["random_cuda"])
    return Progress(**content["progress"]), content["ema"]


def checkpoint_at(work: Path, step: int) -> Path:
    """The checkpoint of a step."""
    return work / f"step-{step:08d}.pt"


def checkpoints(work: Path) -> list[Path]:
    """Checkpoints that there are, oldest first."""
    return sorted(work.glob("step-*.pt"))


def remove_checkpoints(work: Path) -> None:
    """Called when the stage's result is in place."""
    shutil.rmtree(work, ignore_errors=True)
