"""Packed cells <-> the 64x48 grid.

A row is a source line; a line longer than its row goes on in the next, whose first cell is CONT. CONT and PAD carry
no information, so a place in the grid follows from the packed ids alone (`layout`) and packing just drops both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ctm.grid.tokenizer import CONT, EOL, PAD

ROWS, COLS = 64, 48


class DoesNotFit(ValueError):
    """The text needs more rows than the grid has. `reason` is a fixed phrase, for counting."""

    def __init__(self, rows: int) -> None:
        self.reason = "more than 64 rows"
        super().__init__(f"{self.reason}: the text needs {rows}")


def layout(
    ids: Sequence[int] | NDArray[np.uint16],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of every packed cell, int64 [L]. Raises DoesNotFit when the text needs more than 64 rows."""
    cells = np.asarray(ids, dtype=np.int64)
    ends = np.flatnonzero(cells == EOL) + 1
    starts = np.concatenate([[0], ends])
    line = np.zeros(len(cells) + 1, dtype=np.int64)
    line[ends] = 1
    line = np.cumsum(line)[:-1]
    within = np.arange(len(cells)) - starts[line]
    # the first row of a line holds 48 cells, each that continues it 47 behind its CONT
    more = np.maximum(within - 1, 0) // (COLS - 1)
    lengths = np.diff(np.append(starts, len(cells)))
    before = np.concatenate([[0], np.cumsum(1 + np.maximum(lengths - 2, 0) // (COLS - 1))])
    rows, cols = before[line] + more, within - more * (COLS - 1)
    if len(cells) and rows[-1] >= ROWS:
        raise DoesNotFit(int(rows[-1]) + 1)
    return rows, cols


def to_grid(ids: Sequence[int] | NDArray[np.uint16]) -> NDArray[np.uint16]:
    """uint16 [64, 48]; absent cells are PAD. Raises DoesNotFit."""
    rows, cols = layout(ids)
    grid = np.full((ROWS, COLS), PAD, dtype=np.uint16)
    grid[rows, cols] = ids
    grid[(grid[:, 0] == PAD) & (grid[:, 1] != PAD), 0] = CONT
    return grid


def from_grid(grid: NDArray[np.uint16]) -> list[int]:
    """Packed ids of a grid uint16 [64, 48]: the exact inverse of `to_grid`."""
    flat = grid.reshape(-1)
    return list(map(int, flat[(flat != PAD) & (flat != CONT)]))
