"""Two processes under torchrun end where one does; a step's samples are dealt, not doubled."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.weights import load_weights
from ctm.training.gradients import Gradients
from ctm.training.ranks import Ranks, join_process_group
from ctm.training.settings import StageRun
from ctm.training.stage import make_model, train_stage
from helpers.stage_runs import arguments, lines

PROGRAM = """
import pickle, sys
from ctm.training import ranks, stage
sums = []
whole = ranks.Ranks.sum
def counted(self, values):
    sums.append(values.numel())
    return whole(self, values)
ranks.Ranks.sum = counted
first = stage.train_stage(*pickle.load(open(sys.argv[1], "rb")))
if first:
    open(sys.argv[1] + ".sums", "w").write(repr(sums))
"""
OUT_OF_MEMORY = """
import os, torch
from ctm.model.model import CTM
real = CTM.loss
def small(model, thought, batch, *rest):
    if os.environ["RANK"] == "1" and len(batch.start) > 4:
        raise torch.OutOfMemoryError("CUDA out of memory")
    return real(model, thought, batch, *rest)
CTM.loss = small
"""


def torchrun(folder: Path, values: tuple, program: str = PROGRAM) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "arguments.pickle").write_bytes(pickle.dumps(values))
    (folder / "program.py").write_text(program)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone",
        str(folder / "program.py"), str(folder / "arguments.pickle"),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr[-4000:]


def losses(folder: Path) -> list[float]:
    return [r["loss"] for r in lines(folder / "metrics.jsonl") if "rate" in r]


def test_two_processes_have_the_loss_curve_of_one(run: StageRun, grids, tmp_path: Path) -> None:
    """Dropout is on: its masks belong to the place in the stage, not to the process."""
    run = dataclasses.replace(run, model={**run.model, "dropout": 0.1})
    train_stage(*arguments(run, grids, tmp_path / "one"))
    torchrun(tmp_path / "two", arguments(run, grids, tmp_path / "two"))
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == len(two) == 24
    worst = max(abs(a - b) / a for a, b in zip(one, two, strict=True))
    assert worst < 1e-5, f"largest relative difference of the loss: {worst}"
    summary = json.loads((tmp_path / "two/summary.json").read_text())
    assert summary["processes"] == 2 and summary["samples_seen"] == 24 * 16
    assert not (tmp_path / "two/work").exists()
    sums = json.loads((tmp_path / "two/arguments.pickle.sums").read_text())
    parameters = sum(summary["parameters"].values())
    # before it whether anyone was asked to stop, and whether all have memory; after it figures
    assert sums == [1, 1, parameters, 5] * 24, "one exchange of gradients a step, not one a micro-batch"
    weights = [load_weights(tmp_path / name / "out.safetensors")[1] for name in ("one", "two")]
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name].float(), tensor.float(), rtol=1e-2, atol=1e-4, msg=name)


def test_when_one_process_runs_out_of_memory_both_try_again_smaller(
    run: StageRun, grids, tmp_path: Path
) -> None:
    short = dataclasses.replace(run, stage=dataclasses.replace(run.stage, epochs=1, samples=64))
    train_stage(*arguments(short, grids, tmp_path / "one"))
    torchrun(tmp_path / "two", arguments(short, grids, tmp_path / "two"), OUT_OF_MEMORY + PROGRAM)
    summary = json.loads((tmp_path / "two/summary.json").read_text())
    assert [e["pieces"] for e in summary["events"]] == [2]
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-5)


def test_the_samples_of_a_step_are_dealt(run: StageRun, grids) -> None:
    def pieces(batch: int, accumulation: int, count: int) -> int:
        stage = dataclasses.replace(run.stage, batch=batch, accumulation=accumulation)
        model = make_model(run, CodeTokenizer.load(grids.tokenizer), None, 1)
        device = torch.device("cpu")
        return Gradients(
            model, stage, run.training, Ranks(0, count), device, torch.float32, 1
        ).memory_plan.pieces

    assert pieces(8, 2, 1) == pieces(8, 2, 2) == pieces(8, 4, 2) == 1, "micro-batches go round"
    assert pieces(8, 1, 2) == 2 and pieces(8, 1, 4) == 4 and pieces(24, 6, 4) == 2
    assert pieces(8, 1, 3) == 4, "not even, but nobody idle"
    with pytest.raises(ValueError, match="9 processes cannot share a step of 8 x 1 samples"):
        pieces(8, 1, 9)


def test_without_torchrun_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert join_process_group("cpu") == (Ranks(0, 1, 1), torch.device("cpu"))
