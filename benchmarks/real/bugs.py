"""Real bugs of our kinds: the suite is built from pinned releases, and one or more models are measured on it.

    make real-bugs                       builds runs/real_bugs/suite.jsonl and measures the demo's bundle, or BUNDLE=DIR
    make real-bugs BUNDLE="OLD NEW"      two models: what each proposes on working code at equal recall
    .venv/bin/python benchmarks/real/bugs.py --suite suite.jsonl --bundle OLD --bundle NEW --working windows.parquet

The pins are those of config/real_bugs.csv; wheels are brought once and only read. Working code is the test split's
windows of a run (`results/working/windows.parquet`, by default those beside the first bundle). The table is
runs/real_bugs/table.md, all figures are in bugs.json, the curve of every threshold among them. Status 1 where a bundle
trained on a project of the suite.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from working import trained_on

from ctm.evaluation.known_bugs import (
    BUDGETS,
    BugResult,
    Strengths,
    at_equal_recall,
    best_edits,
    curve,
    judge_edits,
    measures,
)
from ctm.evaluation.real_bugs import build
from ctm.evaluation.suggestions import draw_windows
from ctm.evaluation.working import Window, read_windows
from ctm.repair.bundle import BundleError, load_bundle
from ctm.repair.evaluate import Item, ItemsError, read_items
from ctm.sources.releases.collector import ReleaseSettings

CHECKOUT = Path(__file__).parents[2]
RUNS = CHECKOUT / "runs" / "real_bugs"
BUNDLE = CHECKOUT / "runs" / "demo" / "results" / "final"
PINS = CHECKOUT / "config" / "real_bugs.csv"
SEED = 0
STRICT, LOOSE = "as a mutator makes them", "by shape alone"
COLUMNS = {
    "n": "items", "projects": "projects", "exact_at_1": "exact at 1", "exact_at_5": "at 5", "exact_at_10": "at 10",
    "line": "line", "proposed": "proposed", "proposed_line": "right line", "proposed_right": "right edit",
}  # fmt: skip


def build_suite(out: Path) -> Path:
    """The suite, its rejects and counts in `out`, built anew of wheels that are brought once."""
    suite = out / "suite.jsonl"
    counts = build(PINS, out / "wheels", suite, out / "rejects.parquet", ReleaseSettings())
    (out / "counts.json").write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
    print(
        f"{counts['items']} items of {counts['projects']} projects; dropped: {counts['dropped']}", flush=True
    )
    return suite


def strict_ids(suite: Path) -> frozenset[str]:
    """Items whose bug a mutator's own contract makes too; none in a suite that does not say."""
    rows = (json.loads(line) for line in suite.read_text(encoding="utf-8").splitlines() if line.strip())
    return frozenset(str(row["id"]) for row in rows if row.get("strict"))


def measure(
    bundle: Path, strict: frozenset[str], items: Sequence[Item], windows: Sequence[Window], threads: int
) -> tuple[dict[str, Any], list[BugResult], dict[str, Strengths]]:
    """All figures of one model; how each item did; its strengths for the right edit and for the right line."""
    model = load_bundle(bundle, threads)
    began = time.monotonic()
    edits = best_edits([item.buggy for item in items], model.proposer, model.tokenizer)
    judged = [judge_edits(item, found) for item, found in zip(items, edits, strict=True)]
    working = best_edits([window.text for window in windows], model.proposer, model.tokenizer, answers=1)
    strengths = {
        "edit": Strengths.of(judged, working),
        "line": Strengths.of(judged, working, lines=True),
    }
    alarms = sum(found is not None and found.strength > model.threshold for found in working)
    trained = trained_on(bundle)
    figures = {
        "threshold": model.threshold,
        "trained_on": None if trained is None else sorted({item.project for item in items} & trained),
        "seconds": time.monotonic() - began,
        "working_functions": len(windows),
        "proposals_per_1000": 1000 * alarms / len(windows) if windows else None,
        **measures(items, judged, model.threshold),
        "by_contract": {
            name: measures([item for item, _ in both], [one for _, one in both], model.threshold)["all"]
            for name, kept in ((STRICT, True), (LOOSE, False))
            if (
                both := [
                    pair for pair in zip(items, judged, strict=True) if (pair[0].item_id in strict) is kept
                ]
            )
        },
        "curves": {name: curve(one) for name, one in strengths.items()} if windows else {},
    }
    return figures, judged, strengths


# --- the table ------------------------------------------------------------------------------------------------------


def table(results: dict[str, Any]) -> str:
    """Markdown: of each model all kinds, its recall at budgets; then models at equal recall."""
    lines: list[str] = []
    for name, figures in results["models"].items():
        per_1000 = figures["proposals_per_1000"]
        alarms = "" if per_1000 is None else f", {per_1000:.1f} proposals per 1,000 working functions at it"
        lines += [f"**{name}** (threshold {figures['threshold']:.3f}{alarms}), %:", ""]
        lines += [f"| | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
        lines.append(_row("all", figures["all"], intervals=True))
        lines += [_row(key, row, intervals=True) for key, row in figures["by_category"].items()]
        lines += [_row(key, row, intervals=True) for key, row in figures["by_contract"].items()]
        lines += [_row(f"`{key}`", row, intervals=False) for key, row in figures["by_kind"].items()]
        lines.append("")
        if figures["curves"]:
            lines += [
                f"| found at … proposals per 1,000, % | {' | '.join(map(str, BUDGETS))} |",
                "|---" * (len(BUDGETS) + 1) + "|",
            ]
            for sort, values in figures["curves"].items():
                cells = " | ".join(f"{100 * values['recall_at'][str(budget)]:.1f}" for budget in BUDGETS)
                lines.append(f"| right {sort} | {cells} |")
            lines.append("")
    for sort, rows in results["at_equal_recall"].items():
        names = list(results["models"])
        ratio = " second / first |" if len(names) == 2 else ""
        lines += [f"| right {sort}: recall | {' | '.join(names)} |{ratio}"]
        lines.append("|---" * (len(names) + 1 + bool(ratio)) + "|")
        for row in rows:
            shown = [_with_ends(row["per_1000"][name], "{:.1f}") for name in names]
            shown += [_with_ends(row["ratio"], "{:.2f}")] if "ratio" in row else []
            lines.append(f"| {row['recall']:.0%} | {' | '.join(shown)} |")
        lines.append("")
    return "\n".join(lines)


def _row(name: str, row: dict[str, Any], intervals: bool) -> str:
    cells = []
    for key in COLUMNS:
        ends = row["intervals"].get(key) if intervals else None
        between = f" ({100 * ends[0]:.1f}-{100 * ends[1]:.1f})" if ends else ""
        cells.append(str(row[key]) if key in ("n", "projects") else f"{100 * row[key]:.1f}{between}")
    return f"| {name} | {' | '.join(cells)} |"


def _with_ends(value: dict[str, Any], form: str) -> str:
    low, high = (form.format(end) if end is not None else "∞" for end in value["interval"])
    return f"{form.format(value['value'])} ({low} to {high})" if value["value"] is not None else "-"


def main() -> int:
    """Run it; see the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--suite", type=Path, help="Built before; without it the suite is built.")
    parser.add_argument("--bundle", type=Path, action="append", help="Of a model; may be given twice.")
    parser.add_argument("--working", type=Path, help="windows.parquet of a run.")
    parser.add_argument(
        "--functions",
        type=int,
        default=5000,
        help="Most functions of working code; equal shares of projects.",
    )
    parser.add_argument("--out", type=Path, default=RUNS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--build-only", action="store_true", help="Build the suite and stop.")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    bundles: list[Path] = given.bundle or [BUNDLE]
    try:
        suite = given.suite or build_suite(given.out)
        if given.build_only:
            return 0
        items = read_items(suite)
        windows_file = given.working or bundles[0].resolve().parent / "working" / "windows.parquet"
        windows = draw_windows(
            read_windows(windows_file)["test"], given.functions, np.random.default_rng(SEED)
        )
        results: dict[str, Any] = {"suite": str(suite), "models": {}, "at_equal_recall": {}}
        strengths: dict[str, dict[str, Strengths]] = {}
        for number, bundle in enumerate(bundles, 1):
            name = f"{number}: {bundle.resolve().parent.parent.name}/{bundle.name}"
            figures, judged, strengths[name] = measure(
                bundle, strict_ids(suite), items, windows, given.threads
            )
            results["models"][name] = figures
            rows = zip(items, judged, strict=True)
            (given.out / f"items_{number}.jsonl").write_text(
                "".join(
                    json.dumps({"id": item.item_id, "kind": item.kind, "rank": one.rank, "line": one.line,
                                "strength": one.strength, "fits": one.fits}) + "\n"
                    for item, one in rows
                )
            , encoding="utf-8")  # fmt: skip
    except (BundleError, ItemsError, OSError, ValueError) as error:
        print(f"real bugs: {error}", file=sys.stderr)
        return 2
    projects = [item.project for item in items]
    for sort in ("edit", "line"):
        models = {name: one[sort] for name, one in strengths.items()}
        results["at_equal_recall"][sort] = at_equal_recall(
            models, projects, [window.project for window in windows]
        )
    (given.out / "bugs.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (given.out / "table.md").write_text(table(results), encoding="utf-8")
    print(table(results))
    trained = {
        name: figures["trained_on"] for name, figures in results["models"].items() if figures["trained_on"]
    }
    for name, found in trained.items():
        print(f"{name} trained on {', '.join(found)}", file=sys.stderr)
    return 1 if trained else 0


if __name__ == "__main__":
    sys.exit(main())
