"""Answers with a score each, and how figures of them vary: the ground that reliability and selection stand on.

A score says how sure an answer is; nothing here asks whether it is a probability. Figures that depend on the order of
scores are worked out of counts: answers and right answers at each level of the score, in any number of draws at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ctm.repair.intervals import Floats, draw_items, draw_units, units_of

BINS = 15
"""Of equal mass, for the calibration error and its diagram."""
LEVELS = 200
"""Levels of the score in the draws, at most: equal shares of the answers. Intervals need no finer order."""


@dataclass(frozen=True)
class Counts:
    """Answers and right ones at G levels of the score, from the lowest up; of one set, [G], or of draws, [D, G]."""

    n: Floats
    right: Floats

    @property
    def wrong(self) -> Floats:
        """The others."""
        return self.n - self.right


@dataclass(frozen=True)
class Scored:
    """n answers."""

    score: Floats
    """How sure each is, 0 to 1, [n]."""
    right: NDArray[np.bool_]
    """Whether the event that the score is about came true, [n]."""
    projects: Sequence[str]
    """What each was taken from, "" where unknown, n of them."""

    def __post_init__(self) -> None:
        """Refuse scores that are none."""
        if len(self.score) and not (
            np.isfinite(self.score).all() and 0 <= self.score.min() <= self.score.max() <= 1
        ):
            raise ValueError("scores must be from 0 to 1; there is one that is not")

    def __len__(self) -> int:
        return len(self.score)

    @cached_property
    def units(self) -> NDArray[np.int64]:
        """Number of each answer's project, or of the answer itself where it has none, [n]."""
        return units_of(self.projects)

    @cached_property
    def levels(self) -> NDArray[np.int64]:
        """Which level of the draws each answer is on, from 0, the lowest scores first, [n]."""
        return np.unique(equal_mass(self.score, LEVELS), return_inverse=True)[1]

    @property
    def is_of_many(self) -> bool:
        """Whether there are two projects, or answers without any; of one alone no interval can be given."""
        return len(self) > 0 and int(self.units.max()) > 0

    @property
    def counts(self) -> Counts:
        """A level for each score that occurs, [G]."""
        place = np.unique(self.score, return_inverse=True)[1]
        right = np.bincount(place, self.right.astype(np.float64)).astype(np.float64)
        return Counts(np.bincount(place).astype(np.float64), right)

    @cached_property
    def draws(self) -> list[Counts]:
        """Counts [DRAWS, G] in draws of single answers, and in those of whole projects; empty unless `is_of_many`."""
        if not self.is_of_many:
            return []
        count = int(self.levels.max()) + 1
        cells = np.zeros((int(self.units.max()) + 1, 2 * count))
        np.add.at(cells, (self.units, self.levels + count * self.right), 1)
        drawn = [draw_items(cells.sum(axis=0))]
        if len(cells) < len(self):
            drawn.append(draw_units(cells, np.arange(len(cells))))
        return [Counts(one[:, :count] + one[:, count:], one[:, count:]) for one in drawn]


def equal_mass(values: NDArray[np.floating[Any]], bins: int) -> NDArray[np.int64]:
    """Which of `bins` bins each of the values [n] is in, from 0, lowest values first, as many values in each.

    Equal values are in one bin, the one of their middle rank, so bins may differ in size or stay empty.
    """
    ranks = rankdata(values, method="average")
    return np.minimum((ranks - 0.5) / max(len(values), 1) * bins, bins - 1).astype(np.int64)


def equal_mass_error(
    score: NDArray[np.floating[Any]], right: NDArray[np.bool_], bins: int = BINS
) -> float | None:
    """Expected calibration error: mean |mean score - share right| over bins of equal mass, weighted by answers.

    Scores crowd near 1, where bins of equal width would hold nearly all of them. Of answers with equal scores the order
    says nothing, so it never divides them (`equal_mass`). None without answers.
    """
    if not len(score):
        return None
    gaps = np.bincount(equal_mass(score, bins), score.astype(np.float64) - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(score))
