"""95 % intervals of shares and means by bootstrap: whole projects are drawn with replacement, or else items.

Items of one project are alike, so they are no independent witnesses: what counts is how many projects there are. A
bootstrap of a handful of them is too sure, so each end is the farther one of drawing projects and drawing items; of a
single project nothing can be said. Where no item differs from another, no draw does: the end that this leaves open is
that of as many tosses of a coin as there are units (the exact binomial bound, the "rule of three").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
DRAWS = 2000
SEED = 0
TAIL = (1 - LEVEL) / 2

Interval = tuple[float, float]
Floats = NDArray[np.float64]


def units_of(projects: Sequence[str]) -> NDArray[np.int64]:
    """Number of every item's unit: its project, or a unit of its own for an item with ""."""
    names = [project or f"\0{place}" for place, project in enumerate(projects)]
    return np.unique(np.array(names, dtype=np.str_), return_inverse=True)[1]


def intervals_of_means(table: Floats, projects: Sequence[str]) -> list[Interval | None]:
    """Of the mean of each column of `table` [n, k], values of 0 to 1; NaN is left out."""
    n, k = table.shape
    if not n:
        return [None] * k
    units, counted = units_of(projects), ~np.isnan(table)
    both = np.hstack([np.where(counted, table, 0.0), counted])
    drawn = [draw_units(both, units)] + ([draw_units(both, np.arange(n))] if units.max() + 1 < n else [])
    means = [ratios(sums[:, :k], sums[:, k:]) for sums in drawn]
    return [interval(table[:, place], units, [mean[:, place] for mean in means]) for place in range(k)]


def draw_units(table: Floats, units: NDArray[np.int64]) -> Floats:
    """Sums of the columns of `table` [n, k] in every draw of units, [DRAWS, k]."""
    count = int(units.max()) + 1
    by_unit = np.stack([np.bincount(units, column, minlength=count) for column in table.T], axis=1)
    rng = np.random.default_rng(SEED)
    drawn = (rng.integers(count, size=count) for _ in range(DRAWS))
    return np.stack([np.bincount(chosen, minlength=count) @ by_unit for chosen in drawn])


def draw_items(counts: Floats) -> Floats:
    """Items of each of k sorts in every draw of single items, [DRAWS, k], from how many there are, [k]."""
    n = int(counts.sum())
    return np.random.default_rng(SEED).multinomial(n, counts / n, size=DRAWS).astype(np.float64)


def interval(values: Floats, units: NDArray[np.int64], drawn: Sequence[Floats]) -> Interval | None:
    """Of a mean of `values` [n], NaN left out, that is `drawn` [DRAWS] in the draws; None for fewer than two units."""
    counted = ~np.isnan(values)
    count = len(np.unique(units[counted]))
    if count < 2:
        return None
    if (values[counted] == 0).all():
        return 0.0, 1 - TAIL ** (1 / count)
    if (values[counted] == 1).all():
        return TAIL ** (1 / count), 1.0
    return farther_ends(drawn)


def farther_ends(drawn: Sequence[Floats]) -> Interval:
    """The farther one of each end of the draws [DRAWS] of every way of drawing; NaN left out."""
    ends = np.array([np.nanquantile(means, [TAIL, 1 - TAIL]) for means in drawn])
    return float(ends[:, 0].min()), float(ends[:, 1].max())


def ratios(sums: Floats, counts: Floats) -> Floats:
    """sums / counts; NaN for a draw that has nothing to count."""
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
