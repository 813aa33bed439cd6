"""What the ticks are worth: accuracy and certainty by tick, and whether harder code is thought about longer.

Read from the per-item results of the benchmark; the definition of "right at tick t" is in ctm.evaluation.benchmark.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctm.analysis.plots import plot_ticks
from ctm.analysis.settings import AnalysisSettings
from ctm.evaluation.averages import CLEAN, OVERALL, averages
from ctm.evaluation.calibrate import answering_ticks
from ctm.evaluation.items import read_items
from ctm.grid.files import write_json

log = logging.getLogger(__name__)
FORMAT_VERSION = 1


def analyse_iterations(report: Path, items: Path, settings: AnalysisSettings, out: Path, plot: Path) -> None:
    """Figures (JSON) and a plot (PNG) of the ticks, on the test suite.

    report, items: what the benchmark wrote. Raises ValueError if the model was asked about no item.
    """
    threshold = json.loads(report.read_text())["thresholds"]["tick"]
    table = read_items(items)
    table = table.filter(pc.equal(table["suite"], "test"))
    figures = tick_figures(table, threshold, settings.groups)
    write_json(out, figures)
    plot_ticks(figures, plot, settings.dpi)
    log.info("%s and %s: %d items, %d ticks", out, plot, figures["items"], figures["ticks"])


def tick_figures(table: pa.Table, threshold: float, groups: int) -> dict[str, Any]:
    """Accuracy by tick (overall, by category), certainty by tick, ticks by difficulty; see the keys."""
    asked = pc.is_valid(table["tick_right"])
    if not pc.any(asked).as_py():
        raise ValueError("the model was asked about no item of the test suite; there are no ticks to analyse")
    category = np.array(table["category"].to_pylist())
    kind = np.array(table["kind"].to_pylist())
    thought = table.filter(asked)
    right_asked = np.array(thought["tick_right"].to_pylist(), dtype=bool)
    certainty = np.array(thought["tick_certainty"].to_pylist(), dtype=np.float32)
    mask = np.array(asked.to_pylist())
    ticks = certainty.shape[1]
    # items that the model was not asked about (out of scope) are failures at every tick
    right = np.zeros((len(table), ticks))
    right[mask] = right_asked
    accuracy = averages(category, kind, right)
    most = certainty.argmax(axis=1)
    hit = right_asked[np.arange(len(most)), most]
    answering, taken = answering_ticks(certainty, threshold)
    own = category[mask]
    return {
        "format_version": FORMAT_VERSION,
        "items": len(table),
        "ticks": ticks,
        "tick_threshold": threshold,
        "n": {name: int((category == name).sum()) for name in accuracy if name != OVERALL},
        "accuracy_by_tick": {name: values.tolist() for name, values in accuracy.items()},
        "accuracy_at_most_certain_tick": {
            name: float(values) for name, values in averages(category, kind, _filled(hit, mask)).items()
        },
        "certainty_by_tick": _certainties(certainty, hit),
        "most_certain_tick": np.bincount(most, minlength=ticks).tolist(),
        "ticks_taken_mean": float(taken.mean()),
        "answering_tick_mean": float((answering + 1).mean()),
        "changes": _changes(right_asked),
        "by_difficulty": {
            "by category": _groups(own, taken, hit),
            "by edits": _groups(_edits(thought["edits"].to_pylist()), taken, hit),
            "by cells": _groups(_lengths(thought["cells"].to_pylist(), groups), taken, hit),
        },
    }


def _certainties(certainty: NDArray[np.float32], hit: NDArray[np.bool_]) -> dict[str, list[float]]:
    """Mean certainty of every tick: of all items, of those whose first edit is right, and of the others."""
    groups = {"all": np.ones_like(hit), "first edit right": hit, "first edit wrong": ~hit}
    return {name: certainty[mine].mean(axis=0).tolist() for name, mine in groups.items() if mine.any()}


def _filled(hit: NDArray[np.bool_], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    whole = np.zeros(len(mask))
    whole[mask] = hit
    return whole


def _changes(right: NDArray[np.bool_]) -> dict[str, float]:
    """Share of items that are wrong at the first tick and right at the last, and the reverse."""
    return {
        "wrong at first, right at last tick": float((~right[:, 0] & right[:, -1]).mean()),
        "right at first, wrong at last tick": float((right[:, 0] & ~right[:, -1]).mean()),
        "right at some tick": float(right.any(axis=1).mean()),
    }


def _groups(
    names: Sequence[str] | NDArray[np.str_], taken: NDArray[np.int64], hit: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Per group, in order of its name's rank: items, mean ticks taken, share of first edits right."""
    labels = np.asarray(names)
    order = list(dict.fromkeys(sorted(labels.tolist(), key=_rank)))
    return [
        {
            "group": name.split("|")[-1],
            "n": int((labels == name).sum()),
            "ticks": float(taken[labels == name].mean()),
            "right": float(hit[labels == name].mean()),
        }
        for name in order
    ]


def _rank(name: str) -> tuple[bool, str]:
    return name == CLEAN, name


def _edits(counts: list[int]) -> list[str]:
    """0 edits is clean code, and 4 or more are one group."""
    names = ("none", "1", "2", "3", "4 and more")
    return [f"{min(count, 4)}|{names[min(count, 4)]}" for count in counts]


def _lengths(cells: list[int], groups: int) -> list[str]:
    """Groups of equal size by number of cells."""
    values = np.array(cells)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, groups + 1)).round().astype(int))
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
    ends = [*(edges[1:-1] - 1).tolist(), int(edges[-1])]
    return [f"{place}|{edges[place]}-{ends[place]}" for place in places.tolist()]
