"""CUDA graphs and torch.compile as options of the trainer: the same gradients, and off where a probe fails."""

from __future__ import annotations

import dataclasses
import logging
import os

import pytest
import torch

from ctm.training import probe
from ctm.training.cuda_graphs import CudaGraphs, rounded, tensors_of
from ctm.training.memory_plan import MemoryPlan, next_smaller_plan
from ctm.training.settings import StageRun


@pytest.mark.parametrize("cells", [16, 48, 200, 272])
def test_a_rounded_batch_has_the_same_gradient(cells: int) -> None:
    torch.manual_seed(1)
    batch = probe.batch_of(4, cells)
    wider = rounded(batch)
    assert wider.words.shape[1] >= cells and wider.words.shape[1] % 16 == 0
    assert wider.words.shape[1] <= 1.2 * cells
    model = probe.small_model(torch.device("cpu")).double()
    plain, padded = (probe.gradients(model, [b], torch.device("cpu"), None) for b in (batch, wider))
    torch.testing.assert_close(padded, plain, rtol=1e-9, atol=1e-11)


def test_shapes_are_few() -> None:
    widths = {rounded(probe.batch_of(1, cells)).words.shape[1] for cells in range(16, 3073, 16)}
    assert len(widths) <= 48


def test_the_tensors_of_a_batch_are_all_of_it() -> None:
    batch = probe.batch_of(2, 16)
    assert len(list(tensors_of(batch))) == len(batch.inputs) + len(vars(batch)) - 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_replayed_gradients_are_the_plain_ones() -> None:
    assert probe.gradient_difference("graphs", torch.device("cuda")) < probe.NEAR


@pytest.mark.skipif("CTM_TEST_COMPILE" not in os.environ, reason="takes minutes on a slow machine")
def test_compiled_gradients_are_the_plain_ones() -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    assert probe.gradient_difference("compile", torch.device(device)) < probe.NEAR


def test_a_shape_that_was_not_met_runs_plainly() -> None:
    model = probe.small_model(torch.device("cpu"))
    graphs = CudaGraphs(probe.run_of(model), model)
    probe.gradients(model, [probe.batch_of(4, 16), probe.batch_of(4, 32)], torch.device("cpu"), graphs)
    assert (
        graphs.figures() == {"shapes": 0, "replayed": 0.0, "refused": False} and len(graphs.seen_shapes) == 2
    )


def test_a_capture_that_fails_leaves_the_plain_way(monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(CudaGraphs, "_capture", refuse)
    cpu, model = torch.device("cpu"), probe.small_model(torch.device("cpu"))
    batches = [probe.batch_of(4, 16)] * 3
    plain = probe.gradients(model, batches, cpu, None)
    graphs = CudaGraphs(probe.run_of(model), model)
    assert torch.equal(probe.gradients(model, batches, cpu, graphs), plain)
    assert graphs.figures()["refused"] and caplog.text.count("CUDA graph capture failed") == 1


def test_what_memory_that_runs_out_costs(run: StageRun) -> None:
    training = dataclasses.replace(run.training, memory_checkpoint_ticks=8)
    fit: MemoryPlan | None = MemoryPlan(graphs=True)
    ladder = []
    while fit := next_smaller_plan(fit, 4, 64, training):
        ladder.append((fit.pieces, fit.graphs, fit.checkpoint_ticks))
    assert ladder == [(2, True, 0), (4, True, 0), (4, False, 0), (4, False, 8)]


def test_an_option_that_fails_its_probe_is_off_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    cpu = torch.device("cpu")
    assert not probe.is_usable("graphs", cpu), "graphs are for GPUs"
    with caplog.at_level(logging.WARNING):
        assert not probe.is_usable("melt", cpu)
    assert "training.melt is switched off" in caplog.text and "unknown option 'melt'" in caplog.text
