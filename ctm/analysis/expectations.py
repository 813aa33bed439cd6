"""What the specification expects of the ticks of each category, scaled to T, beside what was found.

Its ticks are of 64: syntax is solved by 16, logic takes 32 to 48, complex bugs benefit from all 64. A category counts
as solved at the first tick whose accuracy is within a point of the best tick's; later ones add next to nothing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ctm.analysis.tick_table import TickTable
from ctm.evaluation.averages import gains
from ctm.pairs.overall import averages

OF = 64
"""Ticks of the specification's model."""
NEAR = 0.01
"""Accuracy below the best tick's that counts as reached."""


def expectations(table: TickTable) -> list[dict[str, Any]]:
    """A row each: category, what is expected, what was found, whether it is met; None: not tested here."""
    by_tick = averages(table.category, table.kind, table.right.astype(np.float64))
    ticks = table.ticks

    def scaled(of_64: int) -> int:
        return max(1, math.ceil(ticks * of_64 / OF))

    rows = []
    for category, low, high in (("syntax", 1, 16), ("logic", 32, 48)):
        values, wanted = by_tick.get(category), (scaled(low), scaled(high))
        row: dict[str, Any] = {
            "category": category,
            "ticks": list(wanted),
            "found": None,
            "met": None,
            "why": "",
        }
        row["expected"] = f"within a point of its best at ticks {wanted[0]} to {wanted[1]} of {ticks}"
        if values is None or not values.any():
            row["why"] = "no item" if values is None else "right at no tick"
        else:
            row["found"] = int((values >= values.max() - NEAR).argmax()) + 1
            row["met"] = wanted[0] <= row["found"] <= wanted[1]
        rows.append(row)
    return [*rows, _complex(table, scaled(48))]


def _complex(table: TickTable, before: int) -> dict[str, Any]:
    """Whether the last quarter of the ticks gains: the interval of the change must lie above 0."""
    row: dict[str, Any] = {
        "category": "complex", "ticks": [before, table.ticks], "found": None, "met": None, "why": "",
        "expected": f"more right at tick {table.ticks} than at tick {before}",
    }  # fmt: skip
    mine = table.category == "complex"
    if before == table.ticks or not mine.any():
        return {**row, "why": "no item" if before < table.ticks else "too few ticks"}
    earlier, last = table.right[:, before - 1], table.right[:, -1]
    gain = gains(table.category, table.kind, table.projects, earlier, last)["complex"]
    if gain["interval"] is None:  # `gains` has none for two reasons
        changed = (earlier != last)[mine].any()
        why = "fewer than two projects" if changed else "no item is right at one of the two ticks alone"
        return {**row, "found": gain, "why": why}
    return {**row, "found": gain, "met": gain["interval"][0] > 0}
