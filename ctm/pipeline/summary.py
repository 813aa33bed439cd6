"""The short table at the end of `make demo`: how good the model is, what it cost, and what to open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ctm.bundle_names import CARD, METRICS, MODEL
from ctm.shares import COLUMNS, percent, percents


def print_summary(run: Path, console: Console) -> None:
    """Print the figures of the run in folder `run`. Raises FileNotFoundError where it has no bundle yet."""
    final = run / "results" / "final"
    metrics: dict[str, Any] = json.loads((final / METRICS).read_text(encoding="utf-8"))
    console.print("\nExact match on projects never seen in training, at the most certain tick", style="bold")
    table = Table()
    for name in ("category", "by kinds", "95 %", "by items", "95 %", "coverage", "items"):
        table.add_column(name, justify="left" if name == "category" else "right")
    for category in COLUMNS:
        n = metrics.get("n", {}).get(category)
        if n:
            coverage = percent(metrics.get("coverage", {}).get(category))
            table.add_row(category, *accuracies(metrics, category), coverage, f"{n:,}")
    console.print(table)
    for line in [*_facts(metrics), *_baseline(run / "results" / "reports" / "comparison.json")]:
        console.print(line)
    console.print("open:")
    for path in (
        run / "results" / "report.html",
        run / "results" / "reports" / "accuracy_by_tick.png",
        final / CARD,
        final / MODEL,
    ):
        if path.exists():
            console.print(f"  {path}")
    console.print(f"try:\n  ctm-repair fix FILE.py --bundle {final}", soft_wrap=True)


def accuracies(metrics: Mapping[str, Any], category: str) -> list[str]:
    """Share of right answers by kinds and by items, each with its interval; metrics: of a bundle, an old one too."""
    sure = metrics.get("intervals", {})
    return [
        text
        for name in ("accuracy", "accuracy_by_items")
        for text in (
            percent(metrics.get(name, {}).get(category)),
            percents(sure.get(name, {}).get(category)),
        )
    ]


def _baseline(path: Path) -> list[str]:
    """Both models on the same items, where they were compared."""
    if not path.exists():
        return []
    comparison: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    said = [
        f"{name} {percent(m['accuracy']['overall'])} ({m['parameters']['body'] / 1e6:.2f} M)"
        for name, m in comparison["models"].items()
    ]
    lines = [f"first edits        {', '.join(said)}, on {comparison['items']:,} items"]
    return lines + [f"                   {pair['sentence']}" for pair in comparison["pairs"]]


def _facts(metrics: dict[str, Any]) -> list[str]:
    lines = []
    by_tick = metrics.get("accuracy_by_tick") or []
    if by_tick:
        shown = "  ".join(f"{tick}: {percent(value)}" for tick, value in by_tick)
        lines.append(f"by tick            {shown}")
    if (suites := metrics.get("suites")) and isinstance(suites, dict):
        for name, suite in suites.items():
            lines.append(
                f"suite {name:12s} {percent(suite.get('exact_at_1'))} exact, {percent(suite.get('bifi'))} BIFI, "
                f"{percent(suite.get('guarded_bifi'))} guarded; "
                f"{percent(suite.get('collateral_1'))} of the edits lose a name or literal"
            )
    if used := metrics.get("in_use"):
        lines.append(
            f"with --suggest     logic {percent(used['accuracy'].get('logic'))}, "
            f"clean {percent(used['accuracy'].get('clean'))} (edits only above the threshold)"
        )
    for split in ("validation", "test"):
        shown = metrics.get("suggestions", {}).get(split, {})
        if shown.get("windows"):
            lines.append(
                f"fix --suggest      {shown['per_1000']:.1f} proposals per 1,000 functions of working code, "
                f"{shown['windows']:,} of {len(shown['projects'])} {split} projects"
            )
    if parameters := metrics.get("parameters"):
        lines.append(
            f"parameters         {parameters['body'] / 1e6:.2f} M, embeddings {parameters['embedding'] / 1e6:.2f} M"
        )
    if (ece := metrics.get("ece")) is not None:
        lines.append(f"calibration error  {ece:.3f}")
    if ticks := metrics.get("ticks_used"):
        lines.append(f"ticks used         {ticks['mean']:.1f} on average")
    if seen := metrics.get("samples_seen"):
        rate = metrics.get("train_samples_per_second")
        lines.append(f"training           {seen:,} samples" + (f", {rate:.0f} a second" if rate else ""))
    return lines
