"""The artifacts of a small run, written by hand: what the report is made of, with figures that can be recounted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from ctm.evaluation.items import ITEMS, write_items
from ctm.pairs.record import Origin, Pair, Reject, make_pair, write_pairs, write_rejects
from ctm.pipeline.report import write_report
from helpers.tick_rows import iterations

HOSTILE = "</pre><script>alert(1)</script> \u202e"
METRICS: dict[str, Any] = {
    "accuracy": {
        "syntax": 0.512,
        "logic": 0.213,
        "security": None,
        "complex": 0.1,
        "clean": 0.9,
        "overall": 0.275,
    },
    "accuracy_by_items": {"syntax": 0.622, "clean": 0.9, "overall": 0.375},
    "intervals": {
        "level": 0.95,
        "units": {"syntax": 17},
        "accuracy": {"syntax": [0.481, 0.543], "overall": None},
        "accuracy_by_items": {"syntax": [0.591, 0.653], "overall": [0.35, 0.4]},
    },
    "unreachable": {"out_of_scope": 7, "fixed_does_not_compile": 0, "share": 0.003},
    "coverage": {
        "syntax": 0.99,
        "logic": 0.98,
        "security": None,
        "complex": 0.9,
        "clean": 1.0,
        "overall": 0.97,
    },
    "n": {"syntax": 1234, "logic": 1000, "security": 0, "complex": 50, "clean": 300, "overall": 2284},
    "by_kind": {"missing_colon": {"category": "syntax", "n": 40, "accuracy": 0.75, "bifi": None}},
    "ranked": {"n": 30, "exact_at_1": 0.4, "exact_at_5": 0.5, "exact_at_10": 0.6},
    "ece": 0.043,
    "auroc": 0.82,
    "false_alarm": 0.182,
    "in_use": {"accuracy": {"syntax": None, "logic": 0.084, "clean": 0.999}, "false_alarm": 0.001},
    "suggestions": {
        "asked": 2.0,
        "test": {
            "per_1000": 1.2,
            "low": 0.5,
            "high": 2.4,
            "proposals": 6,
            "windows": 4992,
            "projects": {"a": [1, 2]},
        },
        "found": {"logic": 0.079, "security": None},
    },
    "accuracy_by_tick": [[1, 0.01], [8, 0.275]],
    "ticks_used": {"mean": 5.5},
    "parameters": {"body": 2_000_000, "embedding": 300_000},
    "thresholds": {"tick": 0.97, "edit": 0.978, "further": 0.4},
    "suites": {
        "test": {"n": 2584, "exact_at_1": 0.4, "bifi": 0.7025, "guarded_bifi": 0.5515},
        "real": {"n": 26, "exact_at_1": 0.0, "bifi": 0.5},
    },
    "suite_intervals": {
        "test": {"bifi": [0.682, 0.723], "guarded_bifi": None},
        "real": {"exact_at_1": [0.0, 0.132]},
    },
    "deletion": {"test": {"n": 2584, "bifi": 0.6405, "guarded_bifi": 0.1905}},
    "samples_seen": 98_765,
    "train_samples_per_second": 210.0,
}
STAGE: dict[str, Any] = {
    "stage": "stage1",
    "samples_seen": 4321,
    "unique_samples": 4000,
    "seconds": 72.5,
    "samples_per_second": 59.6,
    "precision": "torch.bfloat16",
    "device": "cpu",
    "threads": 2,
    "events": [
        {
            "event": "rollback",
            "step": 90,
            "samples": 2880,
            "why": "the loss is nan",
            "at_step": 97,
            "to_step": 90,
            "rate_factor": 0.5,
        },
    ],
    "milestones": [
        {"milestone": "50%", "loss": 3.5, "accuracy": {"syntax": 0.4}},
        {"milestone": "100%", "loss": 3.0, "accuracy": {"syntax": 0.5}},
    ],
}
TARGETS = {"stage1": {"50%": {"loss": 4.0}, "100%": {"syntax": 0.85, "logic": 0.2}}}
"""What is asked of the stage: one is met, one missed, and logic was not measured."""
COUNTS: dict[str, Any] = {
    "by_split": {"train": 120_321, "validation": 300, "test": 500},
    "by_source": {"mutation": 120_800, "release": 321},
    "projects": {"train": ["kit", "rich"], "test": ["jinja2"], "validation": ["httpx"]},
    "table": [
        {"source": "mutation", "split": "train", "category": "syntax", "kind": "missing_colon", "n": 70_000},
        {"source": "mutation", "split": "train", "category": "syntax", "kind": "braces", "n": 1_000},
        {"source": "release", "split": "test", "category": "logic", "kind": "release", "n": 321},
    ],
}
CHECKS: dict[str, Any] = {
    "checks": [
        {
            "check": "gradients",
            "part": "reach every tick",
            "holds": True,
            "seen": "sync_action 0.1",
            "seconds": 0.1,
        }
    ]
}
ONNX: dict[str, Any] = {
    "items": 200,
    "largest_probability_difference": 8.9e-06,
    "metadata": {"tokenizer_fingerprint": "ceb9", "lineage": "d484" * 16},
}

THOUGHT: dict[str, Any] = {
    "suite": "test",
    "from": "picamera 1.13, picamera/bcm_host.py, BSD",
    "right": True,
    "answering_tick": 2,
    "ticks": [
        {
            "tick": tick, "certainty": 0.321 * tick, "right": tick == 2, "no_edit": False, "start": 7, "end": 8,
            "replaced": "s", "written": "<b>", "probability": 0.25, "most_attended": "key_mask",
            "attention_there": 0.1,
        }
        for tick in (1, 2)
    ],
}  # fmt: skip


def model_figures(overall: float, ticks: int, samples: int) -> dict[str, Any]:
    """Of one model of a comparison."""
    halts = [{"threshold": t, "ticks_mean": 1.5, "overall": overall, "clean": 0.9} for t in (0.5, 2.0)]
    return {
        "accuracy": {"syntax": overall, "overall": overall, "clean": None},
        "accuracy_by_tick": {"overall": [overall] * ticks},
        "intervals": {"accuracy": {"syntax": [overall - 0.05, overall + 0.05]}},
        "training": {"samples_seen": samples, "unique_samples": samples, "flops": 2.5e12, "seconds": 61.0},
        "ece": 0.0625,
        "auroc": 0.75,
        "items_per_second": 31.0,
        "flops": 1_500_000_000,
        "parameters": {"body": 7_654_321, "embedding": 100},
        "ticks": ticks,
        "halting": halts,
    }


def apart(value: float | None, interval: list[float] | None) -> dict[str, Any]:
    return {"value": value, "interval": interval}


PAIR: dict[str, Any] = {
    "first": "CTM",
    "second": "TRM",
    "comparable": False,
    "sentence": "Not comparable: CTM had 0.54 times the samples of TRM.",
    "difference": {
        "accuracy": {
            **{name: apart(None, None) for name in ("syntax", "logic", "security", "complex", "clean")},
            "overall": apart(0.11, [-0.021, 0.205]),
        }
    },
    "mcnemar": {
        name: {"n": 900, "only_first": 70, "only_second": 33, "p": 0.000343}
        for name in ("syntax", "logic", "security", "complex", "clean", "overall")
    },
}
NEAR: dict[str, Any] = {
    "factor": 1.19,
    "models": {
        name: {"samples": samples, "stage": stage, "milestone": "25%", "mix": {"syntax": 0.9, "clean": 0.1},
               "max_cells": 96, "validation_items": 160, "accuracy": {"syntax": 0.375}}
        for name, samples, stage in (("CTM", 6_000, "stage1"), ("TRM", 5_040, "trm"))
    },
}  # fmt: skip


def pair_of(number: int, fixed: str = "") -> Pair:
    """A made bug: a colon is missing in code of a project."""
    buggy = f"def total(items)\n    # {HOSTILE}\n    return {number}\n\n\ntotal([])"
    origin = Origin(
        "some_kit",
        "kit/sums.py",
        "total",
        12,
        version_to="1.2.0",
        url="pkg:pypi/some-kit@1.2.0",
        license="MIT",
    )
    fixed = fixed or buggy.replace("items)", "items):")
    return make_pair(
        buggy,
        fixed,
        category="syntax",
        kind="missing_colon",
        source="mutation",
        split="test",
        group="kit",
        origin=origin,
    )


def item_of(pair: Pair, answer: str) -> dict[str, Any]:
    """Its row of items.parquet, answered so."""
    row = {field.name: None for field in ITEMS} | {
        "suite": "test",
        "id": pair.pair_id,
        "category": pair.category,
    }
    return row | {
        "exact": answer == pair.fixed,
        "changed": answer != pair.buggy,
        "in_scope": True,
        "answer": answer,
    }


def make_run(folder: Path) -> Path:
    """Write the artifacts of a run into `folder`; returns it."""
    results = folder / "results"
    content = {
        "final/final_metrics.json": METRICS,
        "clean/counts.json": {
            "snippets": {"train": 40_000, "test": 1_000},
            "projects": {"train": 272, "test": 15},
        },
        "raw/releases/01-of-02.counts.json": {
            "unit": "pairs",
            "items": 77,
            "hours": 0.5,
            "milestones": [{"milestone": "25%", "items": 20, "items_per_hour": 98765, "hours": 0.1}],
        },
        "pairs/counts.json": COUNTS,
        "training/stage1/summary.json": STAGE,
        "reports/benchmark.json": {"calibration": {"confidence": {"error_before": 0.214, "error": 0.03}}},
        "trm/summary.json": {"stage": "trm", "samples_seen": 8_008, "seconds": 61.0},
        "reports/comparison.json": {
            "items": 2_468,
            "models": {"CTM": model_figures(0.415, 3, 4_321), "TRM": model_figures(0.305, 2, 8_008)},
            "pairs": [PAIR],
            "nearest_milestones": NEAR,
        },
        "reports/iterations.json": iterations(),
        "reports/onnx.json": ONNX,
        "reports/validation.json": CHECKS,
        "reports/baseline.json": {
            "targets": [{"what": "a pass, ms", "value": 8.3, "target": "under 500", "met": True}]
        },
    }
    for name, value in content.items():
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text(json.dumps(value))
    config = {
        "model": {"ticks": 8, "nlm_hidden": 16, "seed": 3},
        "stages": {"stage1": {"training": {"seed": 7}}},
    }
    (results / "final/final_config.yaml").write_text(yaml.safe_dump(config))
    lines = [
        {"step": 1, "samples": 64, "loss": 9.0, "certainty": 0.1, "samples_per_second": 200.0},
        {"event": "rollback", "step": 1, "samples": 64, "why": "the loss is nan"},
        {"milestone": "100%", "samples": 128, "loss": 3.0, "accuracy": {"syntax": 0.5}, "step": 2},
    ]
    (results / "training/stage1/metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for name in ("accuracy_by_tick", "flips_by_tick", "early_exit"):
        (results / f"reports/{name}.png").write_bytes(b"\x89PNG not really")
    (results / "reports/thought.json").write_text(json.dumps(THOUGHT))
    (results / "reports/iteration_progression.png").write_bytes(b"\x89PNG still")
    (results / "reports/iteration_progression.gif").write_bytes(b"GIF89a moving")
    failed = Reject("collect_releases", "source failed", "click_-8.1.0", "click", "index <said> no")
    write_rejects(
        results / "pairs/rejects.parquet", [failed, *[Reject("build_pairs", "duplicate", "x", "g", "")] * 3]
    )
    pairs = [pair_of(number) for number in range(4)]
    write_pairs(results / "pairs/test.parquet", pairs)
    write_pairs(results / "pairs/real.parquet", [])
    answers = [pairs[0].fixed, pairs[1].buggy, pairs[2].fixed.replace("total", "sum"), pairs[3].buggy]
    write_items(
        results / "reports/items.parquet", [item_of(p, a) for p, a in zip(pairs, answers, strict=True)]
    )
    return folder


def page_of(run: Path) -> str:
    """The report of all that lies in the run."""
    artifacts = sorted(
        path for path in (run / "results").rglob("*") if path.is_file() and path.suffix != ".html"
    )
    write_report(artifacts, TARGETS, run / "results" / "report.html")
    return (run / "results" / "report.html").read_text()
