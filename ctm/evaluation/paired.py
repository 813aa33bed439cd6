"""What divides two models that answered the same items: paired difference with an interval, and McNemar's test.

The difference is that of the averages by kinds (ctm.pairs.overall) or of all items alike. Its interval is a bootstrap's
of pairs: in every draw both models answer the items of the same projects, so that what makes an item hard for both
cancels out. Where models were trained several times, seeds are drawn as well. McNemar's exact test takes the items that
only one of the two has right, and asks how often a fair coin would divide them so unevenly; to it all items are
independent, so it is surer of itself than the interval is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import binomtest

from ctm.evaluation.averages import FIGURES, SHARES, shares, shares_in_draws, shares_of_items
from ctm.pairs.overall import CLEAN, OVERALL
from ctm.repair.intervals import DRAWS, LEVEL, SEED, TAIL, Floats, Interval, draw_units, units_of

NEAR = 0.02
"""Difference of accuracies that two trainings of one model may have by chance: within it, two models match."""


def paired_difference(
    category: NDArray[np.str_],
    kind: NDArray[np.str_],
    projects: Sequence[str],
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
) -> dict[str, Any]:
    """Accuracy of `first` less that of `second`, by kinds and by items, each with its interval, by FIGURES.

    category, kind, projects: of every item, [n]; "" for no project. first, second: right answers of each training,
    [n, S], trainings of equal number having equal seeds. "accuracy" and "accuracy_by_items" have {"value",
    "interval"}: a value is None where nothing was tested, an interval for fewer than two projects. "by_seed" is the
    difference overall of each training. Raises ValueError where the two have not the same items and trainings.
    """
    if first.shape != second.shape or first.ndim != 2 or len(first) != len(category):
        raise ValueError(
            f"{len(category)} items, answers of the shapes {first.shape} and {second.shape}: both models must have "
            "answered the same items with as many trainings"
        )
    values = [answers.astype(np.float64) for answers in (first, second)]
    means = [of.mean(axis=1).tolist() for of in values]
    by_kinds, by_items = (
        [shares(category, kind, of) for of in means],
        [shares_of_items(category, of) for of in means],
    )
    sure = _intervals(category, kind, projects, *values)
    by_seed = [
        _less(*(shares(category, kind, of[:, seed].tolist())[OVERALL] for of in values))
        for seed in range(first.shape[1])
    ]
    found: dict[str, Any] = {"level": LEVEL, "by_seed": by_seed}
    for title, (ours, theirs) in zip(SHARES, (by_kinds, by_items), strict=True):
        found[title] = {
            name: {"value": _less(ours[name], theirs[name]), "interval": sure[title][name]}
            for name in FIGURES
        }
    return found


def _less(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def mcnemar(
    category: NDArray[np.str_], first: NDArray[np.bool_], second: NDArray[np.bool_]
) -> dict[str, dict[str, Any]]:
    """McNemar's exact test, two-sided, of one training each, by FIGURES: items that only one has right, and p.

    first, second: right answers, [n]. p is None where no item divides the two. Overall is of all items but clean ones.
    """
    found = {}
    for name in FIGURES:
        mine = category != CLEAN if name == OVERALL else category == name
        only_first = int((first & ~second & mine).sum())
        only_second = int((second & ~first & mine).sum())
        divided = only_first + only_second
        found[name] = {
            "n": int(mine.sum()),
            "only_first": only_first,
            "only_second": only_second,
            "p": float(binomtest(only_first, divided).pvalue) if divided else None,
        }
    return found


def conclusion(difference: Interval | None, first: str, second: str) -> str:
    """What an interval of a difference lets one say of two models."""
    if difference is None:
        return "too few projects to tell"
    low, high = difference
    if low > 0:
        return f"{first} is ahead of {second}"
    if high < 0:
        return f"{first} is behind {second}"
    if low > -NEAR and high < NEAR:
        return f"{first} and {second} match within {NEAR:.0%}"
    return f"no difference is shown: the interval holds 0 and is wider than {NEAR:.0%} to either side"


def _intervals(
    category: NDArray[np.str_], kind: NDArray[np.str_], projects: Sequence[str], first: Floats, second: Floats
) -> dict[str, dict[str, Interval | None]]:
    """Of the differences; each end is the farther one of drawing projects and drawing items."""
    if not len(category):
        return {title: dict.fromkeys(FIGURES) for title in SHARES}
    n, seeds = first.shape
    units = units_of(projects)
    sorts, of = np.unique(np.stack([category, kind]), axis=1, return_inverse=True)
    table = np.zeros((n, 1 + 2 * seeds, sorts.shape[1]))
    # of each item, in the column of its kind: itself, and whether each training has it right
    table[np.arange(n), :, of.reshape(-1)] = np.hstack([np.ones((n, 1)), first, second])
    flat = table.reshape(n, -1)
    items_drawn = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=DRAWS)
    drawn = [
        _differences(sums.reshape(DRAWS, *table.shape[1:]), sorts[0], seeds)
        for sums in (draw_units(flat, units), items_drawn @ csr_array(flat))
    ]
    apart = first.mean(axis=1) - second.mean(axis=1)
    mine = {name: category != CLEAN if name == OVERALL else category == name for name in FIGURES}
    return {
        title: {
            name: _ends(apart[mine[name]], units[mine[name]], [one[title][name] for one in drawn])
            for name in FIGURES
        }
        for title in SHARES
    }


def _differences(sums: Floats, category: NDArray[np.str_], seeds: int) -> dict[str, dict[str, Floats]]:
    """Both shares of the first model less those of the second in every draw, [DRAWS] by FIGURES.

    sums: [DRAWS, 1 + 2 * seeds, kinds], items and right answers of each training; category: of kinds. Trainings are
    drawn by their number, the same of both models.
    """
    chosen = np.random.default_rng([SEED, seeds]).integers(seeds, size=(DRAWS, seeds))[:, :, None]
    items, sides = sums[:, 0], (sums[:, 1 : 1 + seeds], sums[:, 1 + seeds :])
    right = [np.take_along_axis(side, chosen, axis=1).mean(axis=1) for side in sides]
    ours, theirs = (shares_in_draws(category, items - part, part) for part in right)
    return {title: {name: ours[title][name] - theirs[title][name] for name in FIGURES} for title in SHARES}


def _ends(apart: Floats, units: NDArray[np.int64], drawn: Sequence[Floats]) -> Interval | None:
    """Interval of a mean of differences `apart` [n] that is `drawn` [DRAWS] in the draws; None of fewer than two units.

    Where both models are right on the same items no draw differs: the bound is then that of so many tosses of a coin.
    """
    count = len(np.unique(units))
    if count < 2:
        return None
    if not apart.any():
        bound = 1 - TAIL ** (1 / count)
        return -bound, bound
    ends = np.array([np.nanquantile(means, [TAIL, 1 - TAIL]) for means in drawn])
    return float(ends[:, 0].min()), float(ends[:, 1].max())
