"""Batches say of many states at once what `grid.packed` says of each alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from ctm.grid.batching import collate
from ctm.grid.edits import MAX_UNITS, Edit
from ctm.grid.packed import pack, replacement_units
from ctm.grid.tokenizer import STOP, CodeTokenizer
from ctm.training import batch as module
from ctm.training.batch import (
    CELLS_MULTIPLE,
    UNITS_MULTIPLE,
    TrainingBatch,
    batches,
    collect_visits,
    make_batch,
)
from ctm.training.data import TrainingSet, load_split, plan_visits
from ctm.training.settings import StageRun


@pytest.fixture(scope="module")
def data(grids) -> TrainingSet:
    return load_split(grids.train)


@pytest.fixture(scope="module")
def codec(grids) -> CodeTokenizer:
    return CodeTokenizer.load(grids.tokenizer)


def one_by_one(visits: list[tuple[list[int], Edit, tuple[int, int]]], codec: CodeTokenizer) -> TrainingBatch:
    """The batch of these visits, each packed by itself."""
    packed = [pack(ids, codec) for ids, _, _ in visits]
    arrays = collate(packed, [diagnosis for _, _, diagnosis in visits], CELLS_MULTIPLE)
    words = np.full(arrays["tokens"].shape, -1)
    units: list[tuple[int, int, int, int]] = []
    for number, (state, (_, answer, _)) in enumerate(zip(packed, visits, strict=True)):
        words[number, : len(state.word_numbers)] = state.word_numbers
        right = replacement_units(answer.tokens, state, codec)
        if len(right) < MAX_UNITS:
            right.append((STOP, -1))
        units += [(number, slot, *unit) for slot, unit in enumerate(right)]
    units += [(0, 0, -1, -1)] * (-len(units) % UNITS_MULTIPLE)
    return TrainingBatch(
        {name: torch.from_numpy(array) for name, array in arrays.items()},
        torch.from_numpy(words),
        torch.tensor([answer.start for _, answer, _ in visits]),
        torch.tensor([answer.end for _, answer, _ in visits]),
        *torch.tensor(units).T,
    )


def assert_equal(one: TrainingBatch, other: TrainingBatch) -> None:
    for name, tensor in {**one.inputs, **vars(one)}.items():
        if isinstance(tensor, torch.Tensor):
            same = other.inputs[name] if name in one.inputs else getattr(other, name)
            assert tensor.dtype == same.dtype == torch.int64 and torch.equal(tensor, same), name


@pytest.mark.parametrize("together", [1, 30, 2048])
def test_batches_of_a_plan_are_those_of_single_states(
    data: TrainingSet, codec: CodeTokenizer, run: StageRun, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "VISITS_PER_CHUNK", together)
    stage = dataclasses.replace(run.stage, samples=10_000, epochs=3)
    plan = plan_visits(data, stage, run.training, 1)
    assert (plan.state > 0).any() and (data.edit_counts()[plan.pair] > plan.state).any()
    found = list(batches(data, plan, codec))
    assert len(found) == len(plan)
    for number, batch in enumerate(found):
        mine = slice(number * plan.batch, (number + 1) * plan.batch)
        pairs = zip(plan.pair[mine].tolist(), plan.state[mine].tolist(), strict=True)
        assert_equal(one_by_one([data.visit(*pair) for pair in pairs], codec), batch)


def test_states_after_edits_are_those_of_visits(data: TrainingSet) -> None:
    pairs = [(n, made) for n in range(len(data)) for made in range(int(data.edit_counts()[n]) + 1)]
    assert max(made for _, made in pairs) >= 2
    found = collect_visits(data, *np.array(pairs).T)
    cells = np.split(found.states.cells, np.cumsum(found.states.counts)[:-1])
    answers = np.split(found.replacements.cells, np.cumsum(found.replacements.counts)[:-1])
    for number, pair in enumerate(pairs):
        ids, answer, diagnosis = data.visit(*pair)
        assert cells[number].tolist() == ids and tuple(found.diagnosis[number]) == diagnosis
        made = Edit(int(found.start[number]), int(found.end[number]), tuple(answers[number].tolist()))
        assert made == answer


def test_odd_states_and_long_answers(codec: CodeTokenizer) -> None:
    """No cells at all, no word, words of several tokens that are copied, and a replacement without room for STOP."""
    texts = ["", "\n\n", "()", "unusual_name(unusual_name, other)\n", "é = 'ß'", "x\n" * 60, "1 1_0 _ é_a"]
    name = codec.encode("unusual_name")[1:]
    assert len(name) > 1
    answers = [(), name, codec.encode("other_thing = unusual_name")[1:], codec.encode("(" * 40)[1:17]]
    states = [codec.encode(text) for text in texts for _ in answers]
    edits = [Edit(0, min(1, len(ids)), tuple(answers[n % 4])) for n, ids in enumerate(states)]
    diagnoses = [(n - 1, n % 7) for n in range(len(states))]
    made = make_batch(states, edits, diagnoses, codec)
    assert_equal(one_by_one(list(zip(states, edits, diagnoses, strict=True)), codec), made)
    assert int(made.unit_slot.max()) == MAX_UNITS - 1
