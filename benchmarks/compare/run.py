"""CTM, TRM and two controls on the demo's data: trained on the same samples, and again for the same compute.

    make compare                                     data of a finished demo (runs/demo/results), up to an hour
    .venv/bin/python benchmarks/compare/run.py --data runs/demo/results --samples 30000 --minutes 20
    make compare COMPARE="--models ctm one-tick --blocks 0 1 3 --seeds 0 1 2 --minutes 600"      controls of thinking

The controls are the CTM with a single tick, which shows what thinking on is worth, and a plain transformer with as many
blocks as make its compute the CTM's. `--blocks` adds the CTM, with all its ticks and with one, on encoders of so many
blocks: what thinking does for less encoder, and encoding for less thought. Sizes come from config/demo.yaml; all are
trained from random weights in one stage with one recipe (batch, rate, mix, order of samples, average of weights).
Compute is floating-point operations of the matrix products of a training step, counted on batches of that stage; "same
compute" is what the CTM's training takes on the given samples, and each model sees as many samples as that pays for.
One seed each unless more are given, and then mean, lowest and highest: differences of a point or two are noise.

What is done lies in runs/compare/ and is not done again (nor after a change of the code: remove the folder then); a
training that the time limit stopped goes on where it was.
The tables are Markdown on standard output and in runs/compare/table.md, with all figures in table.json beside it.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
from comparison_tables import SAME_COMPUTE, SAME_SAMPLES, tables
from pydantic import TypeAdapter

from ctm.evaluation.calibrate import draw_equally
from ctm.evaluation.comparison import model_figures
from ctm.evaluation.flops import count_flops
from ctm.evaluation.suites import prepare, read_suite
from ctm.files import write_json
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.config import LossTerms
from ctm.model.device import pick_device, pick_precision
from ctm.model.weights import load_model
from ctm.pipeline.config import Config, read_config, section
from ctm.training.batch import TrainingBatch, batches
from ctm.training.data import load_split, plan_visits
from ctm.training.initial import new_model
from ctm.training.settings import StageRun, stage_of_ctm

CHECKOUT = Path(__file__).resolve().parents[2]
RUNS = CHECKOUT / "runs" / "compare"
CONFIG = [CHECKOUT / "config" / "config.yaml", CHECKOUT / "config" / "demo.yaml"]
CTM, TRM, ONE_TICK, TRANSFORMER = "CTM", "TRM", "CTM, one tick", "transformer"
COUNTED = 4
"""Batches whose matrix products are counted: they differ in length."""
MOST_BLOCKS = 24
MODELS = {"ctm": CTM, "trm": TRM, "one-tick": ONE_TICK, "transformer": TRANSFORMER}
"""By the names that `--models` takes."""


@dataclass(frozen=True)
class Variant:
    """A model of the comparison."""

    name: str
    """Of MODELS."""
    blocks: int | None = None
    """Attention blocks of a CTM's encoder; None: as the config says. Of a transformer all its blocks."""

    @property
    def label(self) -> str:
        """What tables call it."""
        return (
            self.name
            if self.blocks is None or self.name == TRANSFORMER
            else f"{self.name}, {self.blocks} blocks"
        )


def variants(models: list[str], blocks: list[int]) -> list[Variant]:
    """The models that are asked for, then the CTM and the CTM of one tick (of these) with each number of blocks."""
    plain = [Variant(MODELS[name]) for name in models]
    return plain + [Variant(one.name, n) for n in blocks for one in plain if one.name in (CTM, ONE_TICK)]


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


def run_of(config: Config, variant: Variant, samples: int, usable: int, seed: int) -> StageRun:
    """One training. All have the same name and data, so that samples come in the same order."""
    order, stages = config.training.order, config.training.stages
    first, last, name = stages[order[0]], stages[order[-1]], variant.name
    sizes = section(config, "model") | ({} if variant.blocks is None else {"blocks": variant.blocks})
    epochs = max(1, math.ceil(samples / usable))
    stage = dataclasses.replace(
        last, samples=round(samples / epochs), epochs=epochs, milestones={}, learning_rate=first.learning_rate,
        warmup=0.05, final_rate=0.02,
    )  # fmt: skip
    training = dataclasses.replace(
        config.training, seed=seed, ema=config.trm.ema, validation_items=40, log_steps=50
    )
    ctm = stage_of_ctm("compare", stage, training, sizes)
    if name == TRM:
        other = {**section(config, "trm.model"), "architecture": "trm"}
        return _other(ctm, config.trm.stage.ticks, other)
    if name == TRANSFORMER:
        shared = {key: sizes[key] for key in ("width", "heads", "kernel", "units", "dropout")}
        return _other(ctm, 1, {**shared, "blocks": variant.blocks, "architecture": "transformer"})
    return (
        dataclasses.replace(ctm, stage=dataclasses.replace(ctm.stage, ticks=1)) if name == ONE_TICK else ctm
    )


def _other(ctm: StageRun, ticks: int, sizes: dict[str, Any]) -> StageRun:
    """The same training of another model."""
    stage = dataclasses.replace(ctm.stage, ticks=ticks)
    return dataclasses.replace(ctm, stage=stage, model=sizes, loss=LossTerms())


def training_flops(run: StageRun, parts: list[TrainingBatch], codec: CodeTokenizer) -> float:
    """Operations of matrix products in a training step, a sample: forward, loss and backward."""
    model = new_model({**run.model, "ticks": run.stage.ticks}, codec, 0).train()

    def steps() -> None:
        for part in parts:
            model.loss(model(**part.inputs), part, run.loss).total.backward()

    return count_flops(steps) / (len(parts) * run.stage.batch)


def equal_blocks(
    config: Config, parts: list[TrainingBatch], codec: CodeTokenizer, wanted: float, seed: int
) -> int:
    """Blocks of the transformer whose training costs what is nearest to `wanted`; the cost grows evenly with them."""
    one, two = (
        training_flops(run_of(config, Variant(TRANSFORMER, n), 1, 1, seed), parts, codec) for n in (1, 2)
    )
    return min(MOST_BLOCKS, max(1, 1 + round((wanted - one) / (two - one))))


def trained(run: StageRun, data: Data, threads: int, deadline: float) -> Path:
    """Folder of the finished training of `run`. Raises Stopped where the time limit ends it."""
    settings = json.dumps(TypeAdapter(StageRun).dump_python(run, mode="json"), sort_keys=True)
    key = hashlib.sha256(f"{data.folder.resolve()}{threads}{settings}".encode()).hexdigest()[:12]
    folder = RUNS / "trained" / key
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
    """Figures of a trained model on the frozen test set, kept beside it."""
    out = folder / f"figures-{items}.json"
    if not out.exists():
        codec = CodeTokenizer.load(data.tokenizer)
        device = pick_device("auto")
        suite = draw_equally(read_suite(data.test), items, np.random.default_rng(0))
        model = load_model(folder / "weights.safetensors").to(device)
        precision = pick_precision("auto", device, "precision")
        write_json(out, model_figures(prepare(suite, codec), model, codec, threads, precision))
    return json.loads(out.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=CHECKOUT / "runs" / "demo" / "results",
                        help="results of a finished demo")  # fmt: skip
    parser.add_argument("--samples", type=int, default=30_000, help="that the CTM sees in both comparisons")
    parser.add_argument(
        "--items", type=int, default=2_000, help="of the test set, categories in equal shares"
    )
    parser.add_argument("--threads", type=int, default=2, help="of every training and evaluation")
    parser.add_argument("--minutes", type=float, default=90, help="time limit; the next call goes on")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS), help="which are trained")
    parser.add_argument("--blocks", nargs="+", type=int, default=[],
                        help="encoders on which the CTM and the CTM of one tick are trained besides")  # fmt: skip
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[0], help="of weights and order, a training each"
    )
    parser.add_argument("--config", type=Path, action="append", default=[], help="laid over config/demo.yaml")
    given = parser.parse_args()
    data, deadline = Data(given.data), time.monotonic() + 60 * given.minutes
    if not data.test.is_file():
        parser.error(f"{data.test}: no such file; --data must name the results of a finished demo")
    config = read_config([*CONFIG, *given.config])
    codec, train = CodeTokenizer.load(data.tokenizer), load_split(data.grids("train"))
    usable, seed = len(train), given.seeds[0]
    base = run_of(config, Variant(CTM), given.samples, usable, seed)
    plan = plan_visits(train, base.stage, base.training, 0)
    parts = list(islice(batches(train, plan, codec, len(plan) // 2), COUNTED))
    wanted = training_flops(base, parts, codec)
    asked = [
        Variant(TRANSFORMER, equal_blocks(config, parts, codec, wanted, seed))
        if one.name == TRANSFORMER
        else one
        for one in variants(given.models, given.blocks)
    ]
    cost = {one: training_flops(run_of(config, one, 1, 1, seed), parts, codec) for one in asked}
    rows: list[dict[str, Any]] = []
    try:
        for comparison, one, seed in product((SAME_SAMPLES, SAME_COMPUTE), asked, given.seeds):
            paid = given.samples if comparison == SAME_SAMPLES else round(given.samples * wanted / cost[one])
            run = run_of(config, one, paid, usable, seed)
            print(f"{comparison}: {one.label}, {paid:,} samples, seed {seed}", flush=True)
            folder = trained(run, data, given.threads, deadline)
            summary = json.loads((folder / "summary.json").read_text())
            rows.append(
                {
                    "comparison": comparison, "model": one.label, "seed": seed, "training_flops": cost[one],
                    "samples": summary["samples_seen"], "unique_samples": summary["unique_samples"],
                    "seconds": summary["seconds"], "samples_per_second": summary["samples_per_second"],
                    "sizes": run.model, **measured(folder, data, given.items, given.threads),
                }
            )  # fmt: skip
    except Stopped:
        print("the time limit ended this; the same command goes on from here", flush=True)
    RUNS.mkdir(parents=True, exist_ok=True)
    text = tables(rows, given.items)
    write_json(RUNS / "table.json", {"options": {k: str(v) for k, v in vars(given).items()}, "rows": rows})
    (RUNS / "table.md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
