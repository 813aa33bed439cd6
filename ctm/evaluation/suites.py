"""Reads suites of pairs, and prepares each item: is it in scope, and which edit is right first?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ctm.evaluation.torch_proposer import TargetEdit
from ctm.grid.edits import Edit, Unreachable, steps_between
from ctm.grid.layout import DoesNotFit, layout
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pairs.record import read_pairs
from ctm.repair.evaluate import Item


@dataclass(frozen=True, slots=True)
class Case:
    """An item, and what it asks of the model. Line ends behind the last line are set aside, as repair does."""

    item: Item
    reason: str
    """Why it is out of scope (does not fit, or cannot be reached); "" where it is in scope."""
    cells: int
    """L of the buggy text."""
    edits: int
    """Edits that lead to the fixed text: 0 for clean code, and where out of scope."""
    goal: TargetEdit | None
    """What is right first; None where out of scope."""

    @property
    def text(self) -> str:
        """The buggy text as repair first asks about it."""
        return self.item.buggy.rstrip("\n")


def read_suite(pairs: Path) -> list[Item]:
    """Items of a Parquet file of pairs, in its order."""
    columns = ("pair_id", "buggy", "fixed", "category", "kind", "group")
    return [
        Item(p.pair_id, p.buggy, p.fixed, p.category, p.kind, project=p.group)
        for p in read_pairs(pairs, columns)
    ]


def prepare(items: Iterable[Item], tokenizer: CodeTokenizer) -> list[Case]:
    """Every item as a case."""
    return [_prepare(item, tokenizer) for item in items]


def _prepare(item: Item, tokenizer: CodeTokenizer) -> Case:
    text = item.buggy.rstrip("\n")
    goal = item.fixed.rstrip("\n")
    buggy, fixed = tokenizer.encode(text), tokenizer.encode(goal)
    try:
        layout(buggy)
        layout(fixed)
        steps = steps_between(buggy, fixed, tokenizer)
    except (DoesNotFit, Unreachable) as error:
        return Case(item, error.reason, len(buggy), 0, None)
    if not steps:
        return Case(item, "", len(buggy), 0, TargetEdit(Edit(len(buggy), len(buggy), ()), text))
    return Case(
        item,
        "",
        len(buggy),
        len(steps),
        TargetEdit(steps[0].edit, goal if steps[0].text is None else steps[0].text),
    )
