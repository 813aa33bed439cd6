"""The short table at the end of `make demo`: how good the model is, what it cost, and what to open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ctm.bundle_names import CARD, METRICS, MODEL
from ctm.pipeline import unreached
from ctm.shares import COLUMNS, percent, percents

REMEDY = "delete it and run the workflow again, which makes it anew"


class SummaryError(ValueError):
    """A run has no figures yet, or a file with figures that cannot be used; the message names it."""


def print_summary(run: Path, console: Console) -> None:
    """Print the figures of the run in folder `run`. Raises SummaryError."""
    final = run / "results" / "final"
    metrics = _read(final / METRICS)
    comparison = run / "results" / "reports" / "comparison.json"
    try:
        _print_figures(metrics, _read(comparison) if comparison.exists() else {}, console)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise SummaryError(
            f"{final / METRICS} or {comparison}: not what the workflow writes ({type(error).__name__}: {error}); "
            f"{REMEDY}"
        ) from None
    for line in unreached.lines(run):
        console.print(line, style="yellow", soft_wrap=True)
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


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SummaryError(f"{path}: no such file; has the run finished?") from None
    except OSError as error:
        raise SummaryError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise SummaryError(f"{path}: damaged ({error}); {REMEDY}") from None
    if not isinstance(content, dict):
        raise SummaryError(f"{path}: damaged (no mapping); {REMEDY}")
    return content


def _print_figures(metrics: Mapping[str, Any], comparison: Mapping[str, Any], console: Console) -> None:
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
    for line in [*_facts(metrics), *_baseline(comparison)]:
        console.print(line)


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


def _baseline(comparison: Mapping[str, Any]) -> list[str]:
    """Both models on the same items, where they were compared."""
    if not comparison:
        return []
    said = [
        f"{name} {percent(m['accuracy']['overall'])} ({m['parameters']['body'] / 1e6:.2f} M)"
        for name, m in comparison["models"].items()
    ]
    lines = [f"first edits        {', '.join(said)}, on {comparison['items']:,} items"]
    return lines + [f"                   {pair['sentence']}" for pair in comparison["pairs"]]


def _facts(metrics: Mapping[str, Any]) -> list[str]:
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
