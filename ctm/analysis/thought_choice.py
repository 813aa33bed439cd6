"""Chooses the item whose thought is shown: short enough to be read on a picture, and one that shows thinking.

The order is fixed, so that a run has one choice: real fixes before made bugs; of each, items that turn right once,
in the middle half of the ticks, and gain most certainty, or what comes nearest. Where none is right in the end, the
shortest text is shown, wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ctm.evaluation.items import read_items
from ctm.pairs.record import Pair, read_pairs

SUITES = ("real", "test")
MIN_LINES, MAX_LINES, MAX_COLUMNS = 5, 12, 58
"""Of a text that says something, and is legible in a picture of 1,000 pixels, and where that is shrunk to 390."""


def choose(items: Path, suites: Mapping[str, Path]) -> tuple[str, Pair]:
    """The suite's name and the pair whose thought is shown.

    items: what the benchmark wrote. suites: Parquet files of pairs by the names of SUITES.
    Raises ValueError if the model was asked about no broken item.
    """
    best: tuple[tuple[object, ...], str, Pair] | None = None
    rows = {(row["suite"], row["id"]): row for row in read_items(items).to_pylist()}
    for suite in SUITES:
        for pair in read_pairs(suites[suite]):
            row = rows.get((suite, pair.pair_id))
            if row is None or not row["tick_right"] or not row["edits"]:
                continue
            right, certainty = np.array(row["tick_right"]), np.array(row["tick_certainty"])
            key = (*_key(pair, right, certainty, SUITES.index(suite), row["edits"]), pair.pair_id)
            if best is None or key < best[0]:
                best = key, suite, pair
    if best is None:
        raise ValueError(
            f"{items}: the model was asked about no broken item, so there is no thought to show; look at the column "
            "`reason` of the items"
        )
    return best[1:]


def _key(
    pair: Pair, right: NDArray[np.bool_], certainty: NDArray[np.float32], suite: int, edits: int
) -> tuple[float, ...]:
    """What sorts items: the smallest is shown."""
    lines = pair.buggy.rstrip("\n").split("\n")
    wide = max(map(len, lines))
    legible = MIN_LINES <= len(lines) <= MAX_LINES and wide <= MAX_COLUMNS and pair.buggy.isascii()
    if not (right[certainty.argmax()] and right[-1]):
        return (not legible, True, suite, len(pair.buggy))
    wrong = np.flatnonzero(~right)
    settled = int(wrong[-1]) + 1 if len(wrong) else 0  # ticks until it stays right
    changes = int((right[1:] != right[:-1]).sum())
    early_or_late = abs(settled - len(right) / 2) > len(right) / 4
    gain = round(float(certainty.max() - certainty[0]), 2)
    return (not legible, False, suite, changes == 0, early_or_late, changes, edits > 1, -gain)
