"""Rows of benchmark items whose ticks are known, and the figures of the ticks that follow from some."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ctm.analysis.settings import AnalysisSettings
from ctm.analysis.tick_table import tick_table
from ctm.analysis.ticks import tick_figures
from ctm.evaluation.averages import FIGURES
from ctm.evaluation.items import ITEMS

TICKS = 4
COST = {"encode": 100, "tick": 10, "read": 20}


def item(number: int, category: str, first_right: int | None, suite: str = "test") -> dict[str, Any]:
    """An item that is right from tick `first_right` (from 1) on; None: the model was not asked."""
    row: dict[str, Any] = dict.fromkeys(ITEMS.names)
    row |= {
        "suite": suite, "id": f"{suite}-{number}-{category}", "category": category, "kind": category,
        "project": f"project-{number % 7}", "cells": 10 * number + 5,
        "edits": {"clean": 0, "syntax": 1}.get(category, 2),
    }  # fmt: skip
    if first_right is not None:
        row["tick_right"] = [tick >= first_right for tick in range(1, TICKS + 1)]
        row["tick_certainty"] = [min(0.95, tick / first_right) for tick in range(1, TICKS + 1)]
    return row


def some_rows() -> list[dict[str, Any]]:
    """51 test items (one was not asked about), one of another suite, and 30 validation items."""
    rows = [item(n, "syntax", 1 + n % 3) for n in range(30)]
    rows += [item(n, "logic", 9) for n in range(10)] + [item(n, "clean", 1) for n in range(10)]
    rows += [item(99, "syntax", None), item(98, "syntax", 1, suite="real")]
    return rows + [item(n, "syntax", 1 + n % 3, suite="validation") for n in range(30)]


def iterations() -> dict[str, Any]:
    """What rule analyze_iterations writes, of `some_rows` and of thoughts that were not followed for true."""
    rows = pd.DataFrame(some_rows()).assign(edit_length=1, nesting=1)
    test = rows.query("suite == 'test'")
    figures = tick_figures(
        test, tick_table(rows.query("suite == 'validation'")), 0.9, AnalysisSettings(), COST
    )
    shares = dict.fromkeys(FIGURES, 0.25)
    control = {"accuracy": shares, "ahead": {key: {"gain": 0.1, "interval": (0.05, 0.15)} for key in FIGURES}}
    by_tick = {"all": [1.0] * TICKS}
    scaled = {
        "ticks": 8, "trained": False, "accuracy": shares, "interval": None, "accuracy_of_the_tick": shares,
        "flops": 200, "seconds": 0.01,
    }  # fmt: skip
    controls = {"as it is": {**control, "ahead": None}, "frozen": control, "shuffled": control}
    return {
        **figures,
        "followed": {
            "controls": {"items": 20, "by_control": controls},
            "scaling": [scaled],
            "settling": {"n": {"all": 20}, "moved": by_tick, "readout_moved": by_tick, "same_span": by_tick},
        },
    }
