"""Which tick answers, and what is read from it: frozen samples stay, slots after the first ones are not lost."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ctm.model.config import CTMConfig
from ctm.model.decoding import FIRST_SLOTS, STOP, best_units, likeliest_units
from ctm.model.inference import RUN_ALL_TICKS, SelectedTick, decode_candidates, infer, select_tick
from ctm.model.model import CTM, CTMEncoding, TickOutput

V = 60


@pytest.fixture(scope="module")
def model() -> CTM:
    torch.manual_seed(5)
    model = CTM(
        CTMConfig(
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
    kept = SelectedTick(
        torch.full((3,), -torch.inf),
        torch.zeros(3, dtype=torch.int64),
        torch.zeros(3, 1),
        torch.zeros(3, 2, 1),
    )
    for tick in range(3):
        said = TickOutput(
            torch.full((3, 1), tick + 1.0), torch.full((3, 2, 1), tick + 1.0), certainty[:, tick]
        )
        kept = select_tick(kept, said, tick + 1, 0.5)
    assert kept.tick.tolist() == [2, 1, 1]
    assert kept.certainty.tolist() == pytest.approx([0.7, 0.3, 0.6])
    assert kept.readout[:, 0].tolist() == kept.pointers[:, 1, 0].tolist() == [2, 1, 1]


@torch.no_grad()
def test_without_threshold_the_most_certain_of_all_ticks_answers(
    model: CTM, inputs: dict[str, Tensor]
) -> None:
    kept, _ = infer(model, inputs, RUN_ALL_TICKS)
    thought = model(**inputs)
    assert kept.tick.tolist() == (thought.certainty.argmax(1) + 1).tolist()
    rows = torch.arange(6)
    torch.testing.assert_close(kept.pointers, thought.pointers[rows, kept.tick - 1], rtol=1e-6, atol=1e-6)
    assert torch.equal(kept.readout, thought.readout[rows, kept.tick - 1])


@torch.no_grad()
def test_a_low_threshold_ends_at_the_first_tick(
    model: CTM, inputs: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    tick = CTM.tick
    monkeypatch.setattr(CTM, "tick", lambda self, *given: (asked.append(1), tick(self, *given))[1])
    kept, _ = infer(model, inputs, -1.0)
    assert kept.tick.tolist() == [1] * 6 and len(asked) == 1


def test_no_tick_at_all_is_refused(model: CTM, inputs: dict[str, Tensor]) -> None:
    with pytest.raises(ValueError, match="max_ticks is 0; it must be at least 1"):
        infer(model, inputs, max_ticks=0)


def dense_units(
    model: CTM, sync: Tensor, encoding: CTMEncoding, spans: Tensor, count: int
) -> tuple[list[list[list[tuple[float, tuple[int, ...]]]]], list[list[list[list[float]]]]]:
    """`best_units` written out: the likeliest replacements of all there are, for each span; and [B, k, slot, unit]."""
    slots = model.units.slots(sync, encoding.h, spans[..., 0], spans[..., 1])
    tokens = model.units.vocabulary(slots, model.backbone.token.weight)
    copies = model.units.copies(slots.flatten(1, 2), encoding.copies, encoding.tokens).reshape(
        *slots.shape[:3], -1
    )
    value = torch.log_softmax(torch.cat([tokens, copies], dim=-1), dim=-1)
    tables = value.tolist()
    return [[_likeliest(table, count) for table in sample] for sample in tables], tables


def _likeliest(table: list[list[float]], count: int) -> list[tuple[float, tuple[int, ...]]]:
    """Slots do not depend on each other, so the likeliest replacements begin with the likeliest beginnings."""
    best: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    for row in table:
        ended = [item for item in best if item[1][-1:] == (STOP,)]
        open_ = [item for item in best if item[1][-1:] != (STOP,)]
        grown = [(score + value, (*units, unit)) for score, units in open_ for unit, value in enumerate(row)]
        best = sorted([*ended, *grown], key=lambda item: -item[0])[:count]
    return best


def up_to_stop(units: list[int]) -> tuple[int, ...]:
    return tuple(units[: units.index(STOP) + 1] if STOP in units else units)


@torch.no_grad()
@pytest.mark.parametrize("bias", [-30.0, 0.0, 0.6, 30.0])
def test_the_likeliest_replacements_are_found_though_slots_are_read_in_two_steps(
    model: CTM, inputs: dict[str, Tensor], bias: float
) -> None:
    before = model.units.bias[STOP].clone()
    model.units.bias[STOP] = bias
    try:
        kept, encoding = infer(model, inputs)
        spans = decode_candidates(model, kept, encoding).spans[:, :4]
        certain = torch.full(spans.shape[:2], 1e4)  # nothing is dropped for want of probability
        units, score = best_units(model, kept.readout, encoding, spans, certain, 3)
        wanted, tables = dense_units(model, kept.readout, encoding, spans, 3)
        alone = likeliest_units(model, kept.readout, encoding, spans)
    finally:
        model.units.bias[STOP] = before
    stopped = {len(units) for sample in wanted for span in sample for _, units in span}
    assert bias != -30 or stopped == {16}, "nothing stops: all slots are read"
    assert bias != 30 or 1 in stopped, (
        f"something stops at once, before the first {FIRST_SLOTS} slots are read"
    )
    for b, sample in enumerate(wanted):
        for k, found in enumerate(sample):
            assert score[b, k].tolist() == pytest.approx([value for value, _ in found], abs=1e-3)
            chosen = [up_to_stop(row) for row in units[b, k].tolist()]
            assert len(set(chosen)) == 3
            own = [sum(tables[b][k][slot][unit] for slot, unit in enumerate(row)) for row in chosen]
            assert own == pytest.approx(score[b, k].tolist(), abs=1e-3), "the score is that of the units"
            assert up_to_stop(alone[b, k].tolist()) == chosen[0]


@torch.no_grad()
def test_an_unlikely_replacement_that_goes_on_is_dropped_and_others_stay(
    model: CTM, inputs: dict[str, Tensor]
) -> None:
    before = model.units.bias[STOP].clone()
    model.units.bias[STOP] = 0.3
    try:
        kept, encoding = infer(model, inputs)
        spans = decode_candidates(model, kept, encoding).spans[:, :4]
        hopeless = torch.full(spans.shape[:2], -1e3)
        units, score = best_units(model, kept.readout, encoding, spans, hopeless, 3)
    finally:
        model.units.bias[STOP] = before
    short = (units[..., :FIRST_SLOTS] == STOP).any(-1)
    assert short.any() and (~short).any(), "both kinds are needed here"
    others, score_of_others = short[:, 1:], score[:, 1:]
    assert (score_of_others[~others] < -1e4).all() and (score_of_others[others] > -1e3).all()
    assert (score[:, 0, 0] > -1e3).all(), "there is always one candidate"


@torch.no_grad()
def test_candidates_come_best_first_with_start_before_end(model: CTM, inputs: dict[str, Tensor]) -> None:
    kept, encoding = infer(model, inputs)
    answer = decode_candidates(model, kept, encoding)
    total = answer.span_log_probability[:, :, None] + answer.unit_log_probability
    assert (total[:, 1:, 0] <= total[:, :-1, 0]).all(), "spans by their likeliest candidate"
    assert (total[..., 1:] <= total[..., :-1]).all(), "the replacements of a span by probability"
    real = answer.span_log_probability > -1e3
    assert (answer.spans[..., 0] <= answer.spans[..., 1])[real].all()
    assert (answer.spans[..., 1] < inputs["lengths"][:, None])[real].all()
    assert real[1].sum() == 1, "a text without cells has one span"
