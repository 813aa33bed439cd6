"""The loss on two ticks against its definition over all ticks, gradients included."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ctm.grid.edits import MAX_UNITS, Edit
from ctm.grid.packed import pack, replacement_units, word_spans
from ctm.grid.tokenizer import STOP, CodeTokenizer
from ctm.model.config import LossTerms
from ctm.model.loss import sync_diversity
from ctm.model.model import CTM
from ctm.training.batch import TrainingBatch, make_batch
from ctm.training.data import load_split
from ctm.training.optimizer import learning_rate_at, parameter_groups
from ctm.training.settings import StageRun
from ctm.training.stage import make_model


def drawn(
    run: StageRun, grids, count: int = 7
) -> tuple[CTM, TrainingBatch, list[list[float]], list[list[list[tuple[int, int]]]]]:
    """A float64 model and a batch of states at different places, with their edits' units."""
    codec = CodeTokenizer.load(grids.tokenizer)
    data = load_split(grids.train)
    torch.manual_seed(1)
    model = make_model(run, codec, None, 1).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    visits = [data.visit(pair, min(pair % 3, int(data.edit_counts()[pair]))) for pair in range(count)]
    states, answers, diagnoses = map(list, zip(*visits, strict=True))
    spans = sorted(word_spans(states[0], codec), key=lambda span: span[0] - span[1])
    words = [states[0][slice(*span)] for span in (spans[0], spans[-1])]  # of several tokens, and of one
    assert len(words[0]) > 1 == len(words[1])
    answers[0] = Edit(3, 5, (*words[0], states[0][-1], *words[1]))
    batch = make_batch(states, answers, diagnoses, codec)
    units = [replacement_units(a.tokens, pack(s, codec), codec) for s, a in zip(states, answers, strict=True)]
    return model, batch, states, units


def naive_loss(model: CTM, batch: TrainingBatch, units: list[list[tuple[int, int]]]) -> Tensor:
    """Mean over samples of (loss at the lowest tick + loss at the most certain tick) / 2, one sample and tick each."""
    thought = model(**batch.inputs)
    samples, ticks = thought.certainty.shape
    total = torch.zeros((), dtype=torch.float64)
    for b in range(samples):
        start, end = int(batch.start[b]), int(batch.end[b])
        losses = []
        for t in range(ticks):
            sync = thought.readout[b : b + 1, t]
            slots = model.units.slots(
                sync, thought.encoding.h[b : b + 1], torch.tensor([[start]]), torch.tensor([[end]])
            )
            vocabulary = model.units.vocabulary(slots[0, 0], model.backbone.token.weight)
            copies = model.units.copies(
                slots[:, 0], thought.encoding.copies[b : b + 1], thought.encoding.tokens[b : b + 1]
            )[0]
            p = torch.softmax(torch.cat([vocabulary, copies], dim=1), dim=1)
            loss = -thought.pointers[b, t, 0, start] - thought.pointers[b, t, 1, end]
            answer = units[b] + [(STOP, -1)] if len(units[b]) < MAX_UNITS else units[b]
            for slot, (token, word) in enumerate(answer):
                right = [p[slot, token]] if token >= 0 else []
                right += [
                    p[slot, model.config.vocabulary + cell]
                    for cell, number in enumerate(batch.words[b].tolist()) if number == word >= 0
                ]  # fmt: skip
                loss = loss - torch.log(torch.stack(right).sum())
            losses.append(loss)
        every = torch.stack(losses)
        total = total + (every[every.argmin()] + every[thought.certainty[b].argmax()]) / 2
    return total / samples


def test_two_ticks_have_the_loss_and_gradients_of_all(run: StageRun, grids) -> None:
    model, batch, _, units = drawn(run, grids)
    kinds = {(token >= 0, word >= 0) for u in units for token, word in u}
    assert kinds == {(True, False), (False, True), (True, True)}, (
        "a token, a copy, either: all among the answers"
    )
    gradients = []
    losses = []
    for loss in (
        lambda: model.loss(model(**batch.inputs, ticks=5), batch).total,
        lambda: naive_loss(_with_ticks(model, 5), batch, units),
    ):
        model.zero_grad()
        value = loss()
        value.backward()
        losses.append(value.item())
        gradients.append({n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None})
    assert losses[0] == pytest.approx(losses[1], abs=1e-10)
    assert gradients[0].keys() == gradients[1].keys() == dict(model.named_parameters()).keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(
            gradient, gradients[1][name], rtol=1e-9, atol=1e-10, msg=f"gradient of {name}"
        )


def _with_ticks(model: CTM, ticks: int):
    class Thinking:
        units, backbone, config = model.units, model.backbone, model.config

        def __call__(self, **inputs: Tensor):
            return model(**inputs, ticks=ticks)

    return Thinking()


def test_by_tick_and_parts_agree(run: StageRun, grids) -> None:
    model, batch, _, _ = drawn(run, grids)
    loss = model.loss(model(**batch.inputs), batch)
    assert loss.by_tick.shape == (run.stage.ticks,) and not loss.by_tick.requires_grad
    assert loss.at_lowest <= loss.by_tick.min() + 1e-9, "the lowest of each sample is at most the lowest tick"
    assert loss.total.item() == pytest.approx((loss.at_lowest + loss.at_certain).item() / 2)
    weighed = model.loss(model(**batch.inputs), batch, LossTerms(diversity=0.5))
    assert weighed.total.item() == pytest.approx((loss.total + 0.5 * loss.diversity).item())
    one = model.loss(model(**batch.inputs, ticks=1), batch)
    later = model.loss(model(**batch.inputs, ticks=1), batch, LossTerms(later_ticks=0.5))
    assert later.total.item() == pytest.approx(1.5 * one.total.item()), "of one tick, that one is drawn"


def test_diversity_is_one_for_a_collapsed_synchronization_and_small_for_a_diverse_one() -> None:
    row = torch.randn(1, 64, generator=torch.Generator().manual_seed(0))
    assert sync_diversity(row.expand(5, -1)).item() == pytest.approx(1, abs=1e-5)
    assert sync_diversity(torch.randn(5, 4096, generator=torch.Generator().manual_seed(0))).item() < 0.01
    assert sync_diversity(row).item() == 0, "one sample has nobody to be like"


def test_padding_does_not_enter_the_loss(run: StageRun, grids) -> None:
    model, batch, _, _ = drawn(run, grids)
    wider = {
        k: torch.cat([v, v.new_zeros(len(v), 16)], dim=1) if v.dim() == 2 and k != "diagnosis" else v
        for k, v in batch.inputs.items()
    }
    words = torch.cat([batch.words, batch.words.new_full((len(batch.words), 16), -1)], dim=1)
    padded = TrainingBatch(**{**vars(batch), "inputs": wider, "words": words})
    one, two = (model.loss(model(**b.inputs), b).total.item() for b in (batch, padded))
    assert one == pytest.approx(two, abs=1e-10)


def test_no_edit_points_at_end_and_stops(run: StageRun, grids) -> None:
    """A sure model of the right answer has no loss: the shape of the answer 'no edit'."""
    codec, data = CodeTokenizer.load(grids.tokenizer), load_split(grids.train)
    ids, answer, diagnosis = data.visit(0, int(data.edit_counts()[0]))
    batch = make_batch([ids], [answer], [diagnosis], codec)
    length = int(batch.inputs["lengths"][0])
    assert batch.start.tolist() == batch.end.tolist() == [length - 1]
    units = zip(*(getattr(batch, f"unit_{n}").tolist() for n in ("slot", "token", "word")), strict=True)
    assert [unit for unit in units if unit[1:] != (-1, -1)] == [(0, STOP, -1)], (
        "the rest only fills up the size"
    )


def test_rate_rises_then_falls(run: StageRun) -> None:
    rates = [learning_rate_at(step, 1000, run.stage) for step in range(1000)]
    peak = run.stage.learning_rate
    assert 0 < rates[0] < peak / 5 and max(rates) == pytest.approx(peak)
    assert rates[-1] == pytest.approx(peak * run.stage.final_rate, rel=0.02)
    top = rates.index(max(rates))
    assert top <= 25 and rates[top:] == sorted(rates[top:], reverse=True)


def test_weight_decay_is_for_matrices_only(run: StageRun, grids) -> None:
    model, *_ = drawn(run, grids)
    decayed, free = parameter_groups(model, 0.1)
    assert decayed["weight_decay"] == 0.1 and free["weight_decay"] == 0
    inside = {id(p) for p in decayed["params"]}
    names = {n for n, p in model.named_parameters() if id(p) in inside}
    assert "pointers.key.weight" in names and "nlm.layers.0.weight" in names
    assert not names & {"sync_out.decay", "start_z", "start_trace", "backbone.norm.weight", "units.bias"}
    assert len(inside) + len(free["params"]) == len(list(model.parameters()))
