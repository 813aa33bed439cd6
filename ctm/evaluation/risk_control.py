"""A certainty at which thoughts may end, with a promise: at most so many right answers are lost, at such a confidence.

Learn then Test (arXiv 2110.01052) with a fixed sequence: thresholds are tried from the strictest down, each with an
upper bound of the share of items that were right after all ticks and are wrong where the thought ends. The first one
whose bound is above what is allowed ends the search, so no correction for the number of tries is needed. The grid is
fixed before anything is seen. What early answers gain is not counted against what they lose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from ctm.evaluation.calibrate import answering_ticks
from ctm.model.inference import RUN_ALL_TICKS
from ctm.repair.intervals import draw_units, units_of

GRID = tuple(1 - 10 ** (-step / 20) for step in range(100, -1, -1))
"""Certainties that are tried, strictest first: 0.99999 to 0, finer towards 1, where those of trained models lie."""


@dataclass(frozen=True)
class CertifiedExit:
    """What was found for one allowed loss."""

    allowed: float
    """Share of right answers, of all items, that may be lost."""
    threshold: float | None
    """Certainty that ends a thought; None: no threshold keeps the promise on so few items."""
    bound: float
    """Upper bound of the loss at the threshold; where there is none, at the strictest that was tried."""
    ticks_mean: float
    """Ticks that a thought of these items then takes."""
    items: int


def certify(
    right: NDArray[np.bool_],
    certainty: NDArray[np.float32],
    projects: Sequence[str],
    allowed: Sequence[float],
    confidence: float,
) -> list[CertifiedExit]:
    """For each allowed loss the lowest threshold that keeps to it, by validation items [n, T] of `projects` [n]."""
    n, ticks = right.shape
    bounds: list[float] = []
    before: NDArray[np.bool_] | None = None
    most = max(allowed, default=0.0)
    for threshold in GRID:
        losses = lost(right, certainty, threshold)
        same = before is not None and np.array_equal(losses, before)
        bounds.append(bounds[-1] if same else loss_bound(losses, projects, confidence))
        before = losses
        if bounds[-1] > most:
            break
    chosen = []
    for limit in allowed:
        passed = next((place for place, bound in enumerate(bounds) if bound > limit), len(bounds))
        if passed:
            _, taken = answering_ticks(certainty, GRID[passed - 1])
            mean = float(taken.mean())
            chosen.append(CertifiedExit(limit, GRID[passed - 1], bounds[passed - 1], mean, n))
        else:
            chosen.append(CertifiedExit(limit, None, bounds[0], float(ticks), n))
    return chosen


def lost(right: NDArray[np.bool_], certainty: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """[n]: right at the tick that answers after all ticks, wrong at the one that `threshold` ends the thought at."""
    rows = np.arange(len(right))
    whole, early = (right[rows, answering_ticks(certainty, t)[0]] for t in (RUN_ALL_TICKS, threshold))
    return whole & ~early


def loss_bound(losses: NDArray[np.bool_], projects: Sequence[str], confidence: float) -> float:
    """Upper bound, at `confidence`, of the share that is lost: the higher one of the exact binomial bound of the items
    (Clopper and Pearson) and of drawing projects with replacement. 1 for no item, and for fewer than two projects: the
    items of one say nothing of others.
    """
    n, k = len(losses), int(losses.sum())
    if not n or k == n:
        return 1.0
    units = units_of(projects)
    if units.max() < 1:
        return 1.0
    exact = float(beta.ppf(confidence, k + 1, n - k))
    sums = draw_units(np.stack([losses, np.ones(n)], axis=1).astype(np.float64), units)
    return max(exact, float(np.quantile(sums[:, 0] / sums[:, 1], confidence)))


def items_needed(allowed: float, confidence: float) -> int:
    """Fewest items on which a loss of `allowed` can be promised at all: none of them may be lost."""
    return int(np.ceil(np.log(1 - confidence) / np.log(1 - allowed)))
