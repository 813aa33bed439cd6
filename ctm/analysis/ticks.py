"""Tick analysis: accuracy and certainty by tick, and whether harder code takes more ticks.

Read from the per-item results of the benchmark; the definition of "right at tick t" is in ctm.evaluation.benchmark.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ctm.analysis.plots import plot_ticks
from ctm.analysis.settings import AnalysisSettings
from ctm.evaluation.averages import FIGURES
from ctm.evaluation.calibrate import answering_ticks
from ctm.evaluation.items import read_items
from ctm.files import write_json
from ctm.pairs.overall import OVERALL, averages

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
EDITS = ("none", "1", "2", "3", "4 and more")
"""Groups of items by the edits that lead to the fixed text; none is clean code."""


def analyze_iterations(report: Path, items: Path, settings: AnalysisSettings, out: Path, plot: Path) -> None:
    """Figures (JSON) and a plot (PNG) of the ticks, on the test suite.

    report, items: what the benchmark wrote. Raises ValueError if the model was asked about no item.
    """
    threshold = json.loads(report.read_text())["thresholds"]["tick"]
    figures = tick_figures(read_items(items).to_pandas().query("suite == 'test'"), threshold, settings.groups)
    write_json(out, figures)
    plot_ticks(figures, plot, settings.dpi)
    log.info("%s and %s: %d items, %d ticks", out, plot, figures["items"], figures["ticks"])


def tick_figures(items: pd.DataFrame, threshold: float, groups: int) -> dict[str, Any]:
    """Accuracy by tick (overall, by category), certainty by tick, ticks by difficulty; see the keys."""
    asked = items["tick_right"].notna().to_numpy()
    thought = items[asked]
    if thought.empty:
        raise ValueError(
            "no item of the test suite was in the model's scope, so there are no ticks to analyze; look at the column "
            "`reason` of the items"
        )
    category, kind = (items[name].to_numpy(dtype=np.str_) for name in ("category", "kind"))
    right_asked = np.stack(thought["tick_right"].to_list()).astype(bool)
    certainty = np.stack(thought["tick_certainty"].to_list()).astype(np.float32)
    ticks = certainty.shape[1]
    most = certainty.argmax(axis=1)
    hit = right_asked[np.arange(len(most)), most]
    answering, taken = answering_ticks(certainty, threshold)
    # items that the model was not asked about (out of scope) are failures at every tick
    right = np.zeros((len(items), ticks))
    right[asked] = right_asked
    best = np.zeros(len(items))
    best[asked] = hit
    accuracy = averages(category, kind, right)
    thought = thought.assign(ticks=taken, right=hit)
    return {
        "format_version": FORMAT_VERSION,
        "items": len(items),
        "ticks": ticks,
        "tick_threshold": threshold,
        "n": {name: int((category == name).sum()) for name in accuracy if name != OVERALL},
        "accuracy_by_tick": {name: values.tolist() for name, values in accuracy.items()},
        "accuracy_at_most_certain_tick": {
            name: float(values) for name, values in averages(category, kind, best).items()
        },
        "certainty_by_tick": _certainties(certainty, hit),
        "most_certain_tick": np.bincount(most, minlength=ticks).tolist(),
        "ticks_taken_mean": float(taken.mean()),
        "answering_tick_mean": float((answering + 1).mean()),
        "changes": _changes(right_asked),
        "by_difficulty": {
            "by category": _groups(thought, pd.CategoricalIndex(thought["category"], FIGURES)),
            "by edits": _groups(
                thought, pd.CategoricalIndex([EDITS[min(n, 4)] for n in thought["edits"]], EDITS)
            ),
            "by cells": _groups(thought, _lengths(thought["cells"], groups)),
        },
    }


def _certainties(certainty: NDArray[np.float32], hit: NDArray[np.bool_]) -> dict[str, list[float]]:
    """Mean certainty of every tick: of all items, of those whose first edit is right, and of the others."""
    groups = {"all": np.ones_like(hit), "first edit right": hit, "first edit wrong": ~hit}
    return {name: certainty[mine].mean(axis=0).tolist() for name, mine in groups.items() if mine.any()}


def _changes(right: NDArray[np.bool_]) -> dict[str, float]:
    """Share of items that are wrong at the first tick and right at the last, and the reverse."""
    return {
        "wrong at first, right at last tick": float((~right[:, 0] & right[:, -1]).mean()),
        "right at first, wrong at last tick": float((right[:, 0] & ~right[:, -1]).mean()),
        "right at some tick": float(right.any(axis=1).mean()),
    }


def _groups(thought: pd.DataFrame, by: pd.CategoricalIndex) -> list[dict[str, Any]]:
    """Per group, in the order of its categories: items, mean ticks taken, share of first edits right."""
    found = thought.groupby(by, observed=True).agg(
        n=("ticks", "size"), ticks=("ticks", "mean"), right=("right", "mean")
    )
    return [{"group": name, **dict(row)} for name, row in found.astype(object).iterrows()]


def _lengths(cells: pd.Series, groups: int) -> pd.CategoricalIndex:
    """Groups of equal size, named by the fewest and the most cells of an item."""
    parts = cells.groupby(np.ceil(cells.rank(method="max", pct=True) * groups))
    names = parts.transform("min").astype(str) + "-" + parts.transform("max").astype(str)
    return pd.CategoricalIndex(names, names[cells.sort_values().index].unique())
