"""The program of the rules by hand: a stage without Snakemake, and never two trainers of one stage."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from pydantic import TypeAdapter

from ctm.training.settings import StageRun
from helpers.stage_runs import lines

ROOT = Path(__file__).resolve().parents[2]


def command(run: StageRun, grids, folder: Path) -> list[str]:
    return [
        sys.executable, str(ROOT / "workflow/scripts/train_stage.py"), "--train", str(grids.train),
        "--validation", str(grids.validation), "--tokenizer", str(grids.tokenizer),
        "--settings", json.dumps(dataclasses.asdict(run)), "--threads", "1", "--work", str(folder / "work"),
        "--out", str(folder / "stage1.safetensors"), "--metrics", str(folder / "training/metrics.jsonl"),
        "--summary", str(folder / "training/summary.json"),
    ]  # fmt: skip


def execute(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, capture_output=True, text=True, timeout=120, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.fixture
def short(run: StageRun) -> StageRun:
    return dataclasses.replace(run, stage=dataclasses.replace(run.stage, samples=64, epochs=1))


def test_a_stage_by_hand(short: StageRun, grids, tmp_path: Path) -> None:
    done = execute(command(short, grids, tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "stage1.safetensors").exists()
    assert lines(tmp_path / "training/metrics.jsonl")[-1]["milestone"] == "100%"
    assert list((tmp_path / "training/stage1.events").iterdir())
    assert "stage1 step 4/4" in done.stderr and not (tmp_path / "work/checkpoints").exists()


def test_a_second_trainer_is_refused(short: StageRun, grids, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with FileLock(tmp_path / "work/.lock"):
        done = execute(command(short, grids, tmp_path))
    assert done.returncode == 75
    assert "another process trains this stage" in done.stderr
    assert not (tmp_path / "stage1.safetensors").exists()
    assert execute(command(short, grids, tmp_path)).returncode == 0, "the lock went with its holder"


def test_the_settings_of_a_stage_are_printed_for_it() -> None:
    def printed(*arguments: str) -> subprocess.CompletedProcess[str]:
        return execute([sys.executable, "-m", "ctm.pipeline.cli", "stage", *arguments])

    done = printed("stage2", "--configfile", "config/demo.yaml")
    told = TypeAdapter(StageRun).validate_json(done.stdout)
    assert (told.name, told.stage.ticks, told.model["neurons"]) == ("stage2", 6, 256)
    wrong = printed("stage9")
    assert wrong.returncode == 2 and "stage9: no such stage; there are stage1, stage2" in wrong.stderr
