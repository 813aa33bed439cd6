"""A stage's state: the moving average takes the weights' place only for as long as it is asked for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from ctm.grid.tokenizer import CodeTokenizer
from ctm.training.settings import StageRun
from ctm.training.stage import make_model
from ctm.training.stage_state import StageState


def test_weights_come_back_after_an_error_too(run: StageRun, grids, tmp_path: Path) -> None:
    """Measuring may run out of memory; a stage that goes on from there must not train on the average."""
    model = make_model(run, CodeTokenizer.load(grids.tokenizer), None, 1)
    nothing = cast(Any, SimpleNamespace())
    state = StageState(run, model, nothing, nothing, torch.device("cpu"), tmp_path)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    state.averages.ema = {name: torch.full_like(value, 7.0) for name, value in before.items()}
    with pytest.raises(MemoryError), state.averaged() as averaged:
        assert all((value == 7.0).all() for value in averaged.parameters())
        raise MemoryError
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())
