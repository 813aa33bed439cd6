"""Tick analysis: accuracy, certainty and flips by tick, ends of thoughts, and whether harder code takes more ticks.

Read from the per-item results of the benchmark and from the thoughts that were followed
(ctm.evaluation.thought_figures); the definition of "right at tick t" is in ctm.evaluation.benchmark.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ctm.analysis.difficulty import difficulty, with_texts
from ctm.analysis.early_exit import early_exit
from ctm.analysis.expectations import expectations
from ctm.analysis.flips import critical_figures, critical_ticks, does_it_think, flips, stopped_at
from ctm.analysis.plots import plot_exits, plot_flips, plot_ticks
from ctm.analysis.settings import AnalysisSettings
from ctm.analysis.tick_table import TickTable, tick_table
from ctm.evaluation.averages import FIGURES
from ctm.evaluation.calibrate import answering_ticks
from ctm.evaluation.items import read_items
from ctm.files import write_json
from ctm.pairs.overall import OVERALL, averages
from ctm.pairs.record import read_pairs

log = logging.getLogger(__name__)
FORMAT_VERSION = 2
EDITS = ("none", "1", "2", "3", "4 and more")
"""Groups of items by the edits that lead to the fixed text; none is clean code."""
EDIT_LENGTHS = ("0", "1", "2", "3 and 4", "5 to 8", "9 and more")
NESTINGS = ("0", "1", "2", "3", "4 and more")


def analyze_iterations(
    report: Path,
    items: Path,
    validation_items: Path,
    thoughts: Path,
    test: Path,
    settings: AnalysisSettings,
    out: Path,
    plot: Path,
    flips_plot: Path,
    exits_plot: Path,
) -> None:
    """Figures (JSON) and plots (PNG) of the ticks, on the test suite.

    report, items, validation_items: what the benchmark wrote. thoughts: what rule follow_thoughts wrote. test: Parquet
    of the test pairs, for their texts. Raises ValueError if the model was asked about no item.
    """
    threshold = json.loads(report.read_text(encoding="utf-8"))["thresholds"]["tick"]
    followed = json.loads(thoughts.read_text(encoding="utf-8"))
    rows = read_items(items).to_pandas()
    texts = {
        pair.pair_id: (pair.buggy, pair.fixed) for pair in read_pairs(test, ("pair_id", "buggy", "fixed"))
    }
    tested = with_texts(rows.query("suite == 'test'"), texts)
    validation = tick_table(read_items(validation_items).to_pandas())
    figures = tick_figures(tested, validation, threshold, settings, followed["cost"])
    write_json(out, {**figures, "followed": followed})
    plot_ticks(figures, plot, settings.dpi)
    plot_flips(figures, flips_plot, settings.dpi)
    plot_exits(figures["early_exit"], exits_plot, settings.dpi)
    log.info("%s and %s: %d items, %d ticks", out, plot, figures["items"], figures["ticks"])


def tick_figures(
    items: pd.DataFrame,
    validation: TickTable | None,
    threshold: float,
    settings: AnalysisSettings,
    cost: Mapping[str, int] | None,
) -> dict[str, Any]:
    """All figures of the ticks of `items` (with the columns of `with_texts`); see the keys.

    threshold: of ticks, in use. cost: operations of the parts of a thought, or None.
    """
    table = tick_table(items)
    if table is None:
        raise ValueError(
            "no item of the test suite was in the model's scope, so there are no ticks to analyze; look at the column "
            "`reason` of the items"
        )
    certainty, right = table.certainty[table.has_ticks], table.right[table.has_ticks]
    most = certainty.argmax(axis=1)
    hit = right[np.arange(len(most)), most]
    answering, taken = answering_ticks(certainty, threshold)
    best = np.zeros(len(items))
    best[table.has_ticks] = hit
    accuracy = averages(table.category, table.kind, table.right.astype(np.float64))
    thought = items[table.has_ticks].assign(ticks=taken, right=hit, critical=critical_ticks(right))
    return {
        "format_version": FORMAT_VERSION,
        "items": len(items),
        "ticks": table.ticks,
        "tick_threshold": threshold,
        "n": {name: int((table.category == name).sum()) for name in accuracy if name != OVERALL},
        "does_it_think": does_it_think(table, validation, items["edits"].to_numpy()),
        "accuracy_by_tick": {name: values.tolist() for name, values in accuracy.items()},
        "stopped_at": stopped_at(table),
        "flips": flips(table),
        "critical": critical_figures(table),
        "accuracy_at_most_certain_tick": {
            name: float(values) for name, values in averages(table.category, table.kind, best).items()
        },
        "certainty_by_tick": _certainties(certainty, hit),
        "certainty_by_category": {
            name: certainty[mine].mean(axis=0).tolist()
            for name in FIGURES
            if (mine := table.category[table.has_ticks] == name).any()
        },
        "most_certain_tick": np.bincount(most, minlength=table.ticks).tolist(),
        "ticks_taken_mean": float(taken.mean()),
        "answering_tick_mean": float((answering + 1).mean()),
        "changes": _changes(right),
        "early_exit": early_exit(table, validation, threshold, settings.losses, settings.confidence, cost),
        "difficulty": difficulty(items, table, threshold),
        "expectations": expectations(table),
        "by_difficulty": {
            "by category": _groups(thought, pd.CategoricalIndex(thought["category"], FIGURES)),
            "by edits": _groups(thought, _named(thought["edits"], [1, 2, 3, 4], EDITS)),
            "by edit length": _groups(thought, _named(thought["edit_length"], [1, 2, 3, 5, 9], EDIT_LENGTHS)),
            "by nesting": _groups(thought, _named(thought["nesting"], [1, 2, 3, 4], NESTINGS)),
            "by cells": _groups(thought, _lengths(thought["cells"], settings.groups)),
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
    """Per group, in the order of its categories: items, mean ticks taken, share of first edits right, and the mean
    critical tick of those that have one (null: none has).
    """
    found = thought.groupby(by, observed=True).agg(
        n=("ticks", "size"), ticks=("ticks", "mean"), right=("right", "mean"), critical=("critical", "mean")
    )
    found = found.astype(object).where(found.notna(), None)
    return [{"group": name, **dict(row)} for name, row in found.iterrows()]


def _named(values: pd.Series, begins: list[int], names: tuple[str, ...]) -> pd.CategoricalIndex:
    """Groups of numbers: below the first of `begins`, from each to the next."""
    return pd.CategoricalIndex([names[place] for place in np.digitize(values, begins)], names)


def _lengths(cells: pd.Series, groups: int) -> pd.CategoricalIndex:
    """Groups of equal size, named by the fewest and the most cells of an item."""
    parts = cells.groupby(np.ceil(cells.rank(method="max", pct=True) * groups))
    names = parts.transform("min").astype(str) + "-" + parts.transform("max").astype(str)
    return pd.CategoricalIndex(names, names[cells.sort_values().index].unique())
