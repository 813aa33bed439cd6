"""Turns a pair into the edits that lead from buggy to fixed, each a span and its replacement.

Every state between two edits is canonical, that is, equal to the ids of its own text; so the trainer may
splice ids, and repair, which goes through text, meets the same states. Where one of several equal tokens could be the
inserted or deleted one, the leftmost is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from ctm.grid.layout import DoesNotFit, check_fits
from ctm.grid.packed import pack, replacement_units
from ctm.grid.tokenizer import CodeTokenizer

MAX_UNITS = 16
MAX_PASSES = 8
_BLOCK = 32  # cells
CUTS = (MAX_UNITS, 15, 14, 12, 8)
"""Units of the first part of a long replacement: a cut inside `a = b` is not canonical, an earlier one may be."""


class Unreachable(ValueError):
    """The fixed text cannot be made in `MAX_PASSES` edits. `reason` is a fixed phrase, for counting."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Edit(NamedTuple):
    """Cells [start, end) of a state become `tokens` (ids); (L, L, ()) is 'no edit'."""

    start: int
    end: int
    tokens: tuple[int, ...]

    def is_none(self, cells: int) -> bool:
        """Whether this is 'no edit' of a state with L = `cells`."""
        return self.start == self.end == cells and not self.tokens


def apply_edit(ids: Sequence[int], edit: Edit) -> list[int]:
    """The ids after the edit; its place must lie inside them."""
    assert 0 <= edit.start <= edit.end <= len(ids), (edit, len(ids))
    spliced = list(ids)
    spliced[edit.start : edit.end] = edit.tokens
    return spliced


def edits_between(buggy: Sequence[int], fixed: Sequence[int], tokenizer: CodeTokenizer) -> list[Edit]:
    """Edits that lead from the ids of one text to those of another; none for equal ids.

    Raises Unreachable (with its reason) if that takes more than 8, or a state on the way does not fit the grid.
    """
    return [step.edit for step in steps_between(buggy, fixed, tokenizer)]


class EditStep(NamedTuple):
    """An edit and the state that it leads to."""

    edit: Edit
    ids: list[int]
    text: str | None
    """None for the last one, whose text is the fixed one."""


def steps_between(buggy: Sequence[int], fixed: Sequence[int], tokenizer: CodeTokenizer) -> list[EditStep]:
    """`edits_between` with the states on the way; the last one is `fixed`."""
    state, goal = list(buggy), list(fixed)
    steps: list[EditStep] = []
    while state != goal:
        if len(steps) == MAX_PASSES:
            raise Unreachable("more than 8 edits")
        step = next(filter(None, (_step(state, goal, tokenizer, max_units) for max_units in CUTS)), None)
        if step is None:
            raise Unreachable("an edit changes how other cells are read")
        try:
            check_fits(step.ids)
        except DoesNotFit as error:
            raise Unreachable("a state on the way does not fit") from error
        steps.append(step)
        state = step.ids
    return steps


def _step(state: list[int], goal: list[int], tokenizer: CodeTokenizer, max_units: int) -> EditStep | None:
    """The first edit towards `goal` and the canonical state behind it; None if no single edit leads there."""
    edit = _first_edit(state, goal, tokenizer, max_units)
    spliced = apply_edit(state, edit)
    if spliced == goal:
        return EditStep(edit, goal, None)
    text = tokenizer.decode(spliced)
    canonical = tokenizer.encode(text)
    if canonical == spliced:
        return EditStep(edit, spliced, text)
    if canonical == state:
        return None
    edit = _first_edit(state, canonical, tokenizer, MAX_UNITS)
    return EditStep(edit, canonical, text) if apply_edit(state, edit) == canonical else None


def _first_edit(state: list[int], goal: list[int], tokenizer: CodeTokenizer, max_units: int) -> Edit:
    """The first hunk of a shortest edit script, cut to `max_units` and moved as far left as it goes."""
    first, last = _changed(state, goal)
    old, new = state[first : len(state) - last], goal[first : len(goal) - last]
    start, end, start_b, end_b = _first_hunk(old, new) if old and new else (0, len(old), 0, len(new))
    edit = _leftmost(state, start + first, end + first, new[start_b:end_b])
    return _cut(state, edit, tokenizer, max_units)


def _first_hunk(old: list[int], new: list[int]) -> tuple[int, int, int, int]:
    """Where the first hunk of a shortest edit script begins and ends on both sides."""
    start = end = start_b = end_b = -1
    for code in Levenshtein.opcodes(old, new):
        if code.tag == "equal":
            if start >= 0:
                break
            continue
        if start < 0:
            start, start_b = code.src_start, code.dest_start
        end, end_b = code.src_end, code.dest_end
    return start, end, start_b, end_b


def _changed(state: list[int], goal: list[int]) -> tuple[int, int]:
    """Lengths of the common prefix and, after it, of the common suffix."""
    shorter = min(len(state), len(goal))
    first = 0
    while state[first : first + _BLOCK] == goal[first : first + _BLOCK] and first < shorter:
        first += _BLOCK  # lists are compared faster than their items
    first = min(first, shorter)
    while first < shorter and state[first] == goal[first]:
        first += 1
    last, left, right, limit = 0, len(state), len(goal), shorter - first
    while last + _BLOCK <= limit and state[left - _BLOCK : left] == goal[right - _BLOCK : right]:
        last, left, right = last + _BLOCK, left - _BLOCK, right - _BLOCK
    while last < limit and state[-1 - last] == goal[-1 - last]:
        last += 1
    return first, last


def _leftmost(state: list[int], start: int, end: int, tokens: list[int]) -> Edit:
    """Slide a pure insertion or deletion left over equal cells."""
    if start == end:
        while start > 0 and state[start - 1] == tokens[-1]:
            tokens = [tokens[-1], *tokens[:-1]]
            start = end = start - 1
    elif not tokens:
        while start > 0 and state[start - 1] == state[end - 1]:
            start, end = start - 1, end - 1
    return Edit(start, end, tuple(tokens))


def _cut(state: list[int], edit: Edit, tokenizer: CodeTokenizer, max_units: int) -> Edit:
    """A replacement of more than `max_units` units becomes an insertion of its first ones; the rest follows."""
    tokens = edit.tokens
    if len(tokens) <= max_units:  # a token is one unit at most
        return edit
    packed = pack(state, tokenizer)
    if len(replacement_units(tokens, packed, tokenizer)) <= max_units:
        return edit
    keep = len(tokens)
    while len(replacement_units(tokens[:keep], packed, tokenizer)) > max_units:
        keep -= 1
    return Edit(edit.start, edit.start, tokens[:keep])
