"""Tiny pairs and a tiny stage for the tests of training."""

from __future__ import annotations

import pytest
import torch

from ctm.training.settings import StageRun
from helpers.made_grids import Grids, make_grids
from helpers.stage_runs import tiny_run


@pytest.fixture(scope="session")
def grids(tmp_path_factory: pytest.TempPathFactory) -> Grids:
    return make_grids(tmp_path_factory.mktemp("training"))


@pytest.fixture
def run() -> StageRun:
    return tiny_run()


@pytest.fixture(autouse=True)
def same_threads():
    """`train_stage` sets torch's threads for its process; other tests get theirs back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    torch.use_deterministic_algorithms(False)
