"""A home that cannot be written stops no run that `ctm-pipeline` starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ctm.pipeline.caches import VARIABLE, caches

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "given", [{"HOME": "/proc"}, {"HOME": "/x", VARIABLE: "/proc/x"}], ids=["home", "xdg"]
)
def test_a_folder_for_the_time_of_the_run(given: dict[str, str]) -> None:
    environment = dict(given)
    with caches(environment) as folder:
        assert folder is not None and environment[VARIABLE] == str(folder)
        (folder / "snakemake").mkdir()
    assert environment == given and not folder.exists()


def test_a_home_that_can_be_written_is_used(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path)}
    with caches(environment) as folder:
        assert folder is None and environment == {"HOME": str(tmp_path)}


def test_a_plan_without_a_home_from_another_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": "/proc", "PYTHONPATH": str(ROOT)}
    environment.pop(VARIABLE, None)
    command = [
        sys.executable,
        "-m",
        "ctm.pipeline.cli",
        "run",
        "-n",
        "all",
        "--directory",
        "run",
        "--cores",
        "1",
    ]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "train_stage4" in done.stdout + done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
