"""Accuracy of a category and over all of them: the one formula of milestones, benchmark and comparison.

A category is the mean over its kinds, overall the mean over the categories tested. So a kind with many items weighs no
more than one with few. A kind of fewer than FEWEST items is rare: it weighs as many tenths of a kind as it has items,
or a single item could move its category by as much as forty of another kind do. Put otherwise, rare kinds are pooled,
and the pool counts as one kind for every ten items. Clean code stands apart from the overall figure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.pairs.record import CATEGORIES

CLEAN = "clean"
OVERALL = "overall"
FEWEST = 10
"""Items from which on a kind weighs as much as any other."""


def averages(
    category: NDArray[np.str_], kind: NDArray[Any], values: NDArray[np.generic]
) -> dict[str, NDArray[np.float64]]:
    """Mean of values [n, ...] by category and "overall", in the shape [...]; categories without items are absent.

    category, kind: of each item, [n]; a kind is a name or a number.
    """
    means: dict[str, NDArray[np.float64]] = {}
    for name in CATEGORIES:
        mine = category == name
        if mine.any():
            _, places, n = np.unique(kind[mine], return_inverse=True, return_counts=True)
            means[name] = np.average(values[mine], axis=0, weights=1 / np.maximum(n, FEWEST)[places])
    tested = [mean for name, mean in means.items() if name != CLEAN]
    if tested:
        means[OVERALL] = np.mean(tested, axis=0)
    return means
