"""Batches: states of similar length padded to one [B, N], in numpy, for torch and onnxruntime alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ctm.grid.packed import PackedCells
from ctm.grid.tokenizer import PAD


def collate(
    states: Sequence[PackedCells], diagnoses: Sequence[tuple[int, int]], multiple: int = 1
) -> dict[str, NDArray[np.int64]]:
    """tokens, rows, cols int64 [B, N]; lengths int64 [B], the END cell included; diagnosis int64 [B, 2].

    N is the longest length, rounded up to a multiple (few different N let kernels be reused).
    """
    lengths = np.array([len(s.tokens) for s in states], dtype=np.int64)
    shape = (len(states), -(-int(lengths.max()) // multiple) * multiple)
    arrays = {name: np.full(shape, PAD, dtype=np.int64) for name in ("tokens", "rows", "cols")}
    for place, state in enumerate(states):
        arrays["tokens"][place, : lengths[place]] = state.tokens
        arrays["rows"][place, : lengths[place]] = state.rows
        arrays["cols"][place, : lengths[place]] = state.cols
    return {**arrays, "lengths": lengths, "diagnosis": np.array(diagnoses, dtype=np.int64).reshape(-1, 2)}


def by_length(lengths: Sequence[int], max_cells: int, max_size: int) -> list[list[int]]:
    """Indices in batches of similar length.

    At most `max_size` a batch and at most `max_cells` padded cells, but one at least.
    """
    batches: list[list[int]] = []
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and (len(batch) == max_size or (len(batch) + 1) * lengths[index] > max_cells):
            batches.append(batch)
            batch = []
        batch.append(index)
    if batch:
        batches.append(batch)
    return batches
