"""Stages run by the tests: their arguments, in this process and in another one that can be killed."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

from ctm.training.settings import StageRun

TIMED = ("samples_per_second", "machine")
"""Figures of a line of metrics that no two runs share."""
PROGRAM = """
import pickle, sys
from ctm.training.stage import train_stage
train_stage(*pickle.load(open(sys.argv[1], "rb")))
"""


def arguments(run: StageRun, grids: Any, folder: Path, init: Path | None = None) -> tuple[Any, ...]:
    """What `train_stage` takes; `grids` has train, validation, tokenizer."""
    return (
        run, grids.train, grids.validation, grids.tokenizer, init, folder / "work", folder / "out.safetensors",
        folder / "metrics.jsonl", folder / "summary.json", 1,
    )  # fmt: skip


def lines(path: Path) -> list[dict[str, Any]]:
    """Metrics of a stage."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def figures(path: Path) -> list[dict[str, Any]]:
    """Those that must be the same however often the stage was killed."""
    return [{k: v for k, v in record.items() if k not in TIMED} for record in lines(path)]


def start(folder: Path, values: tuple[Any, ...], program: str = PROGRAM) -> subprocess.Popen[str]:
    """Run a stage in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "arguments.pickle").write_bytes(pickle.dumps(values))
    command = [sys.executable, "-c", program, str(folder / "arguments.pickle")]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def newest(work: Path) -> int:
    """Step of the newest checkpoint, -1 where there is none."""
    return max((int(p.stem.split("-")[1]) for p in work.glob("step-*.pt")), default=-1)
