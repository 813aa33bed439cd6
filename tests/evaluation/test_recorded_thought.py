"""A recorded thought is the proposer's: its answer, its certainty; attention adds up, and cells cover the text."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from ctm.evaluation.recorded_thought import record_thought
from ctm.evaluation.suites import Case, prepare
from ctm.evaluation.torch_proposer import TargetEdit, TorchProposer
from ctm.grid.edits import Edit, apply_edit
from ctm.grid.packed import expand_units
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.repair.candidates import make_state
from ctm.repair.evaluate import Item


@pytest.fixture(scope="module")
def cases(items: list[Item], tokenizer: CodeTokenizer) -> list[Case]:
    return prepare(items[:8], tokenizer)


def test_it_answers_as_the_proposer_does(model: CTM, tokenizer: CodeTokenizer, cases: list[Case]) -> None:
    for case in cases:
        thought = record_thought(model, tokenizer, case)
        proposer = TorchProposer(model, tokenizer, goals={case.text: case.goal})
        (answer,) = proposer.propose([make_state(case.text, tokenizer)])
        assert thought.proposals[thought.answering - 1] == answer
        watched = proposer.tick_results[case.text]
        assert [edit.right for edit in thought.edits] == watched.right.tolist()
        np.testing.assert_array_equal(thought.certainty, watched.certainty)


def test_the_edit_of_a_tick_is_right_where_it_is_what_the_item_asks_for(
    model: CTM, tokenizer: CodeTokenizer, cases: list[Case]
) -> None:
    for case in cases:
        edit = record_thought(model, tokenizer, case).edits[1]
        if edit.is_none or not edit.written:
            continue
        ids = tokenizer.encode(case.text)
        asked = Edit(edit.start, edit.end, tuple(_units(model, tokenizer, case)))
        fixed = tokenizer.decode(apply_edit(ids, asked))
        other = dataclasses.replace(case, goal=TargetEdit(asked, fixed))
        assert not edit.right and record_thought(model, tokenizer, other).edits[1].right
        return
    pytest.fail("no tick wrote anything")


def _units(model: CTM, tokenizer: CodeTokenizer, case: Case) -> tuple[int, ...]:
    best = record_thought(model, tokenizer, case).proposals[1].candidates[0]
    state = make_state(case.text, tokenizer)
    assert state is not None
    return expand_units(best.units, state.packed, tokenizer.vocab_size)


@torch.inference_mode()
def test_the_attention_is_what_the_tick_reads_with(
    model: CTM, tokenizer: CodeTokenizer, cases: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ctm.model import attention

    used, real = [], attention.attend

    def seen(*given):
        read, weights = real(*given)
        used.append(weights)
        return read, weights

    monkeypatch.setattr(attention, "attend", seen)
    thought = record_thought(model, tokenizer, cases[0])
    ticks, heads, cells = thought.attention.shape
    assert (
        (ticks, heads, cells) == (model.config.ticks, model.config.heads, len(thought.cells)) == (4, 2, cells)
    )
    for tick in range(ticks):
        np.testing.assert_array_equal(thought.attention[tick], used[tick][0, :, 0, :cells].numpy())
    np.testing.assert_allclose(thought.attention.sum(axis=2), 1, atol=1e-5)
    assert thought.pointers.shape == (ticks, 2, cells)
    assert thought.synchronization.shape == (ticks, model.config.out_pairs)


def test_cells_cover_the_text(model: CTM, tokenizer: CodeTokenizer, cases: list[Case]) -> None:
    thought = record_thought(model, tokenizer, cases[1])
    assert "".join(thought.text[begin:end] for begin, end in thought.cells) == thought.text
    assert thought.cells[-1] == (len(thought.text), len(thought.text)), "the end has no characters"


def test_what_does_not_fit_is_refused(model: CTM, tokenizer: CodeTokenizer, items: list[Item]) -> None:
    with pytest.raises(ValueError, match="item too-long does not fit the grid"):
        record_thought(model, tokenizer, prepare([items[-1]], tokenizer)[0])
