"""Figures of one set of items, each with its 95 % interval: means, shares, differences, areas under the curve.

All are drawn again with the same draws of projects (and of items, see `ctm.repair.intervals`), so that a difference is
one of the same items. A figure is a mapping {"value", "interval", "n", "projects"}; one that cannot be had has the
value None and says `why`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.repair.intervals import TAIL, Floats, draw_units, interval, ratios, units_of

Figure = dict[str, Any]
"""{"value", "interval": [low, high] or None, "n", "projects"}, and "why" where the value is None."""


def no_figure(why: str, n: int = 0) -> Figure:
    """A figure that cannot be had."""
    return {"value": None, "interval": None, "n": n, "projects": None, "why": why}


class Resampling:
    """Draws of the projects that n items are of, and of the items themselves."""

    def __init__(self, projects: Sequence[str]) -> None:
        self.units = units_of(projects)
        self._drawn: list[Floats] = []
        if not len(self.units):
            return
        count = int(self.units.max()) + 1
        self._drawn.append(_multiplicities(count)[:, self.units])
        if count < len(self.units):
            self._drawn.append(_multiplicities(len(self.units)))

    def share(self, holds: NDArray[Any]) -> Figure:
        """The share of items that hold, of `holds` [n]: 0 or 1, NaN left out."""
        values = np.asarray(holds, np.float64)
        if np.isnan(values).all():
            return no_figure("no items")
        ends = interval(values, self.units, [_means(values, drawn) for drawn in self._drawn])
        return self._figure(float(np.nanmean(values)), ends, ~np.isnan(values))

    def mean(self, values: NDArray[Any]) -> Figure:
        """The mean of values [n] of any size, NaN left out."""
        values = np.asarray(values, np.float64)
        if np.isnan(values).all():
            return no_figure("no items")
        counted = ~np.isnan(values)
        ends = self._ends([_means(values, drawn) for drawn in self._drawn], counted)
        return self._figure(float(np.nanmean(values)), ends, counted)

    def difference(self, one: NDArray[Any], other: NDArray[Any]) -> Figure:
        """How much larger the share of `one` is than that of `other`, both as in `share`, of items that have both.

        Where the two agree about every item no draw differs: the ends are those of the exact binomial bound.
        """
        values = np.asarray(one, np.float64) - np.asarray(other, np.float64)
        found = self.mean(values)
        if found["interval"] is not None and not np.nan_to_num(values).any():
            open_end = 1 - TAIL ** (1 / found["projects"])
            found["interval"] = [-open_end, open_end]
        return found

    def auroc(self, score: NDArray[Any], right: NDArray[Any]) -> Figure:
        """How often an item that holds has a higher score [n] than one that does not; a tie counts half."""
        right = np.asarray(right, bool)
        if right.all() or not right.any():
            return no_figure("all items are right" if right.any() else "no item is right", len(right))
        everyone = np.ones(len(right), bool)
        value = float(_aurocs(score, right, np.ones((1, len(right))))[0])
        ends = self._ends([_aurocs(score, right, drawn) for drawn in self._drawn], everyone)
        return self._figure(value, ends, everyone)

    def auroc_difference(self, one: NDArray[Any], other: NDArray[Any], right: NDArray[Any]) -> Figure:
        """How much larger the area of the score `one` is than that of `other`, as in `auroc`."""
        right = np.asarray(right, bool)
        if right.all() or not right.any():
            return no_figure("all items are right" if right.any() else "no item is right", len(right))
        plain, everyone = np.ones((1, len(right))), np.ones(len(right), bool)
        value = float((_aurocs(one, right, plain) - _aurocs(other, right, plain))[0])
        drawn = [_aurocs(one, right, each) - _aurocs(other, right, each) for each in self._drawn]
        return self._figure(value, self._ends(drawn, everyone), everyone)

    def _ends(self, drawn: Sequence[Floats], counted: NDArray[np.bool_]) -> tuple[float, float] | None:
        """The farther ends of drawing projects and drawing items; None for fewer than two projects."""
        if len(np.unique(self.units[counted])) < 2:
            return None
        ends = np.array([np.nanquantile(each, [TAIL, 1 - TAIL]) for each in drawn])
        return float(ends[:, 0].min()), float(ends[:, 1].max())

    def _figure(self, value: float, ends: tuple[float, float] | None, counted: NDArray[np.bool_]) -> Figure:
        projects = len(np.unique(self.units[counted]))
        return {
            "value": value, "interval": None if ends is None else list(ends), "n": int(counted.sum()),
            "projects": projects,
        }  # fmt: skip


def _multiplicities(count: int) -> Floats:
    """How often each of `count` units is drawn, [DRAWS, count]."""
    return draw_units(np.eye(count), np.arange(count))


def _means(values: Floats, drawn: Floats) -> Floats:
    counted = ~np.isnan(values)
    return ratios(drawn @ np.where(counted, values, 0.0), drawn @ counted.astype(np.float64))


def _aurocs(score: NDArray[Any], right: NDArray[np.bool_], drawn: Floats) -> Floats:
    """The area in every draw, [draws], of items that are drawn so often, [draws, n]; NaN where one sort is missing."""
    order = np.argsort(score, kind="stable")
    sorted_score = np.asarray(score)[order]
    begins = np.flatnonzero(np.r_[True, sorted_score[1:] != sorted_score[:-1]])  # of each value
    hits = np.add.reduceat(np.where(right[order], drawn[:, order], 0.0), begins, axis=1)
    misses = np.add.reduceat(np.where(right[order], 0.0, drawn[:, order]), begins, axis=1)
    below = np.cumsum(misses, axis=1) - misses
    return ratios((hits * (below + misses / 2)).sum(axis=1), hits.sum(axis=1) * misses.sum(axis=1))
