"""Proposals of the model, and applying their candidates to a state of the code.

The model only proposes; Python's compiler is asked about every proposal before it counts. `Proposer` is the
one seam between repair and the model: onnxruntime behind it in use, an oracle or an adversary in the tests.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ctm.grid.diagnosis import diagnose
from ctm.grid.edits import MAX_UNITS, Edit
from ctm.grid.layout import DoesNotFit
from ctm.grid.packed import PackedCells, expand_units, pack
from ctm.grid.tokenizer import EOL, CodeTokenizer
from ctm.python.messages import NO_MESSAGE

MAX_CELLS = 1536
"""Of a state: attention takes memory with their square (one line of 3 kB took 0.6 GB), and 24 cells in each of 64 rows
are more than 99 of 100 functions have."""


@dataclass(frozen=True, slots=True, eq=False)
class CodeState:
    """A text as the model sees it: its ids, packed with their places, and the parser's diagnosis (cell, kind)."""

    text: str
    ids: list[int]
    packed: PackedCells
    diagnosis: tuple[int, int]

    @property
    def compiles(self) -> bool:
        """Whether the running Python compiles the text."""
        return self.diagnosis[1] == NO_MESSAGE


@dataclass(frozen=True, slots=True)
class Candidate:
    """Cells [start, end) become `units` (u < V: token u; V + p: the word that begins at cell p; STOP left out)."""

    start: int
    end: int
    units: tuple[int, ...]
    log_probability: float
    """Of the span and the units together, natural logarithm."""

    @property
    def probability(self) -> float:
        """exp(log_probability), never above 1."""
        return math.exp(min(self.log_probability, 0.0))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A model's answer for one state: its candidates, the most probable first."""

    candidates: tuple[Candidate, ...]
    certainty: float
    ticks: int


class Proposer(Protocol):
    """Anything that answers states; it may batch them as it likes, the answers come in the order of the states."""

    def propose(self, states: Sequence[CodeState]) -> list[Proposal]:
        """One Answer per state."""
        ...


@dataclass(frozen=True, slots=True)
class AppliedEdit:
    """What a candidate makes of a state."""

    candidate: Candidate
    text: str
    is_edit: bool
    """False for 'no edit', and for an edit that changes nothing."""
    deleted: int = 0
    """Cells of the state that go: those at both ends that the replacement has too stay."""
    inserted: int = 0
    """Cells that come."""
    rewrite: str = ""
    """Name of the rewrite that it is, "" for an edit of the model."""

    @staticmethod
    def of_rewrite(name: str, text: str, score: float) -> AppliedEdit:
        """A rewrite that competes with edits of the model as if it had this log-probability."""
        return AppliedEdit(Candidate(0, 0, (), score), text, True, rewrite=name)


@dataclass
class StateCache:
    """Makes states and remembers them: a text is encoded and diagnosed once."""

    tokenizer: CodeTokenizer
    known: dict[str, CodeState | None] = field(default_factory=dict)

    def __call__(self, text: str) -> CodeState | None:
        """The state of `text`, None where it does not fit the grid."""
        if text not in self.known:
            self.known[text] = make_state(text, self.tokenizer)
        return self.known[text]


def make_state(text: str, tokenizer: CodeTokenizer) -> CodeState | None:
    """The state of `text`, None where it does not fit the grid or has more than `MAX_CELLS`."""
    ids = tokenizer.encode(text)
    if len(ids) > MAX_CELLS:
        return None
    try:
        packed = pack(ids, tokenizer)
    except DoesNotFit:
        return None
    return CodeState(text, ids, packed, diagnose(text, tokenizer, ids))


def options(
    state: CodeState, answer: Proposal, tokenizer: CodeTokenizer, min_log_probability: float = -math.inf
) -> Iterator[AppliedEdit]:
    """Every usable candidate with the text it makes, in the order of the answer, lazily.

    min_log_probability: log-probability from which candidates are looked at.

    A candidate is unusable if its span lies outside the state or it copies a word from a cell where none begins.
    """
    ends = [place for place, index in enumerate(state.ids) if index == EOL]
    for candidate in answer.candidates:
        if candidate.log_probability < min_log_probability:  # the others are below, too
            return
        if not 0 <= candidate.start <= candidate.end <= len(state.ids) or len(candidate.units) > MAX_UNITS:
            continue
        try:
            tokens = expand_units(candidate.units, state.packed, tokenizer.vocab_size)
        except ValueError:
            continue
        edit = Edit(candidate.start, candidate.end, tokens)
        if edit.is_none(len(state.ids)):
            yield AppliedEdit(candidate, state.text, False)
            continue
        text = edited_text(state, edit, ends, tokenizer)
        yield AppliedEdit(candidate, text, text != state.text, *_size(state.ids, edit))


def _size(ids: Sequence[int], edit: Edit) -> tuple[int, int]:
    """Cells that an edit deletes and inserts, without those that it puts back at either end."""
    start, end, new = edit.start, edit.end, list(edit.tokens)
    while start < end and new and ids[start] == new[0]:
        start += 1
        del new[0]
    while start < end and new and ids[end - 1] == new[-1]:
        end -= 1
        del new[-1]
    return end - start, len(new)


def edited_text(state: CodeState, edit: Edit, ends: Sequence[int], tokenizer: CodeTokenizer) -> str:
    """The text after an edit; `ends`: the places of the state's EOL cells.

    Only the lines that the edit touches are decoded: nothing on a line depends on another.
    """
    first, last = bisect_left(ends, edit.start), bisect_left(ends, edit.end)
    begin = ends[first - 1] + 1 if first else 0
    stop = ends[last] if last < len(ends) else len(state.ids)
    touched = tokenizer.decode([*state.ids[begin : edit.start], *edit.tokens, *state.ids[edit.end : stop]])
    lines = state.text.split("\n")
    return "\n".join([*lines[:first], touched, *lines[last + 1 :]])
