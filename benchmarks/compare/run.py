"""CTM, TRM and two controls on the demo's data: trained on the same samples, and again for the same compute.

    make compare                                     data of a finished demo (runs/demo/results), about two hours
    .venv/bin/python benchmarks/compare/run.py --data runs/demo/results --samples 8000 --seeds 1 --minutes 20
    make compare COMPARE="--models 'CTM, one tick' --blocks 0 1 3 --minutes 600"         controls of thinking
    make compare COMPARE="--config hard.yaml --comparisons 'same compute'"    another mix of stage 4, one comparison

The controls are the CTM with a single tick, which shows what thinking on is worth, and a plain transformer with as many
blocks as make its compute the CTM's. `--blocks` adds the CTM, with all its ticks and with one, on encoders of so many
blocks: what thinking does for less encoder, and encoding for less thought. Sizes come from config/demo.yaml; all are
trained from random weights in one stage with one recipe (batch, rate, mix, order of samples, average of weights).
Compute is floating-point operations of the matrix products of a training step, counted on batches of that stage; "same
compute" is what the CTM's training takes on the given samples, and each model sees as many samples as that pays for.
Each is trained with several seeds, and the CTM's difference from every other model is paired: the same items, drawn by
project, and the same seeds. One training each says little, as two of one model differ by a point or two.

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
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from ctm.evaluation.calibrate import draw_equally
from ctm.evaluation.comparison import model_figures
from ctm.evaluation.first_edits import first_edits
from ctm.evaluation.paired import conclusion, mcnemar, paired_difference
from ctm.evaluation.suites import prepare, read_suite
from ctm.evaluation.training_compute import training_flops
from ctm.files import write_json
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.config import LossTerms
from ctm.model.device import pick_device, pick_precision
from ctm.model.weights import load_model
from ctm.pipeline.config import Config, read_config, section
from ctm.shares import COLUMNS
from ctm.training.batch import TrainingBatch, batches
from ctm.training.data import load_split, plan_visits
from ctm.training.settings import StageRun, stage_of_ctm

CHECKOUT = Path(__file__).resolve().parents[2]
RUNS = CHECKOUT / "runs" / "compare"
CONFIG = [CHECKOUT / "config" / "config.yaml", CHECKOUT / "config" / "demo.yaml"]
SAME_SAMPLES, SAME_COMPUTE = COMPARISONS = ("same samples", "same compute")
CTM, TRM, ONE_TICK, TRANSFORMER = "CTM", "TRM", "CTM, one tick", "transformer"
OTHERS = (TRM, ONE_TICK, TRANSFORMER)
"""What the CTM is compared with."""
COUNTED = 4
"""Batches whose matrix products are counted: they differ in length."""
MOST_BLOCKS = 24


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


def run_of(config: Config, name: str, blocks: int, samples: int, usable: int, seed: int) -> StageRun:
    """One training. All have the same name and data, so that samples come in the same order."""
    order, stages = config.training.order, config.training.stages
    first, last, sizes = stages[order[0]], stages[order[-1]], section(config, "model")
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
        return _other(ctm, 1, {**shared, "blocks": blocks, "architecture": "transformer"})
    return (
        dataclasses.replace(ctm, stage=dataclasses.replace(ctm.stage, ticks=1)) if name == ONE_TICK else ctm
    )


def variants(config: Config, models: Sequence[str], blocks: Sequence[int]) -> dict[str, tuple[str, Config]]:
    """What is trained, by its label: the kind of model, and the config that has its sizes.

    The CTM, those of OTHERS in `models`, and with each number of `blocks` the CTM and the CTM of one tick.
    """
    found = {name: (name, config) for name in (CTM, *(name for name in OTHERS if name in models))}
    for number in blocks:
        sizes = dataclasses.replace(config, model=dataclasses.replace(config.model, blocks=number))
        found |= {f"{name}, {number} blocks": (name, sizes) for name in (CTM, ONE_TICK)}
    return found


def _other(ctm: StageRun, ticks: int, sizes: dict[str, Any]) -> StageRun:
    """The same training of another model."""
    stage = dataclasses.replace(ctm.stage, ticks=ticks)
    return dataclasses.replace(ctm, stage=stage, model=sizes, loss=LossTerms())


def equal_blocks(
    config: Config, parts: list[TrainingBatch], codec: CodeTokenizer, wanted: float, seed: int
) -> int:
    """Blocks of the transformer whose training costs what is nearest to `wanted`; the cost grows evenly with them."""
    batch = config.training.stages[
        config.training.order[-1]
    ].batch  # of so many samples, as a stage has no fewer
    one, two = (
        training_flops(run_of(config, TRANSFORMER, n, batch, batch, seed), parts, codec) for n in (1, 2)
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


def differences(rows: list[dict[str, Any]], items: int) -> list[dict[str, Any]]:
    """The CTM against every other model, paired by item and seed; of those that both have been trained with."""
    found = []
    folders = {
        (row["comparison"], row["model"], row["seed"]): RUNS / "trained" / row["trained"] for row in rows
    }
    for comparison, name in dict.fromkeys((row["comparison"], row["model"]) for row in rows):
        seeds = sorted({s for c, n, s in folders if (c, n) == (comparison, name)})
        seeds = [seed for seed in seeds if (comparison, CTM, seed) in folders]
        if name == CTM or not seeds:
            continue
        read = {
            of: [np.load(answers(folders[comparison, of, seed], items)) for seed in seeds]
            for of in (CTM, name)
        }
        category, kind, projects = (read[CTM][0][key] for key in ("category", "kind", "project"))
        right = {of: np.stack([one["right"] for one in several], axis=1) for of, several in read.items()}
        found.append(
            {
                "comparison": comparison, "first": CTM, "second": name, "seeds": seeds,
                "difference": paired_difference(category, kind, projects.tolist(), right[CTM], right[name]),
                "mcnemar_by_seed": [
                    mcnemar(category, right[CTM][:, place], right[name][:, place]) for place in range(len(seeds))
                ],
            }
        )  # fmt: skip
    return found


def tables(rows: list[dict[str, Any]], pairs: list[dict[str, Any]], items: int) -> str:
    """Markdown: a table for each comparison, means over seeds, with accuracy by tick and the paired differences."""
    lines: list[str] = []
    for comparison in (SAME_SAMPLES, SAME_COMPUTE):
        mine = [row for row in rows if row["comparison"] == comparison]
        if not mine:
            continue
        lines += [f"**The {comparison}**; first edit exactly right, {items:,} items of the test set, %", ""]
        head = [
            "model", "seeds", "body + embeddings", "samples", "GFLOP a sample", "TFLOP in all", "samples/s",
            "seconds", *COLUMNS,
        ]  # fmt: skip
        lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        groups = {name: [row for row in mine if row["model"] == name] for name in _names(mine)}
        for name, group in groups.items():
            row = group[0]
            parameters = " + ".join(f"{row['parameters'][k] / 1e6:.2f} M" for k in ("body", "embedding"))
            speed, seconds = (_mean([one[key] for one in group]) for key in ("samples_per_second", "seconds"))
            cells = [name, str(len(group)), parameters, f"{row['samples']:,}"]
            cells += [
                f"{row['training_flops'] / 1e9:.2f}",
                f"{row['samples'] * row['training_flops'] / 1e12:.1f}",
            ]
            cells += [f"{speed:.0f}", f"{seconds:.0f}"]
            cells += [_spread([one["accuracy"].get(category) for one in group]) for category in COLUMNS]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
        for name, group in groups.items():
            by_tick = [one["accuracy_by_tick"].get("overall", []) for one in group]
            if len(by_tick[0]) > 1:
                shown = " / ".join(_percent(_mean(values)) for values in zip(*by_tick, strict=True))
                lines += [f"{name}, overall by tick: {shown}", ""]
        lines += _difference_table([pair for pair in pairs if pair["comparison"] == comparison])
    return "\n".join(lines)


def _difference_table(pairs: list[dict[str, Any]]) -> list[str]:
    """Paired differences as a table, in points."""
    if not pairs:
        return []
    head = ["paired difference, points", *COLUMNS, "overall by seed", "p by seed (McNemar)", "said"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for pair in pairs:
        by_category = pair["difference"]["accuracy"]
        cells = [f"{pair['first']} less {pair['second']}"]
        cells += [_points(by_category[category]) for category in COLUMNS]
        cells += [", ".join("-" if d is None else f"{100 * d:+.1f}" for d in pair["difference"]["by_seed"])]
        p = [one["overall"]["p"] for one in pair["mcnemar_by_seed"]]
        cells += [", ".join("-" if value is None else f"{value:.2g}" for value in p)]
        cells += [conclusion(by_category["overall"]["interval"], pair["first"], pair["second"])]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _points(difference: dict[str, Any]) -> str:
    if difference["value"] is None:
        return "-"
    ends = difference["interval"]
    return f"{100 * difference['value']:+.1f}" + (
        f" ({100 * ends[0]:+.1f} to {100 * ends[1]:+.1f})" if ends else ""
    )


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["model"] for row in rows))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _spread(shares: list[float | None]) -> str:
    """Mean over seeds, and the lowest and highest where there are several."""
    known = [share for share in shares if share is not None]
    if not known:
        return "-"
    ends = f" ({_percent(min(known))} to {_percent(max(known))})" if len(known) > 1 else ""
    return _percent(_mean(known)) + ends


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=CHECKOUT / "runs" / "demo" / "results",
                        help="results of a finished demo")  # fmt: skip
    parser.add_argument("--samples", type=int, default=30_000, help="that the CTM sees in both comparisons")
    parser.add_argument(
        "--items", type=int, default=2_000, help="of the test set, categories in equal shares"
    )
    parser.add_argument("--threads", type=int, default=2, help="of every training and evaluation")
    parser.add_argument("--models", nargs="*", choices=OTHERS, default=list(OTHERS), help="beside the CTM")
    parser.add_argument("--blocks", nargs="*", type=int, default=[],
                        help="encoders on which the CTM and the CTM of one tick are trained besides")  # fmt: skip
    parser.add_argument("--config", nargs="*", type=Path, default=[],
                        help="overlays of config/demo.yaml: another last mix, more ticks, a wider model")  # fmt: skip
    parser.add_argument("--comparisons", nargs="*", choices=COMPARISONS, default=list(COMPARISONS))
    parser.add_argument("--minutes", type=float, default=180, help="time limit; the next call goes on")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each model")
    parser.add_argument("--seed", type=int, default=0, help="the first of them, of weights and order")
    given = parser.parse_args()
    data, deadline = Data(given.data), time.monotonic() + 60 * given.minutes
    if not data.test.is_file():
        parser.error(f"{data.test}: no such file; --data must name the results of a finished demo")
    config = read_config([*CONFIG, *given.config])
    codec, train = CodeTokenizer.load(data.tokenizer), load_split(data.grids("train"))
    usable = len(train)
    base = run_of(config, CTM, 0, given.samples, usable, given.seed)
    plan = plan_visits(train, base.stage, base.training, 0)
    middle = len(plan) // 2
    parts = list(islice(batches(train, plan, codec, middle), COUNTED))
    cost = {CTM: training_flops(base, parts, codec)}
    blocks = equal_blocks(config, parts, codec, cost[CTM], given.seed)
    asked = variants(config, given.models, given.blocks)
    for label, (name, sizes) in asked.items():
        cost[label] = training_flops(
            run_of(sizes, name, blocks, given.samples, usable, given.seed), parts, codec
        )
    rows: list[dict[str, Any]] = []
    try:
        # seed by seed, so that what a time limit leaves can be read
        for seed, comparison in product(range(given.seed, given.seed + given.seeds), given.comparisons):
            for label, (name, sizes) in asked.items():
                same = comparison == SAME_SAMPLES
                paid = given.samples if same else round(given.samples * cost[CTM] / cost[label])
                run = run_of(sizes, name, blocks, paid, usable, seed)
                print(f"{comparison}: {label}, {paid:,} samples, seed {seed}", flush=True)
                folder = trained(run, data, given.threads, deadline)
                summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
                rows.append(
                    {
                        "comparison": comparison, "model": label, "seed": seed, "training_flops": cost[label],
                        "trained": folder.name, "samples": summary["samples_seen"],
                        "unique_samples": summary["unique_samples"], "seconds": summary["seconds"],
                        "samples_per_second": summary["samples_per_second"],
                        "sizes": run.model, **measured(folder, data, given.items, given.threads),
                    }
                )  # fmt: skip
    except Stopped:
        print("the time limit ended this; the same command goes on from here", flush=True)
    RUNS.mkdir(parents=True, exist_ok=True)
    pairs = differences(rows, given.items)
    text = tables(rows, pairs, given.items)
    options = {k: str(v) for k, v in vars(given).items()}
    write_json(RUNS / "table.json", {"options": options, "rows": rows, "differences": pairs})
    (RUNS / "table.md").write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
