"""Splits micro-batches where memory is short, and merges them where there is plenty."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ctm.grid.tokenizer import PAD
from ctm.training.batch import CELLS_MULTIPLE, UNITS_MULTIPLE, TrainingBatch

UNIT_COLUMNS = ("unit_slot", "unit_token", "unit_word")
IN_CELLS = ("tokens", "rows", "cols")


def split_bounds(samples: int, pieces: int) -> list[tuple[int, int]]:
    """Where each of `pieces` nearly equal pieces begins and ends."""
    edges = [samples * i // pieces for i in range(pieces + 1)]
    return list(itertools.pairwise(edges))


def slice_batch(batch: TrainingBatch, begin: int, end: int) -> TrainingBatch:
    """Samples begin..end of a batch, as narrow as they allow."""
    longest = int(batch.inputs["lengths"][begin:end].max())
    width = min(math.ceil(longest / CELLS_MULTIPLE) * CELLS_MULTIPLE, batch.words.shape[1])
    inputs = {
        name: values[begin:end, :width] if name in IN_CELLS else values[begin:end]
        for name, values in batch.inputs.items()
    }
    asked = (batch.unit_token >= 0) | (batch.unit_word >= 0)
    mine = torch.nonzero(asked & (batch.unit_sample >= begin) & (batch.unit_sample < end))[:, 0]
    size = math.ceil(max(1, len(mine)) / UNITS_MULTIPLE) * UNITS_MULTIPLE
    columns = {name: _filled(getattr(batch, name)[mine], size) for name in UNIT_COLUMNS}
    columns["unit_slot"].clamp_(min=0)
    return TrainingBatch(
        inputs=inputs,
        words=batch.words[begin:end, :width],
        start=batch.start[begin:end],
        end=batch.end[begin:end],
        unit_sample=_filled(batch.unit_sample[mine] - begin, size).clamp_(min=0),
        **columns,
    )


def _filled(values: Tensor, size: int) -> Tensor:
    return torch.cat([values, values.new_full((size - len(values),), -1)])


def pad_batch(batch: TrainingBatch, cells: int, units: int) -> TrainingBatch:
    """The batch padded by so many cells and units, which count for nothing."""
    if cells == units == 0:
        return batch
    inputs = {
        name: F.pad(values, (0, cells), value=PAD) if name in IN_CELLS else values
        for name, values in batch.inputs.items()
    }
    return TrainingBatch(
        inputs=inputs,
        words=F.pad(batch.words, (0, cells), value=-1),
        start=batch.start,
        end=batch.end,
        unit_sample=F.pad(batch.unit_sample, (0, units)),
        unit_slot=F.pad(batch.unit_slot, (0, units)),
        unit_token=F.pad(batch.unit_token, (0, units), value=-1),
        unit_word=F.pad(batch.unit_word, (0, units), value=-1),
    )


def merge_batches(parts: list[TrainingBatch]) -> TrainingBatch:
    """Micro-batches as one, as wide as the widest of them."""
    width = max(part.words.shape[1] for part in parts)
    wide = [pad_batch(part, width - part.words.shape[1], 0) for part in parts]
    samples = [part.unit_sample + number * len(part.start) for number, part in enumerate(wide)]
    names = [name for name in vars(wide[0]) if name not in ("inputs", "unit_sample")]
    return TrainingBatch(
        inputs={name: torch.cat([part.inputs[name] for part in wide]) for name in wide[0].inputs},
        unit_sample=torch.cat(samples),
        **{name: torch.cat([getattr(part, name) for part in wide]) for name in names},
    )
