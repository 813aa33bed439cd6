"""Snakemake killed or interrupted in the middle of a job, and the same command again: no flag, no orphan, same ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from helpers.fake_checkout import Checkout
from helpers.run_processes import Program, programs

WEIGHTS = "results/checkpoints/stage2.safetensors"


def begun(run: Path, name: str) -> list[Program]:
    """Programs of a run, once one of that name has half written its output."""
    for _ in range(1200):
        found = [program for program in programs(run) if program.name == name]
        if found and (run / found[0].out).exists():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{name} did not begin")


def _heed_interrupts() -> None:
    """In the child: tests that a shell runs in the background inherit that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
@pytest.mark.parametrize("profile", [[], ["--workflow-profile", "none"]], ids=["profile", "no profile"])
def test_the_same_command_again(built: Checkout, tmp_path: Path, number: int, profile: list[str]) -> None:
    root = tmp_path / "moved"
    shutil.copytree(built.root, root)
    checkout, run = Checkout(root, {**built.overlay}), root / "run"
    whole = checkout.read(WEIGHTS)
    (run / WEIGHTS).unlink()
    slow = checkout.environment() | {"SLOW": "checkpoints/stage2"}
    command = checkout.command(WEIGHTS, *profile)
    with subprocess.Popen(
        command,
        cwd=root,
        env=slow,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_heed_interrupts,
    ) as first:
        begun(run, "train_stage")
        if number == signal.SIGINT:
            os.killpg(first.pid, number)  # as a terminal does at Ctrl-C
        else:
            first.send_signal(number)
        first.wait(300)
    for _ in range(300):
        if not programs(run):
            break
        time.sleep(0.1)
    assert not programs(run), "the job outlived its Snakemake"
    checkout.snakemake(WEIGHTS, *profile)
    assert checkout.read(WEIGHTS) == whole
