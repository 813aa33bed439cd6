"""The loss of every tick against its definition, the halting target, and a TRM that learns a toy set."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel, ModelOutput
from ctm.model.config import LossTerms
from ctm.model.deep_supervision import HALTING, halting_loss
from ctm.model.loss import units_loss
from ctm.model.weights import load_model
from ctm.training.batch import TrainingBatch, make_batch
from ctm.training.data import load_split
from ctm.training.settings import StageRun
from ctm.training.stage import make_model, train_stage
from ctm.training.validation import measure_accuracy
from helpers.stage_runs import arguments, lines

SIZES = {"architecture": "trm", "width": 32, "heads": 2, "mlp": 32, "updates": 2}


@pytest.fixture
def trm_run(run: StageRun) -> StageRun:
    stage = dataclasses.replace(run.stage, ticks=3)
    return dataclasses.replace(run, name="trm", model=SIZES, stage=stage, loss=LossTerms())


def drawn(run: StageRun, grids, count: int = 6) -> tuple[EditModel, TrainingBatch]:
    """A float64 model and a batch of first states."""
    codec, data = CodeTokenizer.load(grids.tokenizer), load_split(grids.train)
    torch.manual_seed(1)
    model = make_model(run, codec, None, 1).double()
    states, answers, diagnoses = map(list, zip(*(data.visit(pair, 0) for pair in range(count)), strict=True))
    return model, make_batch(states, answers, diagnoses, codec)


def losses_of(model: EditModel, thought: ModelOutput, batch: TrainingBatch) -> Tensor:
    """[B, T], one sample and tick after the other."""
    units = units_loss(model, thought.readout, thought.encoding, batch)
    table = torch.empty_like(units)
    for b, (start, end) in enumerate(zip(batch.start.tolist(), batch.end.tolist(), strict=True)):
        for t in range(units.shape[1]):
            table[b, t] = units[b, t] - thought.pointers[b, t, 0, start] - thought.pointers[b, t, 1, end]
    return table


def test_loss_is_the_mean_over_samples_and_recursions(trm_run: StageRun, grids) -> None:
    model, batch = drawn(trm_run, grids)
    thought = model(**batch.inputs)
    loss, table = model.loss(thought, batch), losses_of(model, thought, batch)
    assert (thought.certainty < 0.01).all(), "before training nothing is right"
    halting = -torch.log(1 - thought.certainty).mean()  # and nothing is right
    torch.testing.assert_close(loss.total, table.mean() + HALTING * halting)
    torch.testing.assert_close(loss.by_tick, table.mean(0).detach())
    torch.testing.assert_close(loss.at_lowest, table.min(1).values.mean().detach())
    certain = table[torch.arange(len(table)), thought.certainty.argmax(1)].mean().detach()
    torch.testing.assert_close(loss.at_certain, certain)


def test_every_parameter_is_reached(trm_run: StageRun, grids) -> None:
    model, batch = drawn(trm_run, grids)
    with torch.no_grad():
        model.halt.weight.normal_()  # it begins at zero, which hides what is before it
    model.loss(model(**batch.inputs), batch).total.backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_halting_is_taught_to_be_sure_where_the_answer_is_right() -> None:
    certainty = torch.tensor([[0.9, 0.2]], requires_grad=True)
    loss = halting_loss(certainty, torch.tensor([[True, False]]))
    wanted = -(torch.log(torch.tensor(0.9)) + torch.log(torch.tensor(0.8))) / 2
    torch.testing.assert_close(loss.detach(), wanted)
    loss.backward()
    assert certainty.grad[0, 0] < 0 < certainty.grad[0, 1]
    sure = torch.tensor([[1.0, 0.0]], requires_grad=True)
    assert halting_loss(sure, torch.tensor([[False, True]])).isfinite()


def test_a_trm_learns_a_toy_set_and_says_where_it_is_right(trm_run: StageRun, grids, tmp_path) -> None:
    """Through the trainer of all stages, its average of weights included; then q is near 1 where answers are right."""
    longer = dataclasses.replace(
        trm_run,
        stage=dataclasses.replace(
            trm_run.stage, epochs=20, samples=96, learning_rate=4e-3, accumulation=1, batch=16
        ),
        training=dataclasses.replace(trm_run.training, ema=0.9, checkpoint_steps=1000, log_steps=10),
    )
    before = torch.get_num_threads()
    train_stage(
        longer, grids.train, grids.train, grids.tokenizer, None, tmp_path / "work", tmp_path / "trm.safetensors",
        tmp_path / "metrics.jsonl", tmp_path / "summary.json", 1,
    )  # fmt: skip
    torch.set_num_threads(before)
    torch.use_deterministic_algorithms(False)
    records = lines(tmp_path / "metrics.jsonl")
    losses = [line["loss"] for line in records if "milestone" not in line]
    assert losses[-1] < 0.35 * losses[0], losses
    model, codec = load_model(tmp_path / "trm.safetensors"), CodeTokenizer.load(grids.tokenizer)
    data = load_split(grids.train)
    measured = measure_accuracy(model, data, codec, 64, 256)
    assert len(measured.by_tick) == 3 and measured.accuracy["overall"] > 0.4, measured
    model.eval()
    visits = [data.visit(pair, 0) for pair in range(48)]
    batch = make_batch(*map(list, zip(*visits, strict=True)), codec)
    with torch.no_grad():
        thought = model(**batch.inputs)
        losses_at_end = losses_of(model, thought, batch)[:, -1]
    certainty, right = thought.certainty[:, -1], losses_at_end < math.log(2)
    assert right.any() and certainty[right].mean() > 0.6
    assert right.all() or certainty[~right].mean() < certainty[right].mean() - 0.2


def test_a_trm_logs_no_neurons_and_goes_on_from_a_stage_of_its_own(
    trm_run: StageRun, run: StageRun, grids, tmp_path
) -> None:
    """The trainer asks each model for its statistics and its growth; it knows no kind."""
    train_stage(*arguments(trm_run, grids, tmp_path / "one"))
    steps = [line for line in lines(tmp_path / "one/metrics.jsonl") if "rate" in line]
    assert steps and not any("neurons" in line for line in steps)
    first, codec = tmp_path / "one/out.safetensors", CodeTokenizer.load(grids.tokenizer)
    longer = dataclasses.replace(trm_run, stage=dataclasses.replace(trm_run.stage, ticks=5))
    model, before = make_model(longer, codec, first, 1), load_model(first)
    assert model.config.ticks == 5
    assert all(torch.equal(value, before.state_dict()[name]) for name, value in model.state_dict().items())
    with pytest.raises(ValueError, match="its model sizes differ from those of stage stage1"):
        make_model(run, codec, first, 1)
