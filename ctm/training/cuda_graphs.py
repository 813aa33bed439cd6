"""Replays forward and backward of a micro-batch as CUDA graphs: its thousands of small kernels run in less time than it
takes to launch them.

There is one graph for each shape of micro-batch, with forward, loss and backward in it. Gradients add up in
tensors that stay where they are, and random numbers follow the seed set before the replay, so a replay does what the
plain call does. ROCm builds of torch take HIP graphs by the same calls.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ctm.training.batch import CELLS_MULTIPLE, UNITS_MULTIPLE, TrainingBatch
from ctm.training.memory_plan import first_line, is_out_of_memory
from ctm.training.micro_batches import pad_batch

log = logging.getLogger(__name__)
MOST = 64
"""Shapes that get a graph; each takes some megabytes of the driver's memory."""
CELL_STEPS, UNIT_STEPS = 8, 4
"""Widths and numbers of units within a doubling: fewer shapes, at the cost of padding (12 and 25 % at most)."""

Run = Callable[[TrainingBatch, Tensor, float], Tensor]


@dataclass(frozen=True, eq=False)
class _Captured:
    graph: Any  # torch.cuda.CUDAGraph
    piece: TrainingBatch
    drawn: Tensor
    figures: Tensor


class CudaGraphs:
    """Calls `run(piece, drawn, share)`, which fills `model`'s gradients and returns figures, or replays what it did.

    The first batch of a shape runs normally, which builds its kernels; the second one is captured.
    """

    def __init__(self, run: Run, model: nn.Module) -> None:
        self.run, self.model = run, model
        self.seen_shapes: set[Hashable] = set()
        self.captured: dict[Hashable, _Captured] = {}
        self.pool: Any = None
        self.replayed = self.calls = 0
        self.capture_failed = False

    def __call__(self, piece: TrainingBatch, drawn: Tensor, share: float) -> Tensor:
        """Figures of a piece, valid until the next call. Gradients that are None become zeros first."""
        for parameter in self.model.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        piece = rounded(piece)
        key = (*(tuple(tensor.shape) for tensor in tensors_of(piece)), share)
        self.calls += 1
        found = self.captured.get(key) or self._try(key, piece, drawn, share)
        if found is None:
            self.seen_shapes.add(key)
            device = next(self.model.parameters()).device
            return self.run(piece.to(device), drawn.to(device), share)
        for static, given in zip(tensors_of(found.piece), tensors_of(piece), strict=True):
            static.copy_(given, non_blocking=True)
        found.drawn.copy_(drawn, non_blocking=True)
        found.graph.replay()
        self.replayed += 1
        return found.figures

    def _try(self, key: Hashable, piece: TrainingBatch, drawn: Tensor, share: float) -> _Captured | None:
        """The graph of a shape that was met before, None where there is to be none."""
        if self.capture_failed or key not in self.seen_shapes or len(self.captured) >= MOST:
            return None
        try:
            self.captured[key] = self._capture(piece, drawn, share)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self.capture_failed = True
            log.warning("CUDA graph capture failed, continuing without new graphs: %s", first_line(error))
            return None
        return self.captured[key]

    def _capture(self, piece: TrainingBatch, drawn: Tensor, share: float) -> _Captured:
        """The graph of a shape; nothing runs, so the gradients stay as they are."""
        device = next(self.model.parameters()).device
        static, asked = piece.to(device), drawn.to(device)
        self.pool = self.pool or torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool):
            figures = self.run(static, asked, share)
        return _Captured(graph, static, asked, figures)

    def figures(self) -> dict[str, float]:
        """Shapes that have a graph, the share of calls that were replays, and whether a capture failed."""
        share = self.replayed / max(1, self.calls)
        return {"shapes": len(self.captured), "replayed": share, "refused": self.capture_failed}


def tensors_of(batch: TrainingBatch) -> Iterator[Tensor]:
    """All tensors of a batch in a fixed order."""
    yield from batch.inputs.values()
    yield from (value for value in vars(batch).values() if isinstance(value, Tensor))


def rounded(batch: TrainingBatch) -> TrainingBatch:
    """The batch padded to one of few shapes; what is added counts for nothing."""
    cells = _upwards(batch.words.shape[1], 2 * CELLS_MULTIPLE, CELL_STEPS) - batch.words.shape[1]
    units = _upwards(len(batch.unit_slot), UNITS_MULTIPLE, UNIT_STEPS) - len(batch.unit_slot)
    return pad_batch(batch, cells, units)


def _upwards(size: int, multiple: int, steps: int) -> int:
    """The next size among `steps` within each doubling, a multiple of `multiple`."""
    grain = max(multiple, (1 << max(size - 1, 1).bit_length()) // (2 * steps))
    return -(-size // grain) * grain
