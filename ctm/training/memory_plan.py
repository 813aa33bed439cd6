"""Caps the memory of a stage, and shrinks its steps when they do not fit.

What is learned changes last of all. Smaller micro-batches give the same gradient (the mean over the step's
samples) up to rounding, gradient checkpoints the same for more time; only fewer ticks are another model.
"""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import torch

from ctm.training.settings import TrainingSettings

log = logging.getLogger(__name__)
GB = 10**9
MESSAGES = ("can't allocate memory", "out of memory", "bad_alloc")
"""What torch says, besides its own exception, where an allocation fails: on CPU, on MPS, in a library below."""


@dataclass(frozen=True)
class MemoryPlan:
    """How the steps of a stage are made to fit."""

    pieces: int = 1
    """Pieces that each micro-batch is cut into, or the whole step where its micro-batches are joined."""
    checkpoint_ticks: int = 0
    """Ticks between gradient checkpoints; 0: none."""
    ticks: int = 0
    """Ticks of a thought; 0: the stage's."""
    graphs: bool = False
    """Whether micro-batches are replayed as CUDA graphs, which keep memory of their own."""


def next_smaller_plan(
    fit: MemoryPlan, batch: int, ticks: int, training: TrainingSettings
) -> MemoryPlan | None:
    """The next smaller way: half the samples at once, no graphs, gradient checkpoints, fewer ticks; None after those.

    batch: samples of a micro-batch. ticks: of the stage.
    """
    if -(-batch // fit.pieces) > max(1, training.smallest_batch):
        return dataclasses.replace(fit, pieces=min(2 * fit.pieces, batch))
    if fit.graphs:
        return dataclasses.replace(fit, graphs=False)
    if training.memory_checkpoint_ticks and not fit.checkpoint_ticks:
        return dataclasses.replace(fit, checkpoint_ticks=training.memory_checkpoint_ticks)
    if 0 < training.fewer_ticks < (fit.ticks or ticks):
        return dataclasses.replace(fit, ticks=training.fewer_ticks)
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is used up."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in MESSAGES)


def first_line(error: BaseException) -> str:
    """What an error says, on one line."""
    return (str(error) or type(error).__name__).splitlines()[0]


@contextmanager
def as_memory_error(what: str) -> Iterator[None]:
    """Raise MemoryError(what) where memory runs out and no smaller way is left to try."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise MemoryError(f"{what} ({first_line(error)})") from error


def release_cached_memory(device: torch.device) -> None:
    """Give back what is held without need, so that the next try finds it."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
    elif sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def cap_vram(device: torch.device, vram: float, sharing: int = 1) -> None:
    """Hold the caching allocator of a CUDA or ROCm device to `vram` GB, shared by the processes of this machine.

    0: no cap. On a machine whose memory is unified, the device may report the BIOS's carve-out as its total: what the
    rule may have is clamped to it, and both are logged.
    """
    if device.type != "cuda" or vram <= 0:
        return
    total = torch.cuda.get_device_properties(device).total_memory
    cap = vram * GB / sharing
    number = torch.cuda.current_device() if device.index is None else device.index
    torch.cuda.set_per_process_memory_fraction(min(1.0, cap / total), number)
    log.info(
        "%s: memory capped at %.1f GB (the rule's vram); the device reports %.1f GB",
        device,
        cap / GB,
        total / GB,
    )


def cap_ram(gb: float) -> None:
    """Hold this process's own memory (RLIMIT_DATA: heap and anonymous maps; Linux) to `gb` GB; 0: no cap.

    An allocation beyond it fails, as on a device. Raises ValueError where the system has no such limit.
    """
    if gb <= 0:
        return
    if sys.platform != "linux":
        raise ValueError("--ram needs Linux (RLIMIT_DATA); leave it out on this system")
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (int(gb * GB), resource.RLIM_INFINITY))
    log.info("memory of this process is capped at %.2f GB", gb)
