"""Figures of a suite by kind, length and number of edits, project and length of the code: which items are hard?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import Levenshtein

from ctm.pairs.categories import SEPARATE
from ctm.python.lexical import lenient_tokens
from ctm.repair.evaluate import Item
from ctm.repair.metrics import Outcome, intervals, measure

SHOWN = (
    "coverage",
    "exact_at_1",
    "exact_at_5",
    "exact_at_10",
    "bifi",
    "same_tree",
    "pass_at_1",
    "pass_at_10",
)
"""Measures of a group; `n` besides."""
WITH_INTERVAL = "exact_at_1"
MOST_PROJECTS = 20
"""More projects than this make a list, not a table: they are not told apart."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large an item's change is, in lexical tokens of the lenient lexer."""

    tokens: int
    """Edit distance: tokens inserted, deleted or replaced."""
    edits: int
    """Separate changes: four or more unchanged tokens lie between two of them."""
    lines: int
    """Of the buggy text."""


def size_of(item: Item) -> Size:
    """Of one item; 0 tokens and 0 edits where both sides are the same."""
    old, new = lenient_tokens(item.buggy), lenient_tokens(item.fixed)
    tokens = edits = 0
    end: int | None = None
    for step in Levenshtein.opcodes(old, new):
        if step.tag != "equal":
            tokens += max(step.src_end - step.src_start, step.dest_end - step.dest_start)
            edits += end is None or step.src_start - end >= SEPARATE
            end = step.src_end
    return Size(tokens, edits, len(item.buggy.rstrip("\n").split("\n")))


def bucket(value: int, bounds: Sequence[int]) -> str:
    """Name of the range that a number lies in: bounds (1, 2, 5) are "0", "1", "2-4" and "5 and more"."""
    if value < bounds[0]:
        return f"below {bounds[0]}" if bounds[0] > 1 else "0"
    low = max(bound for bound in bounds if bound <= value)
    later = [bound for bound in bounds if bound > low]
    if not later:
        return f"{low} and more"
    return str(low) if later[0] == low + 1 else f"{low}-{later[0] - 1}"


DIMENSIONS: dict[str, tuple[Callable[[Item, Size], Any], tuple[int, ...]]] = {
    "kind": (lambda item, size: item.kind or "not stated", ()),
    "edit_length": (lambda item, size: size.tokens, (1, 2, 3, 4, 9, 17)),
    "edits": (lambda item, size: size.edits, (1, 2, 3)),
    "source": (lambda item, size: item.project, ()),
    "lines": (lambda item, size: size.lines, (1, 2, 6, 16)),
}
"""What items are grouped by, and the bounds of ranges where it is a number."""


def by_group(items: Sequence[Item], sizes: Sequence[Size], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """{dimension: {group: {"n", SHOWN, "interval"}}}; `source` is {"projects": n} where there are none or too many."""
    found: dict[str, Any] = {}
    for name, (value, bounds) in DIMENSIONS.items():
        groups: dict[Any, list[int]] = {}
        for place, (item, size) in enumerate(zip(items, sizes, strict=True)):
            of = value(item, size)
            key = (max((b for b in bounds if b <= of), default=0), bucket(of, bounds)) if bounds else (0, of)
            groups.setdefault(key, []).append(place)
        if name == "source" and (len(groups) > MOST_PROJECTS or set(groups) == {(0, "")}):
            found[name] = {"projects": len([key for key in groups if key[1]])}
            continue
        found[name] = {
            key[1]: _figures([outcomes[place] for place in places]) for key, places in sorted(groups.items())
        }
    return found


def _figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    measures = measure(outcomes)
    return {
        "n": len(outcomes),
        **{name: measures[name] for name in SHOWN},
        "interval": intervals(outcomes)[WITH_INTERVAL],
    }
