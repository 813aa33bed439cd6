"""A stage's loop: the moving average takes the weights' place only for as long as it is asked for."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from ctm.evaluation.averages import shares
from ctm.grid.tokenizer import CodeTokenizer
from ctm.training import validation_accuracy
from ctm.training.data import load_split, plan_visits
from ctm.training.settings import StageRun
from ctm.training.stage import make_model
from ctm.training.trainer import StageInputs, Trainer


def test_weights_come_back_after_an_error_too(run: StageRun, grids, tmp_path: Path) -> None:
    """Measuring may run out of memory; a stage that goes on from there must not train on the average."""
    codec, data = CodeTokenizer.load(grids.tokenizer), load_split(grids.train)
    plan = plan_visits(data, run.stage, run.training, 1)
    model = make_model(run, codec, None, 1)
    nothing = cast(Any, SimpleNamespace())
    trainer = Trainer(
        run, StageInputs(data, data, plan, codec), model, nothing, nothing, torch.device("cpu"), tmp_path
    )
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    trainer.averages.ema = {name: torch.full_like(value, 7.0) for name, value in before.items()}
    with pytest.raises(MemoryError), trainer.averaged() as averaged:
        assert all((value == 7.0).all() for value in averaged.parameters())
        raise MemoryError
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())


def test_milestones_and_benchmark_have_one_overall(
    run: StageRun, grids, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frequent kind that is always right and a seldom one that never is: one half, as the benchmark counts.

    The score that the best weights are told by counts items, as it always has.
    """
    codec, data = CodeTokenizer.load(grids.tokenizer), load_split(grids.train)
    n = 40
    data = dataclasses.replace(data, category=np.array(["logic"] * n), kind=np.array([0] * 30 + [1] * 10))
    right = {tuple(data.ids_of(pair)) for pair in range(30)}
    model = make_model(run, codec, None, 1)

    def judged(model, thought, tick, states, answers, tokenizer) -> list[bool]:
        return [tuple(ids) in right for ids in states]

    monkeypatch.setattr(validation_accuracy, "_right", judged)
    data = dataclasses.replace(data, offsets=data.offsets[: n + 1])
    measured = validation_accuracy.measure_accuracy(model, data, codec, n, 10_000)
    hits = [tuple(data.ids_of(pair)) in right for pair in range(n)]
    assert measured.accuracy["overall"] == shares(data.category, data.kind, hits)["overall"]
    assert measured.accuracy["overall"] == pytest.approx(0.5, abs=0.05), measured.accuracy
    assert measured.by_tick == pytest.approx([measured.accuracy["overall"]] * model.config.ticks)
    assert measured.score == pytest.approx(sum(hits) / n)
    assert measured.error == pytest.approx((measured.score * (1 - measured.score) / n) ** 0.5)
