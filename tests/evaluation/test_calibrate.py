"""Thresholds: next to no accuracy lost, and the same meaning as in the model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ctm.evaluation.calibrate import (
    EVERY_EDIT,
    answering_ticks,
    choose_further,
    choose_tick,
    draw_equally,
)
from ctm.evaluation.repairs import CaseResult
from ctm.evaluation.suites import Case, prepare
from ctm.evaluation.torch_proposer import TickResults
from ctm.grid.edits import edits_between
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.inference import RUN_ALL_TICKS, SelectedTick, select_tick
from ctm.model.model import TickOutput
from ctm.repair.candidates import Candidate, CodeState, Proposal
from ctm.repair.evaluate import Item, judge_item
from ctm.repair.passes import Repairer


def test_answering_tick_means_the_same_as_in_the_model() -> None:
    certainty = np.random.default_rng(2).random((50, 6)).astype(np.float32)
    for threshold in (RUN_ALL_TICKS, 0.5, 0.9, 0.0):
        kept = SelectedTick(
            torch.full((50,), -torch.inf), torch.zeros(50, dtype=torch.int64), torch.zeros(50, 1),
            torch.zeros(50, 2, 3),
        )  # fmt: skip
        for tick in range(6):
            said = TickOutput(torch.zeros(50, 1), torch.zeros(50, 2, 3), torch.from_numpy(certainty[:, tick]))
            kept = select_tick(kept, said, tick + 1, threshold)
        answering, taken = answering_ticks(certainty, threshold)
        assert (kept.tick.numpy() == answering + 1).all()
        assert (taken >= answering + 1).all() and (taken[certainty.max(1) < threshold] == 6).all()


def _judged(category: str, right: list[bool], certainty: list[float]) -> CaseResult:
    item = Item("x", "", "", category, category)
    thought = TickResults(np.array(right), np.array(certainty, dtype=np.float32))
    return CaseResult(Case(item, "", 1, 1, None), None, thought)  # type: ignore[arg-type]


def test_tick_threshold_saves_ticks_that_change_nothing() -> None:
    items = [_judged("syntax", [False, True, True, True], [0.1, 0.9, 0.91, 0.92])] * 20
    choice = choose_tick(items, 4, 0.005)
    assert 0.1 < choice.threshold <= 0.9 and choice.ticks_mean == 2
    assert choice.accuracy == choice.accuracy_of_all_ticks


def test_tick_threshold_is_never_where_every_tick_is_needed() -> None:
    items = [_judged("syntax", [False, False, False, True], [0.5, 0.6, 0.7, 0.8])] * 20
    choice = choose_tick(items, 4, 0.005)
    assert choice.ticks_mean == 4 and choice.accuracy["overall"] == 1


def test_tick_threshold_harms_no_single_category() -> None:
    easy = [_judged("syntax", [True] * 4, [0.5, 0.6, 0.7, 0.8])] * 500
    hard = [_judged("clean", [False, False, False, True], [0.5, 0.6, 0.7, 0.8])] * 5
    assert choose_tick(easy + hard, 4, 0.005).ticks_mean == 4


class Eager:
    """Goes the way it was told, each step with its probability."""

    def __init__(self, steps: dict[str, tuple[str, float]], tokenizer: CodeTokenizer) -> None:
        self.steps, self.tokenizer = steps, tokenizer

    def propose(self, states: list[CodeState]) -> list[Proposal]:
        return [Proposal((self._candidate(state),), 0.9, 1) for state in states]

    def _candidate(self, state: CodeState) -> Candidate:
        text, probability = self.steps.get(state.text, (state.text, 1.0))
        edits = edits_between(state.ids, self.tokenizer.encode(text), self.tokenizer)
        if not edits:
            return Candidate(len(state.ids), len(state.ids), (), 0.0)
        return Candidate(edits[0].start, edits[0].end, edits[0].tokens, float(np.log(probability)))


def _repaired(further: float, tokenizer: CodeTokenizer) -> list[CaseResult]:
    """One edit, which the model makes for sure, then another at 0.4; two edits at 0.7; broken code like the first."""
    items, steps = [], {}
    for name in "abcdef":
        for category, texts, probabilities in (
            ("logic", ("1", "2", "2 + 1"), (0.9, 0.4)),
            ("syntax", ("(5", "(5)", "(5) + 1"), (0.1, 0.4)),
            ("complex", ("3", "4", "4 + 1", "4 + 1 + 1"), (0.2, 0.7, 0.3)),
        ):
            states = [f"{name} = {text}" for text in texts]
            items.append(Item(states[0], states[0], states[-2], category, category))
            steps |= dict(zip(states, zip(states[1:], probabilities, strict=True), strict=False))
    cases = prepare(items, tokenizer)
    repairs = Repairer(Eager(steps, tokenizer), tokenizer, EVERY_EDIT, further=further).repair(
        [i.buggy for i in items]
    )
    return [CaseResult(c, judge_item(c.item, r, c.reason), None) for c, r in zip(cases, repairs, strict=True)]


def test_further_edits_are_made_only_where_they_are_mostly_right(tokenizer: CodeTokenizer) -> None:
    free = _repaired(0.0, tokenizer)
    choice = choose_further(free)
    assert choice.threshold == 0.4, "the lowest that ends one edit where it is right, and lets two be made"
    assert choice.accuracy["overall"] == 1 and choice.accuracy_of_all_edits["overall"] == pytest.approx(
        1 / 3
    ), "broken code is done once it compiles"
    with_it = _repaired(choice.threshold, tokenizer)
    assert all(item.evaluated.outcome.exact_rank == 1 for item in with_it), (
        "a run with it does what was foreseen"
    )
    assert choose_further(with_it).accuracy == choice.accuracy


def test_further_edits_without_any_item_need_no_more_than_others() -> None:
    assert choose_further([]).threshold == 0.0


def test_categories_are_drawn_in_equal_shares(items: list[Item]) -> None:
    drawn = draw_equally(items, 12, np.random.default_rng(0))
    assert {c: sum(i.category == c for i in drawn) for c in ("syntax", "logic", "clean")} == {
        "syntax": 4, "logic": 4, "clean": 4
    }  # fmt: skip
