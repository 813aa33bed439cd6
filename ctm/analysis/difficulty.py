"""Whether harder code takes more ticks: rank correlations of measures of difficulty with measures of thinking.

A loss of a small model is not at hand for single items; in its place stands the model's own certainty at its first
tick, which is no independent witness.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ctm.analysis.flips import critical_ticks
from ctm.analysis.tick_table import TickTable
from ctm.evaluation.calibrate import answering_ticks
from ctm.evaluation.rank_correlation import rank_correlation
from ctm.evaluation.text_difficulty import edit_length, nesting
from ctm.pairs.overall import CLEAN

MEASURES = {
    "edits": "edits that lead to the fixed text",
    "edit_length": "lexical tokens deleted and inserted",
    "nesting": "depth of blocks",
    "cells": "length of the code, cells",
    "first_certainty": "certainty at the first tick",
}
"""Of difficulty, in words."""


def with_texts(items: pd.DataFrame, texts: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Items with columns edit_length and nesting (of the fixed text), from buggy and fixed text by id.

    Raises ValueError where an item's texts are missing: the files are of different runs.
    """
    missing = [name for name in items["id"] if name not in texts]
    if missing:
        raise ValueError(
            f"{len(missing)} items of the benchmark are not among the test pairs, the first is {missing[0]}; run "
            "the benchmark again"
        )
    pairs = [texts[name] for name in items["id"]]
    return items.assign(
        edit_length=[edit_length(*pair) for pair in pairs], nesting=[nesting(fixed) for _, fixed in pairs]
    )


def difficulty(items: pd.DataFrame, table: TickTable, threshold: float) -> dict[str, Any]:
    """{"measures": {measure of difficulty: {measure of thinking: {"n", "correlation", "interval"}}}}, items with a bug
    that the model was asked about.

    items: rows of `table`, with columns edits, edit_length, nesting and cells. Thinking is ticks taken at the
    threshold in use, the most certain tick, and the critical tick (of items that have one).
    """
    mine = table.has_ticks & (table.category != CLEAN)
    certainty = table.certainty[mine]
    if not mine.any():
        return {"items": 0, "measures": {}}
    thinking: dict[str, NDArray[np.float64]] = {
        "ticks taken": answering_ticks(certainty, threshold)[1].astype(np.float64),
        "most certain tick": certainty.argmax(axis=1) + 1.0,
        "critical tick": critical_ticks(table.right[mine]),
    }
    hard = {name: items[name].to_numpy(dtype=np.float64)[mine] for name in MEASURES if name in items}
    hard["first_certainty"] = certainty[:, 0].astype(np.float64)
    projects = [name for name, is_in in zip(table.projects, mine, strict=True) if is_in]
    return {
        "items": int(mine.sum()),
        "measures": {
            name: {title: rank_correlation(values, ticks, projects) for title, ticks in thinking.items()}
            for name, values in hard.items()
        },
    }
