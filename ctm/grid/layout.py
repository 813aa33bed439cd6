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


Ids = Sequence[int] | NDArray[np.uint16]


def layout(ids: Ids) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of every packed cell, int64 [L]. Raises DoesNotFit when the text needs more than 64 rows."""
    return cell_positions(np.asarray(ids, dtype=np.int64), np.array([len(ids)]))


def cell_positions(
    cells: NDArray[np.integer], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of every cell of several texts, one after the other; counts: cells of each text.

    Raises DoesNotFit when one needs more than 64 rows.
    """
    size = len(cells)
    begins = np.cumsum(counts) - counts
    opens = np.zeros(size + 1, dtype=bool)  # whether a line begins here
    opens[1:] = cells == EOL
    opens[begins] = True
    starts = np.flatnonzero(opens[:size])
    line = np.cumsum(opens[:size]) - 1
    within = np.arange(size) - starts[line]
    # the first row of a line holds 48 cells, each that continues it 47 behind its CONT
    more = np.maximum(within - 1, 0) // (COLS - 1)
    lengths = np.diff(starts, append=size)
    taken = 1 + np.maximum(lengths - 2, 0) // (COLS - 1)
    before = np.cumsum(taken) - taken
    filled = counts > 0
    first = np.zeros(len(counts), dtype=np.int64)  # rows of all texts before
    first[filled] = before[line[begins[filled]]]
    rows, cols = before[line] + more - np.repeat(first, counts), within - more * (COLS - 1)
    if size and (most := int(rows.max())) >= ROWS:
        raise DoesNotFit(most + 1)
    return rows, cols


def check_fits(ids: Sequence[int]) -> None:
    """Raises DoesNotFit where `layout` does; most texts are so far from it that counting their lines shows it."""
    if ids.count(EOL) + 1 + len(ids) // (COLS - 1) <= ROWS:
        return
    rows = start = 0
    while start < len(ids):
        try:
            end = ids.index(EOL, start) + 1
        except ValueError:
            end = len(ids)
        rows += 1 + max(end - start - 2, 0) // (COLS - 1)
        start = end
    if rows > ROWS:
        raise DoesNotFit(rows)


def to_grid(ids: Ids) -> NDArray[np.uint16]:
    """uint16 [64, 48]; absent cells are PAD. Raises DoesNotFit."""
    return to_grids([ids])[0]


def to_grids(texts: Sequence[Ids]) -> NDArray[np.uint16]:
    """The grids of several texts, uint16 [n, 64, 48]. Raises DoesNotFit."""
    counts = np.array([len(ids) for ids in texts], dtype=np.int64)
    cells = np.concatenate([np.asarray(ids, dtype=np.uint16) for ids in texts])
    rows, cols = cell_positions(cells, counts)
    grids = np.full((len(texts), ROWS, COLS), PAD, dtype=np.uint16)
    grids[np.repeat(np.arange(len(texts)), counts), rows, cols] = cells
    grids[:, :, 0][(grids[:, :, 0] == PAD) & (grids[:, :, 1] != PAD)] = CONT
    return grids


def from_grid(grid: NDArray[np.uint16]) -> list[int]:
    """Packed ids of a grid uint16 [64, 48]: the exact inverse of `to_grid`."""
    flat = grid.reshape(-1)
    return list(map(int, flat[(flat != PAD) & (flat != CONT)]))
