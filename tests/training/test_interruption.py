"""A stage that is asked to stop, by a scheduler or by hand: it keeps what it did, and ends with the same bits later."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ctm.training import gradients as module
from ctm.training.checkpoint import usable_checkpoints
from ctm.training.interruption import STOPPED, Stopped, StopRequest
from ctm.training.settings import StageRun
from ctm.training.stage import train_stage
from helpers.stage_runs import TIMED, arguments, figures, newest

ROOT = Path(__file__).resolve().parents[2]


class AskedAfter(StopRequest):
    """Asks once a number of steps were begun."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    @property
    def requested(self) -> bool:
        self.steps -= 1
        return self.steps < 0

    @requested.setter
    def requested(self, value: bool) -> None:
        pass


@pytest.fixture
def careful(run: StageRun) -> StageRun:
    """A checkpoint every 3 of 24 steps, everything random switched on."""
    return dataclasses.replace(
        run,
        training=dataclasses.replace(run.training, checkpoint_steps=3, ema=0.99, keep=2),
        model={**run.model, "dropout": 0.1},
    )


def stopped(run: StageRun, grids, folder: Path, after: int) -> str:
    """What a stage says that is asked to stop `after` so many steps."""
    with pytest.raises(Stopped) as error:
        train_stage(*arguments(run, grids, folder), stop=AskedAfter(after))
    return str(error.value)


def equal(one: Path, two: Path) -> None:
    """Weights, metrics and what the summary tells of them."""
    assert (one / "out.safetensors").read_bytes() == (two / "out.safetensors").read_bytes()
    assert figures(one / "metrics.jsonl") == figures(two / "metrics.jsonl"), "lines lost or twice"
    told = [json.loads((folder / "summary.json").read_text()) for folder in (one, two)]
    for summary in told:
        for milestone in summary["milestones"]:
            for name in TIMED:
                milestone.pop(name, None)
    for name in ("milestones", "events", "best", "handed_on", "samples_seen"):
        assert told[0][name] == told[1][name], name


def test_stopped_between_two_checkpoints_it_loses_no_step(careful: StageRun, grids, tmp_path: Path) -> None:
    train_stage(*arguments(careful, grids, tmp_path / "whole"))
    cut = tmp_path / "cut"
    said = stopped(careful, grids, cut, 8)
    assert (
        said == "stage1: stopped as it was asked to, after step 8 of 24; the same command goes on from there"
    )
    names = sorted(path.name for path in (cut / "work").glob("*.pt"))
    assert names == ["step-00000003.pt", "step-00000006.pt", "stopped-00000008.pt"]
    assert not (cut / "out.safetensors").exists()
    stopped(careful, grids, cut, 0)  # before the first step of the second start: nothing new, nothing lost
    assert "after step 20 of 24" in stopped(careful, grids, cut, 12)
    assert not (cut / "work/stopped-00000008.pt").exists(), "regular ones came after it"
    train_stage(*arguments(careful, grids, cut))
    equal(tmp_path / "whole", cut)


def test_a_rollback_leads_to_the_checkpoint_it_would_have_led_to(
    careful: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step 10 diverges; stopped right before it, the stage still goes back to step 9, not to where it was stopped."""
    real = module.Gradients.accumulate_step
    careful = dataclasses.replace(careful, training=dataclasses.replace(careful.training, checkpoint_steps=4))
    for name in ("whole", "cut"):
        spoilt: list[int] = []

        def accumulate_step(self, parts, step, told, spoilt=spoilt):
            found = real(self, parts, step, told)
            if step == 10 and not spoilt:
                spoilt.append(step)
                next(iter(self.model.parameters())).grad[0] = float("inf")
            return found

        monkeypatch.setattr(module.Gradients, "accumulate_step", accumulate_step)
        if name == "cut":
            stopped(careful, grids, tmp_path / name, 10)
        train_stage(*arguments(careful, grids, tmp_path / name))
    equal(tmp_path / "whole", tmp_path / "cut")
    (event,) = json.loads((tmp_path / "cut/summary.json").read_text())["events"]
    assert (event["at_step"], event["to_step"]) == (10, 8)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_the_program_answers_a_signal(run: StageRun, grids, tmp_path: Path, number: signal.Signals) -> None:
    """Exit status 143 with a checkpoint of its last step; then the same command goes on."""
    run = dataclasses.replace(run, training=dataclasses.replace(run.training, checkpoint_steps=10_000))
    command = [
        sys.executable, str(ROOT / "workflow/scripts/train_stage.py"), "--train", str(grids.train),
        "--validation", str(grids.validation), "--tokenizer", str(grids.tokenizer),
        "--settings", json.dumps(dataclasses.asdict(run)), "--threads", "1", "--work", str(tmp_path / "work"),
        "--out", str(tmp_path / "out.safetensors"), "--metrics", str(tmp_path / "training/metrics.jsonl"),
        "--summary", str(tmp_path / "summary.json"),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    deadline = time.monotonic() + 120
    while newest(tmp_path / "work/checkpoints") < 0:  # the one of step 0
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == STOPPED, said
    assert "stopped as it was asked to, after step" in said and "Traceback" not in said
    (kept,) = (tmp_path / "work/checkpoints").glob("stopped-*.pt")
    assert list(usable_checkpoints([kept])[0]) == [kept], "whole, by its checksum"
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0 and f"resuming at step {int(kept.stem[-8:])} of 24" in done.stderr
