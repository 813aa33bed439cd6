"""Divergence: back to a good checkpoint, slower from there; a kill afterwards still ends with the same bits."""

from __future__ import annotations

import dataclasses
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ctm.training import gradients as module
from ctm.training.optimizer import learning_rate_at
from ctm.training.recovery import diverged
from ctm.training.settings import StageRun
from ctm.training.stage import train_stage
from helpers.stage_runs import POISONED, arguments, figures, lines, newest, start


@pytest.fixture
def careful(run: StageRun) -> StageRun:
    """A checkpoint every 3 steps of 24, everything random switched on."""
    return dataclasses.replace(
        run,
        training=dataclasses.replace(run.training, checkpoint_steps=3, ema=0.99),
        model={**run.model, "dropout": 0.1},
    )


def spoil(monkeypatch: pytest.MonkeyPatch, spoilt: Callable[[int], bool]) -> None:
    """Make the gradient of the steps (counted as they are tried) infinite for which `spoilt` says so."""
    real, tried = module.Gradients.accumulate_step, []

    def accumulate_step(self, parts, step, told):
        found = real(self, parts, step, told)
        tried.append(step)
        if spoilt(len(tried)):
            next(iter(self.model.parameters())).grad[0] = float("inf")
        return found

    monkeypatch.setattr(module.Gradients, "accumulate_step", accumulate_step)


def test_what_is_a_divergence() -> None:
    usual = [2.0] * 40
    assert diverged(2.5, 1.0, usual, 8.0) is None and diverged(15.9, 1.0, usual, 8.0) is None
    assert "loss is nan" in str(diverged(float("nan"), 1.0, usual, 0.0))
    assert "norm of the gradient is inf" in str(diverged(2.0, float("inf"), usual, 0.0))
    assert "loss is 16.10 where the last 40 steps had 2.00" in str(diverged(16.1, 1.0, usual, 8.0))
    assert diverged(16.1, 1.0, usual, 0.0) is None, "spikes switched off"
    assert diverged(16.1, 1.0, [2.0] * 5, 8.0) is None, "too few steps to tell"
    assert diverged(5.0, 1.0, [0.1] * 40, 8.0) is None, "a few hard samples are no divergence"


def test_it_goes_back_and_finishes_slower(
    careful: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, lambda tried: tried == 11)
    train_stage(*arguments(careful, grids, tmp_path))
    records = lines(tmp_path / "metrics.jsonl")
    (event,) = [r for r in records if "event" in r]
    assert event["event"] == "rollback" and (event["at_step"], event["to_step"]) == (10, 9)
    assert "norm of the gradient is" in event["why"]
    steps = [r["step"] for r in records if "rate" in r]
    assert steps == list(range(1, 25)), "each step once, also those that were taken back"
    for record in records:
        if "rate" in record:
            factor = 0.5 if record["step"] > 9 else 1.0
            assert record["rate"] == pytest.approx(
                factor * learning_rate_at(record["step"] - 1, 24, careful.stage)
            )
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["events"] == [{k: v for k, v in event.items() if k not in ("time", "steps")}]
    assert summary["samples_seen"] == 24 * 16
    assert all(r["loss"] < 100 for r in records if "rate" in r)


def test_a_spike_is_seen_in_a_running_stage(
    careful: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights are thrown far off once; the loss of the next step is finite and far too high."""
    real, thrown = module.Gradients.accumulate_step, []

    def accumulate_step(self, parts, step, told):
        if step == 22 and not thrown:
            thrown.append(step)
            with torch.no_grad():
                for parameter in self.model.parameters():
                    parameter.add_(5 * torch.randn_like(parameter))
        return real(self, parts, step, told)

    monkeypatch.setattr(module.Gradients, "accumulate_step", accumulate_step)
    train_stage(*arguments(careful, grids, tmp_path))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [(e["event"], e["at_step"], e["to_step"]) for e in summary["events"]] == [("rollback", 22, 21)]
    assert "where the last" in summary["events"][0]["why"]


def test_a_checkpoint_that_diverges_again_is_given_up(
    careful: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, lambda tried: tried in (11, 13))  # steps 10, and 11 after going back to 9
    train_stage(*arguments(careful, grids, tmp_path))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [(e["at_step"], e["to_step"]) for e in summary["events"]] == [(10, 9), (10, 6)]
    assert summary["events"][-1]["rate_factor"] == 0.25


def test_after_the_last_rollback_it_stops_and_says_what_to_change(
    careful: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, lambda tried: tried > 10)
    with pytest.raises(
        FloatingPointError,
        match=r"stage1: the norm of the gradient is .* at step \d+, after 3 rollbacks\. Lower learning_rate \(0\.003\)",
    ):
        train_stage(*arguments(careful, grids, tmp_path))


def test_killed_after_a_rollback_it_ends_with_the_same_bits(careful: StageRun, grids, tmp_path: Path) -> None:
    whole = arguments(careful, grids, tmp_path / "whole")
    _, said = (process := start(tmp_path / "whole", whole, POISONED)).communicate(timeout=120)
    assert process.returncode == 0, said
    cut = arguments(careful, grids, tmp_path / "cut")
    process = start(tmp_path / "cut", cut, POISONED)
    deadline = time.monotonic() + 120
    while newest(tmp_path / "cut/work") < 15:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "cut/out.safetensors").exists()
    _, said = (process := start(tmp_path / "cut", cut, POISONED)).communicate(timeout=120)
    assert process.returncode == 0, said
    assert (tmp_path / "whole/out.safetensors").read_bytes() == (
        tmp_path / "cut/out.safetensors"
    ).read_bytes()
    assert figures(tmp_path / "whole/metrics.jsonl") == figures(tmp_path / "cut/metrics.jsonl")
    events = json.loads((tmp_path / "cut/summary.json").read_text())["events"]
    assert [(e["event"], e["at_step"]) for e in events] == [("rollback", 9)]
