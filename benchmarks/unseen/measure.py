"""The project's own analyses of any weights, on the held-out projects of a run that these weights never saw.

Weights, tokenizer and list of projects come from another training than the run's data, so items of projects that
trained the model are taken out by name first.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ctm.analysis.certainty import analyze_certainty
from ctm.analysis.settings import AnalysisSettings, SynchronizationSettings
from ctm.analysis.synchronization.analyze import analyze_synchronization
from ctm.analysis.ticks import analyze_iterations
from ctm.evaluation.benchmark import benchmark
from ctm.evaluation.certainty import curve_of
from ctm.evaluation.repairs import repair_cases
from ctm.evaluation.settings import EvaluationSettings
from ctm.evaluation.suites import prepare
from ctm.evaluation.thought_figures import follow_thoughts
from ctm.files import replacing, write_json
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.device import pick_device, pick_precision
from ctm.model.weights import load_model
from ctm.pairs.record import CATEGORIES, Pair, read_pairs, write_pairs
from ctm.pairs.splits import project_name
from ctm.parquet import read_parquet, write_parquet
from ctm.repair.evaluate import read_items
from ctm.repair.metrics import intervals, measure


@dataclass(frozen=True)
class Sizes:
    """How much is looked at; the defaults take a model of 11 M parameters about ten minutes of one thread."""

    per_category: int = 240
    """Test items of each category."""
    evaluation: EvaluationSettings = EvaluationSettings(
        tick_items=400, confidence_items=200, windows=300, ranked_items=0, precision="auto"
    )
    analysis: AnalysisSettings = AnalysisSettings(
        scaling_items=120, scaling_ticks=(1, 2, 4, 8, 12, 16, 24), control_items=120
    )
    synchronization: SynchronizationSettings = SynchronizationSettings(
        items=360, random_labels=19, ablated=80, patched=400
    )
    real_errors: int = 300


def widened(weights: Path, out: Path) -> None:
    """Write the same weights as float32, which the model computes with; half of the size is how they are kept."""
    with safe_open(weights, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    with replacing(out) as temporary:
        save_file({name: values.to(torch.float32) for name, values in tensors.items()}, temporary, metadata)


def projects_of(corpus: Path) -> frozenset[str]:
    """Normalized names in the column `name` of a CSV. Raises ValueError where there is no such column."""
    with corpus.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        if "name" not in (rows.fieldnames or ()):
            raise ValueError(
                f"{corpus}: has no column 'name'; it must list the projects that trained the model"
            )
        return frozenset(project_name(row["name"]) for row in rows)


def unseen_items(run: Path, seen: frozenset[str], per_category: int, seed: int, out: Path) -> dict[str, Any]:
    """Write test pairs of projects that are not in `seen`, up to so many of each category; returns counts.

    What the run's test projects cannot fill is filled from its training projects, which this model never saw either.
    """
    rng = np.random.default_rng(seed)
    drawn: list[Pair] = []
    counts: dict[str, Any] = {}
    pools = [
        [pair for pair in _pairs_of(run, split) if project_name(pair.origin.project) not in seen]
        for split in ("test", "train")
    ]
    for category in CATEGORIES:
        chosen: list[Pair] = []
        counts[category] = {}
        for name, pool in zip(("test", "train"), pools, strict=True):
            mine = [pair for pair in pool if pair.category == category and pair.source == "mutation"]
            taken = [mine[place] for place in rng.permutation(len(mine))[: per_category - len(chosen)]]
            counts[category][name] = len(taken)
            chosen += taken
        drawn += chosen
    write_pairs(out, drawn)
    counts["projects"] = len({pair.origin.project for pair in drawn})
    return counts


def _pairs_of(run: Path, split: str) -> Iterator[Pair]:
    return read_pairs(run / "results" / "pairs" / f"{split}.parquet")


def unseen_rows(table: Path, seen: frozenset[str], out: Path) -> int:
    """Write the rows of a Parquet file whose project is not in `seen`; returns how many."""
    rows = read_parquet(table)
    kept = [project_name(name) not in seen for name in rows.column("project").to_pylist()]
    write_parquet(out, rows.filter(kept))
    return sum(kept)


def analyze(weights: Path, tokenizer: Path, run: Path, out: Path, sizes: Sizes, threads: int) -> None:
    """Every analysis of phase 4 that needs no other model; a file that is there already is not made again."""
    quotas = run / "results" / "mutants" / "quotas.json"
    report, items, chosen_on = out / "benchmark.json", out / "items.parquet", out / "validation_items.parquet"
    test, thoughts = out / "test.parquet", out / "thoughts.json"
    pairs = (out / "validation.parquet", test, out / "real.parquet", out / "windows.parquet")
    analysis = sizes.analysis
    steps: dict[Path, Callable[[], Any]] = {
        report: lambda: benchmark(
            weights, tokenizer, *pairs, quotas, sizes.evaluation, threads, report, items, chosen_on
        ),
        thoughts: lambda: follow_thoughts(
            weights, tokenizer, test, analysis.scaling_items, analysis.control_items, analysis.scaling_ticks,
            sizes.evaluation, threads, thoughts,
        ),
        out / "iterations.json": lambda: analyze_iterations(
            report, items, chosen_on, thoughts, test, analysis, out / "iterations.json",
            out / "accuracy_by_tick.png", out / "flips_by_tick.png", out / "early_exit.png",
        ),
        out / "certainty.json": lambda: analyze_certainty(
            report, items, analysis, out / "certainty.json", out / "reliability.png", out / "risk_coverage.png"
        ),
        out / "synchronization.json": lambda: analyze_synchronization(
            weights, tokenizer, test, sizes.synchronization, threads, out / "synchronization.json",
            out / "neuron_importance.csv", out / "sync_heatmaps.png", out / "sync_interpretation_report.md",
        ),
    }  # fmt: skip
    for made, make in steps.items():
        if not made.is_file():
            make()


def measure_real_errors(
    suite: Path, weights: Path, tokenizer: Path, report: Path, sizes: Sizes, threads: int, out: Path
) -> None:
    """First answers to a random part of the suite, with the thresholds that the benchmark chose.

    The same measures as those of `ctm-repair evaluate`, but for 5 and 10 answers, which take ten times as long.
    """
    items = read_items(suite)
    drawn = random.Random(0).sample(items, min(sizes.real_errors, len(items)))
    chosen = json.loads(report.read_text())
    codec, device = CodeTokenizer.load(tokenizer), pick_device("auto")
    precision = pick_precision(sizes.evaluation.precision, device, "precision")
    thresholds = chosen["thresholds"]
    judged = repair_cases(
        prepare(drawn, codec),
        load_model(weights).to(device),
        codec,
        thresholds["tick"],
        thresholds["edit"],
        threads,
        suite.name,
        precision=precision,
        further=thresholds["further"],
        confidence=curve_of(chosen["confidence"]),
    )
    outcomes = [one.evaluated.outcome for one in judged]
    write_json(
        out,
        {
            "suite": suite.name,
            "items": len(items),
            "asked": len(drawn),
            "measures": measure(outcomes),
            "intervals": intervals(outcomes),
        },
    )
