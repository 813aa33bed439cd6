"""Checkpoints of a running stage: weights, optimizer, position and random states, each written in one rename.

A file ends with the SHA-256 of what stands before, so that half a file or one with a changed bit is found before
anything is taken from it; torch alone would notice the half.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ctm.files import replacing, sha256_of
from ctm.training.optimizer import CombinedOptimizer

log = logging.getLogger(__name__)
DIGEST = hashlib.sha256().digest_size


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


@dataclass
class Averages:
    """Weights that are kept beside those that train, by name of the parameter or of the model's state."""

    ema: dict[str, torch.Tensor] = field(default_factory=dict)
    """The moving average; empty where there is none."""
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    """The best by validation so far, on the processor; empty before the first measurement."""


class DamagedCheckpoint(ValueError):
    """A checkpoint that is not what was written."""


def save_checkpoint(
    work: Path, model: torch.nn.Module, averages: Averages, optimizer: CombinedOptimizer, progress: Progress,
    keep: int, stopped: bool = False,
) -> None:  # fmt: skip
    """Write `work/step-N.pt` with its checksum, synced, then renamed; older ones than the last `keep` go.

    stopped: the stage ends here because it was asked to. Then the file is `stopped-N.pt`, and the others stay.
    """
    content: dict[str, Any] = {
        "model": model.state_dict(),
        **vars(averages),
        "optimizer": optimizer.state_dict(),
        "progress": vars(progress),
        "random": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        content["random_cuda"] = torch.cuda.get_rng_state_all()
    place = stopped_at(work, progress.step) if stopped else checkpoint_at(work, progress.step)
    with replacing(place) as temporary:
        torch.save(content, temporary)
        digest = bytes.fromhex(sha256_of(temporary))
        with temporary.open("ab") as file:
            file.write(digest)
    outlived = [] if stopped else [*checkpoints(work)[: -max(1, keep)], *_stopped(work)]
    for old in outlived:
        old.unlink()


def load_checkpoint(
    path: Path, model: torch.nn.Module, optimizer: CombinedOptimizer
) -> tuple[Progress, Averages]:
    """Restore a checkpoint in place: progress, and the weights beside the model's. Raises DamagedCheckpoint."""
    content = torch.load(io.BytesIO(_checked(path)), map_location="cpu", weights_only=True)
    model.load_state_dict(content["model"])
    optimizer.load_state_dict(content["optimizer"])
    torch.set_rng_state(content["random"])
    if "random_cuda" in content and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(content["random_cuda"])
    return Progress(**content["progress"]), Averages(content["ema"], content["best"])


def _checked(path: Path) -> memoryview:
    """What `torch.save` wrote, without the checksum behind it. Raises DamagedCheckpoint."""
    whole = memoryview(path.read_bytes())
    content, digest = whole[:-DIGEST], whole[-DIGEST:]
    if not len(content) or hashlib.sha256(content).digest() != digest:
        raise DamagedCheckpoint(f"{path}: damaged ({len(whole):,} bytes, and its checksum differs)")
    return content


def usable_checkpoints(found: Sequence[Path]) -> tuple[Sequence[Path], list[Path]]:
    """Those up to the newest that is whole, and the damaged ones behind it; nothing is changed on the disk."""
    for count in range(len(found), 0, -1):
        try:
            _checked(found[count - 1])
        except DamagedCheckpoint as error:
            log.warning("%s; the one before it is looked at", error)
        else:
            return found[:count], list(found[count:])
    return [], list(found)


def set_aside(damaged: Path) -> Path:
    """Rename a checkpoint so that it is none any more, and can be looked at; it goes with the stage's other ones."""
    aside = damaged.with_suffix(".damaged")
    os.replace(damaged, aside)
    return aside


def checkpoint_at(work: Path, step: int) -> Path:
    """The checkpoint of a step."""
    return work / f"step-{step:08d}.pt"


def stopped_at(work: Path, step: int) -> Path:
    """The checkpoint of a stage that was stopped after a step."""
    return work / f"stopped-{step:08d}.pt"


def checkpoints(work: Path) -> list[Path]:
    """Regular checkpoints that there are, oldest first: those that a rollback may lead to."""
    return sorted(work.glob("step-*.pt"))


def resumable(work: Path) -> list[Path]:
    """All that a stage may go on from, oldest first."""
    return sorted([*_stopped(work), *checkpoints(work)], key=step_of)


def step_of(checkpoint: Path) -> int:
    """The step after which a checkpoint was written."""
    return int(checkpoint.stem.rpartition("-")[2])


def _stopped(work: Path) -> list[Path]:
    return sorted(work.glob("stopped-*.pt"))


def remove_checkpoints(work: Path) -> None:
    """Called when the stage's result is in place."""
    shutil.rmtree(work, ignore_errors=True)
