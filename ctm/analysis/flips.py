"""What a tick changes: answers won and lost against the tick before, and the tick from which an answer stays right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.analysis.tick_table import TickTable
from ctm.evaluation.averages import FIGURES, gains, intervals, shares, shares_of_items
from ctm.pairs.overall import CLEAN, OVERALL, averages

QUANTILES = (0.25, 0.5, 0.75, 0.9)


def flips(table: TickTable) -> dict[str, dict[str, list[float]]]:
    """{"won", "lost": {category: share of items, by tick from 2 on}}, averaged over kinds as accuracy is.

    won: wrong at the tick before and right at this one. Accuracy by tick grows by won - lost.
    """
    before, after = table.right[:, :-1], table.right[:, 1:]
    changed = {"won": ~before & after, "lost": before & ~after}
    return {
        name: {
            group: share.tolist()
            for group, share in averages(table.category, table.kind, values.astype(np.float64)).items()
        }
        for name, values in changed.items()
    }


def critical_ticks(right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """First tick (from 1) from which an item stays right to the end, [n] of [n, T]; NaN where it is wrong there."""
    wrong = ~right[:, ::-1]
    stays = np.where(wrong.any(axis=1), wrong.argmax(axis=1), right.shape[1])  # right ticks at the end
    return np.where(stays > 0, right.shape[1] - stays + 1.0, np.nan)


def critical_figures(table: TickTable) -> dict[str, Any]:
    """By category and overall (all but clean), every item alike.

    settled: share that has a critical tick, with its interval; never: right at no tick; between: right at some tick
    and wrong at the last. quantiles: of the critical ticks; by_tick: share of all items whose critical tick has come.
    """
    critical = critical_ticks(table.right)
    settled, never = ~np.isnan(critical), ~table.right.any(axis=1)
    ends = intervals(table.category, table.kind, table.projects, settled.tolist())["accuracy_by_items"]
    parts = {"settled": settled, "never": never, "between": ~settled & ~never}
    by_items = {
        name: shares_of_items(table.category, np.asarray(holds).tolist()) for name, holds in parts.items()
    }
    found = {}
    for name in FIGURES:
        mine = table.category != CLEAN if name == OVERALL else table.category == name
        if not mine.any():
            continue
        ticks = critical[mine & settled]
        found[name] = {
            "n": int(mine.sum()),
            **{part: by_items[part][name] for part in parts},
            "interval": ends[name],
            "quantiles": np.quantile(ticks, QUANTILES).tolist() if len(ticks) else None,
            "by_tick": [float((ticks <= tick).sum() / mine.sum()) for tick in range(1, table.ticks + 1)],
        }
    return found


def stopped_at(table: TickTable) -> list[dict[str, Any]]:
    """Of every tick: accuracy if its answer is taken, with intervals, and what it is ahead of the first tick's.

    Each by FIGURES, averaged over kinds.
    """
    first = table.right[:, 0]
    rows = []
    for tick in range(table.ticks):
        right = table.right[:, tick]
        rows.append(
            {
                "tick": tick + 1,
                "accuracy": shares(table.category, table.kind, right.tolist()),
                "intervals": intervals(table.category, table.kind, table.projects, right.tolist())[
                    "accuracy"
                ],
                "ahead_of_first": gains(table.category, table.kind, table.projects, first, right),
            }
        )
    return rows


def does_it_think(
    table: TickTable, validation: TickTable | None, edits: NDArray[np.integer[Any]]
) -> dict[str, Any]:
    """The short answer: what the tick that is best on validation items adds to the first, and later ones to it.

    edits: that lead to the fixed text, [n]; items of one edit and of several stand apart too. The best tick is chosen
    on other items than it is measured on; null, with a reason, where there are none.
    """
    if validation is None or validation.ticks != table.ticks:
        return {"best_tick": None, "why": "no validation item was thought about with as many ticks"}
    by_tick = averages(validation.category, validation.kind, validation.right.astype(np.float64)).get(OVERALL)
    if by_tick is None:
        return {"best_tick": None, "why": "no validation item has a bug"}
    best = int(by_tick.argmax())
    surest = np.nan_to_num(table.certainty).argmax(axis=1)
    said = {
        "first": table.right[:, 0],
        "best": table.right[:, best],
        "last": table.right[:, -1],
        "read": table.right[np.arange(len(surest)), surest],
    }

    def gain(before: str, after: str, mine: NDArray[np.bool_] | None = None) -> dict[str, Any]:
        rows = np.ones(len(edits), dtype=np.bool_) if mine is None else mine
        projects = [name for name, is_in in zip(table.projects, rows, strict=True) if is_in]
        return gains(table.category[rows], table.kind[rows], projects, said[before][rows], said[after][rows])

    groups = {"one edit": edits == 1, "several edits": edits > 1}
    return {
        "best_tick": best + 1,
        "validation_items": len(validation.category),
        "accuracy": {
            name: shares(table.category, table.kind, right.tolist()) for name, right in said.items()
        },
        "first_to_best": gain("first", "best"),
        "best_to_last": gain("best", "last"),
        "first_to_read": gain("first", "read"),
        "by_edits": {
            name: {
                "n": int(mine.sum()),
                "accuracy": {
                    at: shares(table.category[mine], table.kind[mine], right[mine].tolist())[OVERALL]
                    for at, right in said.items()
                },
                "first_to_best": gain("first", "best", mine)[OVERALL],
                "best_to_last": gain("best", "last", mine)[OVERALL],
            }
            for name, mine in groups.items()
        },
    }
