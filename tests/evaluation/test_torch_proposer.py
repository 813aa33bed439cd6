"""The torch proposer answers what the model says, in batches as alone, and knows what every tick said."""

from __future__ import annotations

import pytest
import torch

from ctm.evaluation.first_states import inputs_of
from ctm.evaluation.suites import prepare
from ctm.evaluation.torch_proposer import TargetEdit, TorchProposer, leads_to
from ctm.grid.edits import Edit, apply_edit
from ctm.grid.packed import expand_units, replacement_units
from ctm.grid.tokenizer import STOP, CodeTokenizer
from ctm.model.decoding import best_spans, likeliest_units
from ctm.model.inference import REPLACEMENTS, SPANS
from ctm.model.model import CTM
from ctm.repair.candidates import CodeState, make_state
from ctm.repair.evaluate import Item


@pytest.fixture(scope="module")
def states(items: list[Item], tokenizer: CodeTokenizer) -> list[CodeState]:
    made = [make_state(item.buggy.rstrip("\n"), tokenizer) for item in items[:12]]
    return [state for state in made if state is not None]


def test_batch_answers_what_single_samples_do(
    model: CTM, tokenizer: CodeTokenizer, states: list[CodeState]
) -> None:
    for threshold in (2.0, 0.02):
        proposer = TorchProposer(model, tokenizer, threshold)
        together = proposer.propose(states)
        for state, answer in zip(states, together, strict=True):
            (alone,) = proposer.propose([state])
            assert alone.ticks == answer.ticks
            assert alone.certainty == pytest.approx(answer.certainty, abs=1e-5)
            best, other = alone.candidates[0], answer.candidates[0]
            assert best.log_probability == pytest.approx(other.log_probability, abs=1e-4)


def test_candidates_are_ranked_and_of_the_most_certain_tick(
    model: CTM, tokenizer: CodeTokenizer, states: list[CodeState]
) -> None:
    proposer = TorchProposer(model, tokenizer, goals={s.text: _no_edit(s) for s in states})
    for state, answer in zip(states, proposer.propose(states), strict=True):
        scores = [candidate.log_probability for candidate in answer.candidates]
        assert scores == sorted(scores, reverse=True) and 0 < len(scores) <= SPANS * REPLACEMENTS
        certainty = proposer.tick_results[state.text].certainty
        assert certainty.shape == (model.config.ticks,)
        assert certainty[answer.ticks - 1] == pytest.approx(certainty.max(), abs=1e-6)


@torch.inference_mode()
def test_watched_ticks_are_right_where_a_plain_reading_is(
    model: CTM, tokenizer: CodeTokenizer, states: list[CodeState]
) -> None:
    """The goal is what the model says at tick 2: that tick must be right, and others only if they say the same."""
    goals, said = {}, {}
    for state in states:
        thought = model(**inputs_of([state]))
        for tick in range(model.config.ticks):
            spans, _ = best_spans(thought.pointers[:, tick], 1)
            units = likeliest_units(model, thought.readout[:, tick], thought.encoding, spans)
            said[state.text, tick] = _edited(state, spans[0, 0].tolist(), units[0, 0].tolist(), tokenizer)
        edit, text = said[state.text, 1]
        if edit is not None:
            goals[state.text] = TargetEdit(edit, text)
    assert goals
    proposer = TorchProposer(model, tokenizer, goals=goals)
    proposer.propose(states)
    assert set(proposer.tick_results) == set(goals)
    for text, goal in goals.items():
        right = proposer.tick_results[text].right
        assert right[1]
        for tick in range(model.config.ticks):
            assert right[tick] == (said[text, tick][1] == goal.text)


def test_other_place_for_the_same_change_is_right(tokenizer: CodeTokenizer) -> None:
    state = make_state("f(a, a, b)", tokenizer)
    assert state is not None
    cells = [tokenizer.decode([index]) for index in state.ids]
    first = next(i for i, text in enumerate(cells) if text.strip() == "a")
    goal = TargetEdit(Edit(first, first + 2, ()), "f(a, b)")
    assert leads_to(state, goal, first, first + 2, [STOP], tokenizer)
    assert leads_to(state, goal, first + 1, first + 3, [STOP], tokenizer), (
        "which of two equals went is no matter"
    )
    assert not leads_to(state, goal, first, first + 1, [STOP], tokenizer)
    assert not leads_to(state, goal, len(state.ids), len(state.ids) + 1, [STOP], tokenizer), (
        "outside of the state"
    )
    assert not leads_to(state, goal, 0, 0, [tokenizer.vocab_size + 1, STOP], tokenizer), "a copy of no word"
    assert not leads_to(state, None, first, first + 2, [STOP], tokenizer)


def test_case_goals_are_reached_by_their_own_edits(items: list[Item], tokenizer: CodeTokenizer) -> None:
    for case in prepare(items, tokenizer):
        state = make_state(case.text, tokenizer)
        if case.goal is None or state is None:
            continue
        words = state.packed.word_numbers.tolist()
        units = [
            token if token >= 0 else tokenizer.vocab_size + words.index(word)
            for token, word in replacement_units(case.goal.edit.tokens, state.packed, tokenizer)
        ]
        assert leads_to(state, case.goal, case.goal.edit.start, case.goal.edit.end, [*units, STOP], tokenizer)


def _no_edit(state: CodeState) -> TargetEdit:
    return TargetEdit(Edit(len(state.ids), len(state.ids), ()), state.text)


def _edited(
    state: CodeState, span: list[int], units: list[int], tokenizer: CodeTokenizer
) -> tuple[Edit | None, str]:
    try:
        edit = Edit(span[0], span[1], expand_units(units, state.packed, tokenizer.vocab_size))
    except ValueError:
        return None, ""
    return edit, tokenizer.decode(apply_edit(state.ids, edit))
