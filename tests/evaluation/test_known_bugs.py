"""What is measured on bugs that compile: with and without knowing that there is one, and against false alarms."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from ctm.evaluation.known_bugs import (
    BugResult,
    ProposedEdits,
    Strengths,
    at_equal_recall,
    best_edits,
    changed_lines,
    curve,
    judge_edits,
    measures,
    proposals_at,
    recall_at,
)
from ctm.grid.tokenizer import CodeTokenizer
from ctm.repair.candidates import Candidate, CodeState, Proposal
from ctm.repair.evaluate import Item

BUGGY, FIXED = "def f(a, b):\n    return a > b\n", "def f(a, b):\n    return a >= b\n"


class Fixed:
    """Gives the same candidates for every state, as (old, new, probability); old "" is 'no edit'."""

    def __init__(self, tokenizer: CodeTokenizer, edits: Sequence[tuple[str, str, float]]) -> None:
        self.tokenizer, self.edits = tokenizer, edits

    def propose(self, states: Sequence[CodeState]) -> list[Proposal]:
        return [
            Proposal(tuple(self._candidate(state, *edit) for edit in self.edits), 1.0, 1) for state in states
        ]

    def _candidate(self, state: CodeState, old: str, new: str, probability: float) -> Candidate:
        if not old:
            return Candidate(0, 0, (), math.log(probability))
        cells = self.tokenizer.encode(state.text)
        wanted = self.tokenizer.encode(state.text.replace(old, new))
        start = next(place for place, (a, b) in enumerate(zip(cells, wanted, strict=False)) if a != b)
        end = len(cells) - next(
            n for n, (a, b) in enumerate(zip(cells[::-1], wanted[::-1], strict=False)) if a != b
        )
        return Candidate(
            start, end, tuple(wanted[start : len(wanted) - len(cells) + end]), math.log(probability)
        )


def test_the_best_edit_is_known_though_no_edit_comes_first(tokenizer: CodeTokenizer) -> None:
    """'no edit' takes nothing from the ranks; it only makes that nothing is suggested. What does not compile is out."""
    proposer = Fixed(
        tokenizer, [("", "", 0.5), ("a > b", "a > )", 0.2), ("> b", "< b", 0.2), ("> b", ">= b", 0.1)]
    )
    (edits,) = best_edits([BUGGY], proposer, tokenizer)
    assert edits is not None
    assert edits.texts == (BUGGY.replace(">", "<").rstrip(), FIXED.rstrip())
    assert edits.strength == 0
    judged = judge_edits(Item("1", BUGGY, FIXED, "logic", "comparison_operator"), edits)
    assert (judged.rank, judged.line) == (2, True)
    (edits,) = best_edits([BUGGY], Fixed(tokenizer, [("> b", ">= b", 0.9), ("", "", 0.1)]), tokenizer)
    assert edits is not None
    assert 0 < edits.strength < 0.9, "short code needs more than its probability"


def test_lines_that_a_fix_changes() -> None:
    """Lines that only come count where they come, so that an edit there is in the right line."""
    assert changed_lines("a\nb\nc", "a\nx\nc") == {1}
    assert changed_lines("a\nb\nc", "a\nx\nb\nc") == {1}


def test_shares_are_given_by_kind_with_intervals() -> None:
    """A proposal counts above the threshold alone; the best edit counts without one."""
    items = [Item(str(n), "a", "b", "logic", kind, project=f"p{n}") for n, kind in enumerate("xxyy")]
    judged = [BugResult(rank, True, strong, True) for rank, strong in ((1, 0.9), (2, 0.9), (1, 0.1))]
    judged.append(BugResult(None, False, 0, False))
    found = measures(items, judged, 0.5)
    assert found["all"]["exact_at_1"] == 0.5
    assert (found["all"]["exact_at_5"], found["all"]["line"]) == (0.75, 0.75)
    assert (found["all"]["proposed"], found["all"]["proposed_right"]) == (0.5, 0.25)
    assert found["by_kind"]["x"]["proposed_line"] == 1
    low, high = found["all"]["intervals"]["exact_at_1"]
    assert low < 0.5 < high


def test_recall_stands_against_proposals_on_working_code() -> None:
    """The threshold is the lowest that keeps within the budget, and the highest that has the recall."""
    strengths = Strengths(np.array([0.9, 0.7, 0.5, 0.0]), np.array([0.8, 0.6] + [0.0] * 998))
    assert recall_at(strengths, 1) == 0.5
    assert proposals_at(strengths.found, strengths.working, 0.25) == 0
    assert proposals_at(strengths.found, strengths.working, 0.5) == 1
    assert math.isnan(proposals_at(strengths.found, strengths.working, 0.8))
    assert curve(strengths)["sweep"][-1] == [0.5, 0.75, 2]


def test_two_models_are_compared_at_equal_recall() -> None:
    """The one with half of the proposals at the same recall has the ratio 0.5."""
    rng = np.random.default_rng(0)
    found = rng.uniform(size=200)
    first, second = rng.uniform(0, 1, 4000), np.zeros(4000)
    second[::2] = first[::2]
    models = {"first": Strengths(found, first), "second": Strengths(found, second)}
    rows = at_equal_recall(models, [f"p{n % 20}" for n in range(200)], [f"w{n % 10}" for n in range(4000)])
    assert rows[0]["recall"] == 0.01
    last = rows[-1]
    assert last["ratio"]["value"] == pytest.approx(0.5, abs=0.1)
    low, high = last["ratio"]["interval"]
    assert low < 0.5 < high < 1


def test_a_text_that_does_not_fit_is_a_failure(tokenizer: CodeTokenizer) -> None:
    """It has no edits, and counts in every share."""
    (edits,) = best_edits(["x = 1\n" * 200], Fixed(tokenizer, [("", "", 1.0)]), tokenizer)
    assert edits is None
    assert judge_edits(Item("1", "x", "y", "logic"), edits) == BugResult(None, False, 0.0, False)
    assert Strengths.of([], [edits, ProposedEdits((), 0.3)]).working.tolist() == [0.0, 0.3]
