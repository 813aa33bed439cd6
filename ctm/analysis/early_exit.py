"""Ends of thoughts: what each certainty saves and costs, the promise of a loss, and what an oracle could save.

Compute is operations of matrix products of the first thought: encoding once, so many ticks, the candidates read once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.analysis.tick_table import TickTable
from ctm.evaluation.averages import gains, shares
from ctm.evaluation.calibrate import answering_ticks
from ctm.evaluation.risk_control import GRID, certify, items_needed
from ctm.pairs.overall import CLEAN, OVERALL

Exit = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Which tick answers, from 0, and how many are thought; [n] each, of the items that were asked about."""


def early_exit(
    table: TickTable,
    validation: TickTable | None,
    in_use: float,
    losses: Sequence[float],
    confidence: float,
    cost: Mapping[str, int] | None,
) -> dict[str, Any]:
    """Figures of every way to end a thought, on the test items.

    in_use: the threshold of the bundle. losses, confidence: allowed losses of right answers and how sure the promise
    is, chosen on `validation`. cost: operations of "encode", one "tick" and "read"; None: not counted.
    """
    mine = table.has_ticks
    certainty, right = table.certainty[mine], table.right[mine]
    whole = certainty.argmax(axis=1), np.full(len(certainty), table.ticks)
    reference = np.zeros(len(table.right), dtype=np.bool_)
    reference[mine] = right[np.arange(len(right)), whole[0]]

    def figures(exit_: Exit) -> dict[str, Any]:
        return _figures(table, reference, exit_, cost)

    def beside(name: str, exit_: Exit, threshold: float | None = None) -> dict[str, Any]:
        return {
            "exit": name,
            "threshold": threshold,
            **figures(exit_),
            "change": _change(table, reference, exit_),
        }

    rows = [
        {"exit": "all ticks", "threshold": None, **figures(whole), "change": None},
        beside("first tick", (np.zeros_like(whole[0]), np.ones_like(whole[1]))),
        beside("in use", answering_ticks(certainty, in_use), in_use if in_use <= 1 else None),
    ]
    promises = (
        []
        if validation is None
        else certify(
            validation.right[validation.has_ticks],
            validation.certainty[validation.has_ticks],
            [name for name, is_in in zip(validation.projects, validation.has_ticks, strict=True) if is_in],
            losses,
            confidence,
        )
    )
    rows += [
        beside(
            f"at most {promise.allowed:.1%} lost",
            answering_ticks(certainty, promise.threshold),
            promise.threshold,
        )
        for promise in promises
        if promise.threshold is not None
    ]
    rows += [beside(name, exit_) for name, exit_ in oracles(right, whole[0]).items()]
    grid: dict[float, dict[str, Any]] = {}
    for threshold in GRID:
        found = figures(answering_ticks(certainty, threshold))
        grid.setdefault(found["ticks_mean"], {"threshold": threshold, **found})
    return {
        "items": int(mine.sum()),
        "exits": rows,
        "grid": list(grid.values()),
        "confidence": confidence,
        "promises": [
            {**asdict(promise), "items_needed": items_needed(promise.allowed, confidence)}
            for promise in promises
        ],
    }


def oracles(right: NDArray[np.bool_], whole: NDArray[np.int64]) -> dict[str, Exit]:
    """Ends that know the answer, from right [n, T] and the tick `whole` that answers after all ticks.

    The first one ends at the first right tick, and at once where there is none. The second is right and wrong where
    all ticks are, and ends at the first tick that is.
    """
    first = np.where(right.any(axis=1), right.argmax(axis=1), 0)
    kept = right[np.arange(len(right)), whole]
    same = np.where(kept, first, (~right).argmax(axis=1))
    return {"oracle, first right tick": (first, first + 1), "oracle, same answers": (same, same + 1)}


def _hits(table: TickTable, exit_: Exit) -> NDArray[np.bool_]:
    """Whether the item's answer is right, [n] of all items."""
    hits = np.zeros(len(table.right), dtype=np.bool_)
    right = table.right[table.has_ticks]
    hits[table.has_ticks] = right[np.arange(len(right)), exit_[0]]
    return hits


def _figures(
    table: TickTable, reference: NDArray[np.bool_], exit_: Exit, cost: Mapping[str, int] | None
) -> dict[str, Any]:
    hits, mean = _hits(table, exit_), float(exit_[1].mean())
    found = shares(table.category, table.kind, hits.tolist())
    flops = cost["encode"] + mean * cost["tick"] + cost["read"] if cost else None
    every = cost["encode"] + table.ticks * cost["tick"] + cost["read"] if cost else None
    return {
        "ticks_mean": mean,
        "ticks_saved": 1 - mean / table.ticks,
        OVERALL: found[OVERALL],
        CLEAN: found[CLEAN],
        "lost": float((reference & ~hits)[table.has_ticks].mean()),
        "won": float((hits & ~reference)[table.has_ticks].mean()),
        "flops": flops,
        "flops_saved": 1 - flops / every if flops is not None and every else None,
    }


def _change(table: TickTable, reference: NDArray[np.bool_], exit_: Exit) -> dict[str, Any]:
    """Of accuracy overall against all ticks: {"gain", "interval"}."""
    return gains(table.category, table.kind, table.projects, reference, _hits(table, exit_))[OVERALL]
