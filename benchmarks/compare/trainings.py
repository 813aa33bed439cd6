"""Trains and measures what is compared, once: results lie by a hash of what they depend on, and are found again."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from ctm.evaluation.calibrate import draw_equally
from ctm.evaluation.comparison import model_figures
from ctm.evaluation.first_edits import first_edits
from ctm.evaluation.suites import prepare, read_suite
from ctm.files import write_json
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.device import pick_device, pick_precision
from ctm.model.weights import load_model
from ctm.training.settings import StageRun

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Data:
    """A finished demo's folder of results."""

    folder: Path

    @property
    def tokenizer(self) -> Path:
        return self.folder / "tokenizer" / "tokenizer.json"

    def grids(self, split: str) -> Path:
        return self.folder / "grids" / split / "manifest.json"

    @property
    def test(self) -> Path:
        return self.folder / "pairs" / "test.parquet"


class Stopped(Exception):
    """The time limit was reached."""


def trained(run: StageRun, data: Data, runs: Path, threads: int, deadline: float) -> Path:
    """Folder of the finished training of `run`, below `runs`. Raises Stopped where the time limit ends it."""
    settings = json.dumps(TypeAdapter(StageRun).dump_python(run, mode="json"), sort_keys=True)
    key = hashlib.sha256(f"{data.folder.resolve()}{threads}{settings}".encode()).hexdigest()[:12]
    folder = runs / key
    if (folder / "summary.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "train": data.grids("train"), "validation": data.grids("validation"), "tokenizer": data.tokenizer,
        "settings": settings, "threads": threads, "work": folder / "work", "out": folder / "weights.safetensors",
        "metrics": folder / "metrics.jsonl", "summary": folder / "summary.json",
    }  # fmt: skip
    command = [sys.executable, str(CHECKOUT / "workflow" / "scripts" / "train_stage.py")]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    left = deadline - time.monotonic()
    if left <= 0:
        raise Stopped
    try:
        subprocess.run(command, check=True, cwd=CHECKOUT, timeout=left)
    except subprocess.TimeoutExpired:
        raise Stopped from None
    except subprocess.CalledProcessError as error:
        sys.exit(f"a training failed with status {error.returncode}; its own lines above say why")
    return folder


def measured(folder: Path, data: Data, items: int, threads: int) -> dict[str, Any]:
    """Figures of a trained model on the frozen test set, kept beside it with what is right of each item (`answers`)."""
    out = folder / f"figures-{items}.json"
    if not (out.exists() and answers(folder, items).exists()):
        codec = CodeTokenizer.load(data.tokenizer)
        device = pick_device("auto")
        suite = draw_equally(read_suite(data.test), items, np.random.default_rng(0))
        model = load_model(folder / "weights.safetensors").to(device)
        precision = pick_precision("auto", device, "precision")
        cases = prepare(suite, codec)
        said = first_edits(cases, model, codec, threads, precision)
        projects = np.array([case.item.project for case in cases])
        np.savez(
            answers(folder, items),
            right=said.surest,
            category=said.category,
            kind=said.kind,
            project=projects,
        )
        write_json(out, model_figures(cases, model, codec, said))
    return json.loads(out.read_text(encoding="utf-8"))


def answers(folder: Path, items: int) -> Path:
    """Whether each of the items is right, with its category, kind and project."""
    return folder / f"answers-{items}.npz"
