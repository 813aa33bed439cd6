"""How many edits of working code are proposed per 1,000 functions, with an interval.

Functions of one project are alike, so whole projects are drawn; of few edits that is too narrow, so each end is the
farther one of that and of the count's own (Poisson). No torch: whatever asks for edits can count them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.9
"""Of the intervals: above the upper end is the truth once in twenty times."""
DRAWS = 2000
"""Of the bootstrap."""


@dataclass(frozen=True)
class Rate:
    """Edits proposed on working code, per 1,000 functions (windows that the model is asked about)."""

    per_1000: float | None
    low: float | None
    high: float | None
    proposals: int
    windows: int
    projects: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Proposals and windows of each."""


def rate(proposed: NDArray[np.bool_], projects: Sequence[str], seed: int) -> Rate:
    """Proposals per 1,000 functions with their interval; proposed: bool [n], projects: of each function."""
    if not len(proposed):
        return Rate(None, None, None, 0, 0)
    names = np.array(projects)
    low, high = ProjectBootstrap(projects, seed).interval(proposed)
    table = {
        name: (int(proposed[names == name].sum()), int((names == name).sum()))
        for name in sorted(set(projects))
    }
    return Rate(1000 * float(proposed.mean()), low, high, int(proposed.sum()), len(proposed), table)


class ProjectBootstrap:
    """Draws whole projects, always the same ones."""

    def __init__(self, projects: Sequence[str], seed: int) -> None:
        names, self.of = np.unique(np.array(projects), return_inverse=True)
        self.sizes = np.bincount(self.of, minlength=len(names))
        rng = np.random.default_rng(seed)
        self.draws = rng.integers(len(names), size=(DRAWS, len(names)))

    def interval(self, proposed: NDArray[np.bool_]) -> tuple[float, float]:
        """Proposals per 1,000: the wider of the bootstrap's interval and that of the count (Poisson), on each side."""
        counts = np.bincount(self.of, weights=proposed, minlength=len(self.sizes))
        rates = counts[self.draws].sum(axis=1) / self.sizes[self.draws].sum(axis=1)
        low, high = np.quantile(rates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        total, functions = int(proposed.sum()), len(proposed)
        return (
            1000 * min(float(low), fewest(total) / functions),
            1000 * min(1.0, max(float(high), most(total) / functions)),
        )


def most(count: int) -> float:
    """Upper end of the interval of a Poisson mean of which `count` were seen."""
    return _mean_with(lambda mean: _at_most(count, mean) < (1 - LEVEL) / 2)


def fewest(count: int) -> float:
    """Lower end of the interval of a Poisson mean of which `count` were seen."""
    return _mean_with(lambda mean: 1 - _at_most(count - 1, mean) > (1 - LEVEL) / 2) if count else 0.0


def _mean_with(is_above: Any) -> float:
    low, high = 0.0, 1.0
    while not is_above(high):
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if is_above(middle) else (middle, high)
    return high


def _at_most(count: int, mean: float) -> float:
    """Probability of at most `count` events."""
    return sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))
