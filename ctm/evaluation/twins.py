"""Broken texts with their repaired twins: items of one edit whose two texts have equally many cells.

Each repaired text comes once. Several bugs are made of one function, their texts are equally long, and so they would
be neighbors in a batch: "another's twin" would be the same text as the own one, and no control.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from ctm.evaluation.first_states import inputs_of
from ctm.evaluation.thoughts import BATCH, AskedItems
from ctm.evaluation.torch_proposer import CELLS, CELLS_ELSEWHERE
from ctm.grid.batching import by_length
from ctm.model.model import CTM, CTMEncoding
from ctm.repair.candidates import CodeState, make_state

CLEAN, SEVERAL, LENGTHS, TOO_LARGE, SAME = (
    "clean",
    "several edits",
    "texts of different lengths",
    "the twin does not fit",
    "the twin is that of another item",
)


@dataclass(frozen=True, slots=True, eq=False)
class TwinItem:
    """A broken text and its repaired one."""

    broken: CodeState
    repaired: CodeState
    category: str
    project: str


def twins_of(items: AskedItems) -> tuple[list[TwinItem], dict[str, int]]:
    """The items that have a twin, and how many have none, by reason."""
    found, left_out = [], Counter[str]()
    taken: set[str] = set()
    for item in items.items:
        twin = make_state(item.goal.text, items.tokenizer) if item.case.edits == 1 else None
        if item.case.edits != 1:
            left_out[CLEAN if item.is_clean else SEVERAL] += 1
        elif twin is None:
            left_out[TOO_LARGE] += 1
        elif len(twin.ids) != len(item.state.ids):
            left_out[LENGTHS] += 1
        elif item.goal.text in taken:
            left_out[SAME] += 1
        else:
            taken.add(item.goal.text)
            found.append(TwinItem(item.state, twin, item.case.item.category, item.case.item.project))
    return found, dict(left_out)


def twin_batches(
    model: CTM, twins: Sequence[TwinItem]
) -> Iterator[tuple[list[int], CTMEncoding, CTMEncoding]]:
    """Places of twins of similar length and both encodings, two twins at least a batch (none of a single twin)."""
    cells = CELLS.get(model.device.type, CELLS_ELSEWHERE)
    parts = by_length([len(twin.broken.packed.tokens) for twin in twins], cells, BATCH)
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [parts[-2] + parts[-1]]
    for places in parts:
        both = (
            inputs_of([getattr(twins[place], side) for place in places]) for side in ("broken", "repaired")
        )
        with torch.inference_mode():
            broken, repaired = (
                model.encode(**{name: tensor.to(model.device) for name, tensor in inputs.items()})
                for inputs in both
            )
        yield places, broken, repaired
