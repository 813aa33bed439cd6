"""Between two stages ticks and memory grow, and the loss does not jump."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.model.weights import load_model
from ctm.training.batch import batches
from ctm.training.data import load_split, plan_visits
from ctm.training.settings import StageRun
from ctm.training.stage import make_model, train_stage
from helpers.stage_runs import arguments, tiny_run


@pytest.fixture(scope="module")
def trained(grids, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a stage that has learned something in a few seconds."""
    folder = tmp_path_factory.mktemp("growth")
    train_stage(*arguments(tiny(), grids, folder))
    return folder / "out.safetensors"


def tiny(ticks: int = 3, memory: int = 3) -> StageRun:
    run = tiny_run()
    return dataclasses.replace(
        run,
        stage=dataclasses.replace(run.stage, ticks=ticks, epochs=10, learning_rate=4e-3),
        model={**run.model, "memory": memory},
    )


@torch.no_grad()
def loss_of(model: CTM, grids) -> float:
    """Nats a sample, the stage's own loss, over the split."""
    codec, data = CodeTokenizer.load(grids.tokenizer), load_split(grids.train)
    run = tiny()
    plan = plan_visits(data, dataclasses.replace(run.stage, epochs=1), run.training, 7)
    losses = [model.eval().loss(model(**batch.inputs), batch).total for batch in batches(data, plan, codec)]
    return float(torch.stack(losses).mean())


@pytest.mark.parametrize(("ticks", "memory"), [(3, 5), (5, 3), (5, 6)])
def test_the_loss_does_not_jump_when_a_stage_begins(trained: Path, grids, ticks: int, memory: int) -> None:
    codec = CodeTokenizer.load(grids.tokenizer)
    before = loss_of(load_model(trained), grids)
    fresh = loss_of(make_model(tiny(), codec, None, 1), grids)
    assert before < 0.7 * fresh, "the stage before has learned something"
    after = loss_of(make_model(tiny(ticks, memory), codec, trained, 1), grids)
    if ticks == 3:
        assert after == pytest.approx(before, abs=1e-4), "a longer memory changes nothing at first"
    assert after < before + 0.05 * (fresh - before), (
        f"loss {before:.3f}, after growth to {ticks} ticks and {memory} pre-activations {after:.3f}"
    )
