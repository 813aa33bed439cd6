"""Which tick answers, and what is read from it: frozen samples stay, slots after the first ones are not lost."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ctm.model.answer import EARLY, STOP, best_units
from ctm.model.config import ModelConfig
from ctm.model.model import CTM, Memory, Output
from ctm.model.thinking import NEVER, Kept, keep, read, think

V = 60


@pytest.fixture(scope="module")
def model() -> CTM:
    torch.manual_seed(5)
    model = CTM(
        ModelConfig(
            vocabulary=V, width=16, heads=2, neurons=16, ticks=5, memory=3, nlm_hidden=2, synapse_depth=2,
            action_pairs=8, out_pairs=8, self_pairs=2,
        )
    ).eval()  # fmt: skip
    model.units.starts_word[20:] = True
    with torch.no_grad():
        model.units.slot.weight.mul_(3)  # slots that differ
    return model


@pytest.fixture(scope="module")
def inputs() -> dict[str, Tensor]:
    torch.manual_seed(6)
    shape = (6, 30)
    return {
        "tokens": torch.randint(5, V, shape), "rows": torch.randint(0, 64, shape), "cols": torch.randint(0, 48, shape),
        "lengths": torch.tensor([30, 1, 2, 17, 30, 9]), "diagnosis": torch.tensor([[3, 2], [-1, 0]] * 3),
    }  # fmt: skip


def test_a_frozen_sample_stays_and_others_keep_their_most_certain_tick() -> None:
    certainty = torch.tensor([[0.2, 0.7, 0.9], [0.3, 0.1, 0.2], [0.6, 0.9, 0.1]])
    kept = Kept(
        torch.full((3,), -torch.inf),
        torch.zeros(3, dtype=torch.int64),
        torch.zeros(3, 1),
        torch.zeros(3, 2, 1),
    )
    for tick in range(3):
        said = Output(torch.full((3, 1), tick + 1.0), torch.full((3, 2, 1), tick + 1.0), certainty[:, tick])
        kept = keep(kept, said, tick + 1, 0.5)
    assert kept.tick.tolist() == [2, 1, 1]
    assert kept.certainty.tolist() == pytest.approx([0.7, 0.3, 0.6])
    assert kept.synchronisation[:, 0].tolist() == kept.pointers[:, 1, 0].tolist() == [2, 1, 1]


@torch.no_grad()
def test_without_threshold_the_most_certain_of_all_ticks_answers(
    model: CTM, inputs: dict[str, Tensor]
) -> None:
    kept, _ = think(model, inputs, NEVER)
    thought = model(**inputs)
    assert kept.tick.tolist() == (thought.certainty.argmax(1) + 1).tolist()
    rows = torch.arange(6)
    torch.testing.assert_close(kept.pointers, thought.pointers[rows, kept.tick - 1], rtol=1e-6, atol=1e-6)
    assert torch.equal(kept.synchronisation, thought.synchronisation[rows, kept.tick - 1])


@torch.no_grad()
def test_a_low_threshold_ends_at_the_first_tick(
    model: CTM, inputs: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    tick = CTM.tick
    monkeypatch.setattr(CTM, "tick", lambda self, *given: (asked.append(1), tick(self, *given))[1])
    kept, _ = think(model, inputs, -1.0)
    assert kept.tick.tolist() == [1] * 6 and len(asked) == 1


def test_no_tick_at_all_is_refused(model: CTM, inputs: dict[str, Tensor]) -> None:
    with pytest.raises(ValueError, match="max_ticks 0 must be at least 1"):
        think(model, inputs, max_ticks=0)


def dense_units(model: CTM, sync: Tensor, memory: Memory, spans: Tensor) -> tuple[Tensor, Tensor]:
    """`best_units` written out: every slot of every span over the whole vocabulary and all copies."""
    slots = model.units.slots(sync, memory.h, spans[..., 0], spans[..., 1])
    tokens = model.units.vocabulary(slots, model.backbone.token.weight)
    flat = slots.flatten(1, 2)
    copies = model.units.copies(flat, memory.copies, memory.tokens).reshape(*slots.shape[:3], -1)
    value, unit = torch.log_softmax(torch.cat([tokens, copies], dim=-1), dim=-1).max(dim=-1)
    score = torch.zeros(spans.shape[:2])
    for b in range(spans.shape[0]):
        for k in range(spans.shape[1]):
            for slot in range(unit.shape[2]):
                score[b, k] += value[b, k, slot]
                if unit[b, k, slot] == STOP:
                    break
    return unit, score


@torch.no_grad()
@pytest.mark.parametrize("bias", [-30.0, 0.0, 0.6, 30.0])
def test_slots_read_in_two_steps_say_what_all_at_once_do(
    model: CTM, inputs: dict[str, Tensor], bias: float
) -> None:
    before = model.units.bias[STOP].clone()
    model.units.bias[STOP] = bias
    try:
        kept, memory = think(model, inputs)
        spans = read(model, kept, memory).spans
        unit, score = best_units(model, kept.synchronisation, memory, spans)
        dense_unit, dense_score = dense_units(model, kept.synchronisation, memory, spans)
    finally:
        model.units.bias[STOP] = before
    stops = dense_unit == STOP
    read_slots = (stops.long().cumsum(2) - stops.long()) == 0
    if bias == -30:
        assert not stops.any(), "nothing stops: all slots are read"
    if bias == 30:
        assert stops[..., 0].all(), "everything stops at once: no late slot is read"
    assert torch.equal(unit[read_slots], dense_unit[read_slots]), f"slots before and after the first {EARLY}"
    assert torch.allclose(score, dense_score, atol=1e-4)


@torch.no_grad()
def test_candidates_come_best_first_with_start_before_end(model: CTM, inputs: dict[str, Tensor]) -> None:
    kept, memory = think(model, inputs)
    answer = read(model, kept, memory)
    total = answer.span_log_probability + answer.unit_log_probability
    assert (total[:, 1:] <= total[:, :-1]).all()
    real = answer.span_log_probability > -1e3
    assert (answer.spans[..., 0] <= answer.spans[..., 1])[real].all()
    assert (answer.spans[..., 1] < inputs["lengths"][:, None])[real].all()
    assert real[1].sum() == 1, "a text without cells has one span"
