"""How items become figures: a category is the mean over its kinds, overall the mean over the categories tested.

So a kind with many items weighs no more than one with few. Clean code stands apart from the overall figure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ctm.pairs.record import CATEGORIES

CLEAN = "clean"
OVERALL = "overall"
FIGURES = ("syntax", "logic", "security", "complex", CLEAN, OVERALL)
"""What every figure by category has, null where nothing was tested."""


def averages(
    category: NDArray[np.str_], kind: NDArray[np.str_], values: NDArray[np.generic]
) -> dict[str, NDArray[np.float64]]:
    """Mean of values [n, ...] by category and "overall", in the shape [...]; categories without items are absent."""
    means: dict[str, NDArray[np.float64]] = {}
    for name in CATEGORIES:
        mine = category == name
        kinds = sorted(set(kind[mine].tolist()))
        if kinds:
            means[name] = np.mean([values[mine & (kind == k)].mean(axis=0) for k in kinds], axis=0)
    tested = [mean for name, mean in means.items() if name != CLEAN]
    if tested:
        means[OVERALL] = np.mean(tested, axis=0)
    return means


def shares(
    category: NDArray[np.str_], kind: NDArray[np.str_], holds: Sequence[bool]
) -> dict[str, float | None]:
    """Share of items that hold, by FIGURES; None where nothing was tested."""
    means = averages(category, kind, np.asarray(holds, dtype=np.float64))
    return {name: float(means[name]) if name in means else None for name in FIGURES}


def counts(category: NDArray[np.str_]) -> dict[str, int]:
    """Number of items, by FIGURES; overall is all but clean."""
    n = {name: int((category == name).sum()) for name in FIGURES if name != OVERALL}
    return {**n, OVERALL: sum(n.values()) - n[CLEAN]}
