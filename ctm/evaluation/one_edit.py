"""Models beside the reference points in one measure: items that one edit repairs, and clean ones.

A model's first edit is all that is asked for, at its most certain tick or at its first one, without search, compiler or
further passes. Of these items that is the whole repair, so it can stand beside the repairs of the reference points,
which do have the compiler. A model is right by the text, a reference point by lexical tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ctm.evaluation.averages import accuracy
from ctm.repair.evaluate import Item
from ctm.repair.metrics import Outcome

FIRST_EDIT, FIRST_TICK, TRM = "first_edit", "first_tick", "trm"
"""Rows of the models: the CTM, the same read at its first tick, and the TRM."""
CTM_NAME, TRM_NAME = "CTM", "TRM"
"""What rule compare_trm calls them."""


def one_edit_figures(
    items: Sequence[Item], outcomes: Mapping[str, Sequence[Outcome]], compared: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Accuracy by category with intervals, by point, on those of `items` that the models were asked about too.

    outcomes: of every reference point, of all `items`. compared: rows of ctm.evaluation.compared_items. `items` counts
    those that are left; `left_out` the others, by reason.
    """
    rows = {(row["model"], row["id"]): row for row in compared}
    models = {row["model"] for row in compared}
    places, left_out = [], {"not asked of the models": 0, "several edits": 0, "out of scope": 0}
    for place, item in enumerate(items):
        row = rows.get((CTM_NAME, item.item_id))
        if row is None:
            left_out["not asked of the models"] += 1
        elif row["edits"] is None:
            left_out["out of scope"] += 1
        elif row["edits"] > 1:
            left_out["several edits"] += 1
        else:
            places.append(place)
    kept = [items[place] for place in places]
    right = {
        name: [rows[model, item.item_id][column] for item in kept]
        for name, model, column in (
            (FIRST_EDIT, CTM_NAME, "right"),
            (FIRST_TICK, CTM_NAME, "first_tick_right"),
            (TRM, TRM_NAME, "right"),
        )
        if model in models
    }
    right |= {name: [of[place].is_right for place in places] for name, of in outcomes.items()}
    category = np.array([item.category for item in kept], dtype=np.str_)
    kind = np.array([item.kind for item in kept], dtype=np.str_)
    projects = [item.project for item in kept]
    return {
        "items": len(kept),
        "left_out": left_out,
        "points": {name: accuracy(category, kind, projects, hits) for name, hits in right.items()},
    }
