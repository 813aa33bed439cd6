"""Spearman's rank correlation with an interval by projects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ctm.repair.intervals import TAIL, Floats, draw_units, units_of

FEWEST = 20
"""Items from which on a correlation is told."""


def rank_correlation(
    x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]], projects: Sequence[str]
) -> dict[str, Any]:
    """{"n", "correlation", "interval"} of the items that have both; NaN is left out.

    The interval is 95 %, each end the farther one of drawing projects and drawing items, with the ranks of the whole
    set: ranking anew in every draw takes a hundred times as long. Null where fewer than FEWEST items have both, where
    one of them is the same for all, and, the interval, for fewer than two projects.
    """
    both = ~np.isnan(x) & ~np.isnan(y)
    nothing = {"n": int(both.sum()), "correlation": None, "interval": None}
    if both.sum() < FEWEST:
        return nothing
    a, b = (rankdata(values[both]) / both.sum() for values in (x, y))
    if not np.ptp(a) or not np.ptp(b):
        return nothing
    units = units_of([project for project, counts in zip(projects, both, strict=True) if counts])
    table = np.stack([np.ones_like(a), a, b, a * a, b * b, a * b], axis=1)
    found = {**nothing, "correlation": float(_pearson(table.sum(axis=0)[None])[0])}
    if units.max() < 1:
        return found
    drawn = [_pearson(draw_units(table, of)) for of in (units, np.arange(len(units)))]
    ends = np.array([np.nanquantile(values, [TAIL, 1 - TAIL]) for values in drawn])
    return {**found, "interval": (float(ends[:, 0].min()), float(ends[:, 1].max()))}


def _pearson(sums: Floats) -> Floats:
    """Of every row of sums of 1, a, b, a², b², ab; NaN where one of them does not vary."""
    n, a, b, aa, bb, ab = sums.T
    spread = (n * aa - a * a) * (n * bb - b * b)
    return np.where(spread > 1e-12, (n * ab - a * b) / np.sqrt(np.where(spread > 1e-12, spread, 1)), np.nan)
