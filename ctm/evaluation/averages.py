"""Averages of items: a category is the mean over its kinds, overall the mean over the tested categories.

The formula is in `ctm.pairs.overall`; averages over items stand beside it, and each has its interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.pairs.overall import CLEAN, FEWEST, OVERALL, averages
from ctm.pairs.record import CATEGORIES
from ctm.repair.intervals import LEVEL, Floats, Interval, draw_items, draw_units, interval, ratios, units_of

FIGURES = ("syntax", "logic", "security", "complex", CLEAN, OVERALL)
"""What every figure by category has, null where nothing was tested."""
SHARES = ("accuracy", "accuracy_by_items")
"""The mean over kinds, and that over items."""


def shares(
    category: NDArray[np.str_], kind: NDArray[np.str_], holds: Sequence[float]
) -> dict[str, float | None]:
    """Share of items that hold, by FIGURES; None where nothing was tested. Of several trainings: means of 0 to 1."""
    means = averages(category, kind, np.asarray(holds, dtype=np.float64))
    return {name: float(means[name]) if name in means else None for name in FIGURES}


def shares_of_items(category: NDArray[np.str_], holds: Sequence[float]) -> dict[str, float | None]:
    """The same with every item alike, whatever its kind; overall is of all items but clean ones."""
    values = np.asarray(holds, dtype=np.float64)
    found = {name: values[_mine(category, name)] for name in FIGURES}
    return {name: float(items.mean()) if len(items) else None for name, items in found.items()}


def accuracy(
    category: NDArray[np.str_], kind: NDArray[np.str_], projects: Sequence[str], holds: Sequence[bool]
) -> dict[str, Any]:
    """Shares by kinds and by items, and the interval of each, by FIGURES; projects: of every item, "" for none."""
    return {
        "accuracy": shares(category, kind, holds),
        "accuracy_by_items": shares_of_items(category, holds),
        "intervals": {
            "level": LEVEL,
            "units": units_by_figure(category, projects),
            **intervals(category, kind, projects, holds),
        },
    }


def intervals(
    category: NDArray[np.str_], kind: NDArray[np.str_], projects: Sequence[str], holds: Sequence[bool]
) -> dict[str, dict[str, Interval | None]]:
    """Of the shares by kinds ("accuracy") and by items ("accuracy_by_items"); None for fewer than two projects.

    Kinds are weighed anew in every draw, by the items that it has of them.
    """
    if not len(category):
        return {title: dict.fromkeys(FIGURES) for title in SHARES}
    units, values = units_of(projects), np.asarray(holds, dtype=np.float64)
    sorts, of = np.unique(np.stack([category, kind]), axis=1, return_inverse=True)
    k = sorts.shape[1]
    cells = np.zeros((int(units.max()) + 1, 2 * k))
    np.add.at(cells, (units, of.reshape(-1) + k * (values == 1)), 1)
    drawn = [
        shares_in_draws(sorts[0], draws[:, :k], draws[:, k:])
        for draws in (draw_units(cells, np.arange(len(cells))), draw_items(cells.sum(axis=0)))
    ]
    counted = {name: np.where(_mine(category, name), values, np.nan) for name in FIGURES}
    return {
        title: {name: interval(counted[name], units, [one[title][name] for one in drawn]) for name in FIGURES}
        for title in SHARES
    }


def gains(
    category: NDArray[np.str_],
    kind: NDArray[np.str_],
    projects: Sequence[str],
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
) -> dict[str, dict[str, Any]]:
    """How much the share by kinds gains from one way of answering to another, by FIGURES: {"gain", "interval"}.

    before, after: [n], whether the same item was right. The interval is paired: an item or project that is drawn
    brings both of its answers. Null where nothing was tested, and of the interval for fewer than two projects and
    where no item changed: no draw could say then what others would do. This is `paired.paired_difference` of one
    training, at a fraction of its time: a tick is compared with another many times.
    """
    means = averages(category, kind, after.astype(np.float64) - before)
    found = {name: {"gain": float(means[name]) if name in means else None} for name in FIGURES}
    if not len(category):
        return {name: {**of, "interval": None} for name, of in found.items()}
    units, change = units_of(projects), after.astype(np.int64) - before
    sorts, of = np.unique(np.stack([category, kind]), axis=1, return_inverse=True)
    k = sorts.shape[1]
    cells = np.zeros((int(units.max()) + 1, 3 * k))
    np.add.at(cells, (units, of.reshape(-1) + k * (change + 1)), 1)
    drawn = []
    for draws in (draw_units(cells, np.arange(len(cells))), draw_items(cells.sum(axis=0))):
        lost, same, won = draws[:, :k], draws[:, k : 2 * k], draws[:, 2 * k :]
        drawn.append(shares_in_draws(sorts[0], 2 * lost + same, won - lost)[SHARES[0]])
    counted = {name: np.where(_mine(category, name), change, np.nan) for name in FIGURES}
    return {
        name: {
            **found[name],
            "interval": interval(counted[name], units, [one[name] for one in drawn])
            if np.nan_to_num(counted[name]).any()
            else None,
        }
        for name in FIGURES
    }


def shares_in_draws(category: NDArray[np.str_], wrong: Floats, right: Floats) -> dict[str, dict[str, Floats]]:
    """Both shares in every draw, [draws] by FIGURES, from the items of each kind [draws, kinds]; category: of kinds.

    A figure without items is NaN in every draw.
    """
    n = wrong + right
    weights = 1 / np.maximum(n, FEWEST)
    of = {name: _mine(category, name) for name in FIGURES}
    by_items = {name: ratios(right[:, m].sum(axis=1), n[:, m].sum(axis=1)) for name, m in of.items()}
    right, n = right * weights, n * weights
    by_kinds = {name: ratios(right[:, m].sum(axis=1), n[:, m].sum(axis=1)) for name, m in of.items()}
    tested = [by_kinds[name] for name in set(category.tolist()) - {CLEAN}]
    if tested:
        by_kinds[OVERALL] = np.mean(tested, axis=0)
    return dict(zip(SHARES, (by_kinds, by_items), strict=True))


def units_by_figure(category: NDArray[np.str_], projects: Sequence[str]) -> dict[str, int]:
    """How many projects there are (items, where they have none), by FIGURES."""
    units = units_of(projects)
    return {name: len(np.unique(units[_mine(category, name)])) for name in FIGURES}


def rare_kinds(category: NDArray[np.str_], kind: NDArray[np.str_]) -> dict[str, dict[str, int]]:
    """Of categories that have kinds of fewer than FEWEST items: the number of all kinds, of those, and their items."""
    found = {}
    for name in CATEGORIES:
        _, n = np.unique(kind[category == name], return_counts=True)
        if (n < FEWEST).any():
            rare = n[n < FEWEST]
            found[name] = {"kinds": len(n), "rare": len(rare), "items": int(rare.sum())}
    return found


def counts(category: NDArray[np.str_]) -> dict[str, int]:
    """Number of items, by FIGURES; overall is all but clean."""
    return {name: int(_mine(category, name).sum()) for name in FIGURES}


def _mine(category: NDArray[np.str_], name: str) -> NDArray[np.bool_]:
    return category != CLEAN if name == OVERALL else category == name
