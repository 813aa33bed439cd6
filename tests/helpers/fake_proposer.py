"""A model that is none: it proposes what a test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctm.grid.edits import edits_between
from ctm.grid.packed import replacement_units
from ctm.grid.tokenizer import CodeTokenizer
from ctm.repair.candidates import Candidate, CodeState, Proposal

Suggest = Callable[[CodeState], list[tuple[str, float]]]
"""State -> (text, log-probability) of each proposal."""


class FakeProposer:
    """Proposes edits towards the texts that `suggest` gives for a state; the state's own text is 'no edit'."""

    def __init__(self, tokenizer: CodeTokenizer, suggest: Suggest) -> None:
        self.tokenizer = tokenizer
        self.suggest = suggest
        self.calls: list[list[str]] = []

    @property
    def asked(self) -> list[str]:
        return [text for call in self.calls for text in call]

    def propose(self, states: Sequence[CodeState]) -> list[Proposal]:
        self.calls.append([state.text for state in states])
        return [Proposal(tuple(self._candidates(state)), 0.9, 5) for state in states]

    def _candidates(self, state: CodeState) -> list[Candidate]:
        found = [self._candidate(state, text, score) for text, score in self.suggest(state)]
        return sorted(found, key=lambda item: -item.log_probability)

    def _candidate(self, state: CodeState, text: str, score: float) -> Candidate:
        edits = edits_between(state.ids, self.tokenizer.encode(text), self.tokenizer)
        if not edits:
            return Candidate(len(state.ids), len(state.ids), (), score)
        vocabulary = self.tokenizer.vocab_size
        units = [
            token if token >= 0 else vocabulary + state.packed.word_numbers.tolist().index(number)
            for token, number in replacement_units(edits[0].tokens, state.packed, self.tokenizer)
        ]
        return Candidate(edits[0].start, edits[0].end, tuple(units), score)
