"""What a finished demo must show; run by .ci/run after `make demo`. Status 1 if a check fails."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ctm.grid.edits import Edit, apply_edit
from ctm.grid.layout import from_grid
from ctm.grid.store import read_split
from ctm.grid.tokenizer import CodeTokenizer

BUNDLE = (
    "ctm.onnx",
    "ctm_code_repair_final.pt",
    "tokenizer.json",
    "final_config.yaml",
    "final_metrics.json",
    "MODEL_CARD.md",
)
BROKEN = "def add(a, b)\n    return a + b\n"
CLEAN = "def add(a, b):\n    return a + b\n"
REPAIR = Path(sys.executable).with_name("ctm-repair")


class Checks:
    """Counts what holds and what does not."""

    def __init__(self) -> None:
        self.failed = 0

    def that(self, name: str, holds: bool, seen: object) -> None:
        self.failed += not holds
        print(f"{'ok  ' if holds else 'FAIL'}  {name}: {seen}", flush=True)

    def at_least(self, name: str, value: float | None, bar: float) -> None:
        self.that(f"{name} >= {bar:,}", value is not None and value >= bar, value)

    def at_most(self, name: str, value: float | None, bar: float) -> None:
        self.that(f"{name} <= {bar:,}", value is not None and value <= bar, value)


def repair(text: str, bundle: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(REPAIR), "fix", "-", "--bundle", str(bundle), *options]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)


def check_command(checks: Checks, bundle: Path) -> None:
    done = repair(BROKEN, bundle)
    checks.that(
        "a missing colon gives the text, status 0", done.returncode == 0, repr(done.stdout or done.stderr)
    )
    try:
        compile(done.stdout, "repaired", "exec")
        checks.that("the repaired code compiles", bool(done.stdout), "yes" if done.stdout else "no text")
    except SyntaxError as error:
        checks.that("the repaired code compiles", False, error)
    done = repair(BROKEN, bundle, "--diff")
    checks.that("with --diff: a diff, status 1", (done.returncode, done.stdout[:4]) == (1, "--- "), done)
    done = repair(CLEAN, bundle)
    checks.that("clean code: as it is, status 0", (done.returncode, done.stdout) == (0, CLEAN), done)
    done = repair(CLEAN, bundle, "--suggest")
    checks.that("clean code: no suggestion either", (done.returncode, done.stdout) == (0, CLEAN), done)
    bad: list[tuple[str, Callable[[], subprocess.CompletedProcess[str]]]] = [
        ("a missing bundle: one line, status 2", lambda: repair(BROKEN, bundle / "nowhere")),
        ("a line of 10 MB: one line, status 2", lambda: repair("x = '" + "a" * 10_000_000 + "'\n", bundle)),
        ("a binary file: one line, status 2", lambda: repair("\x00\x01\x02", bundle)),
    ]
    for name, run in bad:
        done = run()
        one_line = len(done.stderr.strip().splitlines()) == 1 and not done.stdout
        checks.that(name, done.returncode == 2 and one_line, done.stderr.strip()[:200])


def check_metrics(checks: Checks, metrics: dict[str, Any]) -> None:
    accuracy = metrics["accuracy"]
    for category, bar in (("syntax", 0.40), ("logic", 0.15), ("clean", 0.70)):
        checks.at_least(f"accuracy on {category}", accuracy[category], bar)
        checks.at_least(f"items of {category}", metrics["n"][category], 1000)
    by_tick = metrics["accuracy_by_tick"]
    (_, first), (_, last) = by_tick[0], by_tick[-1]
    checks.that("accuracy rises with ticks", last > first, by_tick)
    names = ("ece", "ticks_used", "parameters", "samples_seen", "train_samples_per_second")
    checks.that("metrics are complete", all(name in metrics for name in names), sorted(metrics))


def check_certainty(checks: Checks, reports: Path, metrics: dict[str, Any]) -> None:
    """The confidence of repairs of broken code is about right, knows wrong answers, and its thresholds hold unseen."""
    figures = json.loads((reports / "certainty.json").read_text())
    shown = figures["suites"]["test"]["questions"]["broken code"]["confidence, made errors"]
    checks.at_most("calibration error of repairs of broken code", shown["ece"], 0.10)
    checks.at_least("AUROC of their confidence", shown["auroc"], 0.70)
    kept = [one["validation"] for one in figures["precision_thresholds"]]
    checks.that("the bundle has the thresholds of precision", metrics["precision_thresholds"] == kept, kept)
    for one in figures["precision_thresholds"]:
        asked, given = one["validation"]["precision"], one["test"]
        if one["validation"]["confidence"] is not None:
            checks.at_least(
                f"precision on unseen projects where {asked:.0%} is asked", given["precision"], asked - 0.05
            )
    for name in ("reliability", "risk_coverage"):
        checks.that(f"{name}.png exists", (reports / f"{name}.png").is_file(), reports)


def check_suggestions(checks: Checks, suggestions: dict[str, Any]) -> None:
    """The edit threshold holds where it was chosen; elsewhere the interval leaves it possible."""
    chosen, unseen = suggestions["validation"], suggestions["test"]
    checks.at_least("functions of working code", chosen["windows"], 3000)
    asked = suggestions["asked"]
    checks.that(f"proposals per 1,000 <= {asked}, upper end", chosen["high"] <= asked, chosen)
    checks.that(f"on unseen projects {asked} is in reach", unseen["low"] <= asked, unseen)
    checks.that("suggestions have a probability", suggestions["odds"] is not None, suggestions["odds"])


def check_harm(checks: Checks, metrics: dict[str, Any]) -> None:
    """Repairs keep the author's code, on the frozen test set; the deletion baseline stands beside them."""
    model, deletion = metrics["suites"]["test"], metrics["deletion"]["test"]
    checks.at_least("guarded BIFI", model["guarded_bifi"], 0.60)
    checks.at_least("edit precision", model["edit_precision"], 0.55)
    checks.at_least("AUROC of the confidence", model["auroc"], 0.70)
    checks.at_most("edits that lose a name or literal", model["collateral_1"], 0.25)
    checks.at_most("edits that delete over 5 tokens of the author's", model["over_deleted_5"], 0.10)
    checks.at_most("edits that delete over half of the text", model["over_deleted_half"], 0.04)
    for name in ("exact_at_1", "bifi", "guarded_bifi", "edit_precision", "statement_recall"):
        seen = (model[name], deletion[name])
        checks.that(f"{name}: better than deleting", None not in seen and model[name] > deletion[name], seen)


def check_baseline(checks: Checks, comparison: dict[str, Any]) -> None:
    """The TRM has learned something in its minute, and both models answered the same items."""
    ctm, trm = (comparison["models"][name] for name in ("CTM", "TRM"))
    checks.that("CTM and TRM answered the same items", ctm["n"] == trm["n"], ctm["n"])
    checks.at_least("the TRM's first edits on syntax", trm["accuracy"]["syntax"], 0.10)


def check_data(checks: Checks, results: Path) -> None:
    snippets = pq.read_metadata(results / "clean" / "snippets.parquet").num_rows
    checks.at_least("snippets of clean code", snippets, 40_000)
    releases = 0
    for split in ("train", "real"):
        source = pq.read_table(results / "pairs" / f"{split}.parquet", columns=["source"])["source"]
        releases += sum(name == "release" for name in source.to_pylist())
    checks.at_least("pairs from releases", releases, 100)


def check_grids(checks: Checks, results: Path) -> None:
    """Every pair that training reads: its grids are its texts, and its edits lead from one to the other."""
    tokenizer = CodeTokenizer.load(results / "tokenizer" / "tokenizer.json")
    pairs = wrong = 0
    for split in ("train", "validation"):
        texts = {
            row["pair_id"]: row
            for row in pq.read_table(
                results / "pairs" / f"{split}.parquet", columns=["pair_id", "buggy", "fixed"]
            ).to_pylist()
        }
        for grids, table in read_split(results / "grids" / split / "manifest.json"):
            rows = zip(grids, table["pair_id"].to_pylist(), table["edits"].to_pylist(), strict=True)
            for (buggy, fixed), name, flat in rows:
                state, place = from_grid(buggy), 0
                same = tokenizer.decode(state) == texts[name]["buggy"]
                while place < len(flat):
                    start, end, count = flat[place : place + 3]
                    edit = Edit(start, end, tuple(flat[place + 3 : place + 3 + count]))
                    state = apply_edit(state, edit)
                    place += 3 + count
                same = same and state == from_grid(fixed) and tokenizer.decode(state) == texts[name]["fixed"]
                pairs += 1
                wrong += not same
    checks.that(
        "every stored pair is its texts, and its edits repair it", pairs > 0 and not wrong, (pairs, wrong)
    )


def main(run: Path) -> int:
    checks, results = Checks(), run / "results"
    bundle = results / "final"
    for name in BUNDLE:
        checks.that(f"{name} exists", (bundle / name).is_file(), bundle / name)
    page = results / "report.html"
    checks.that("report.html stands alone", page.is_file() and "<svg" in page.read_text(), page)
    plot = results / "reports" / "accuracy_by_tick.png"
    checks.that("accuracy_by_tick.png exists", plot.is_file(), plot)
    thought = results / "reports" / "iteration_progression.gif"
    checks.that("iteration_progression.gif is there, at most 1 MB", 0 < thought.stat().st_size < 1e6, thought)
    metrics = json.loads((bundle / "final_metrics.json").read_text())
    check_metrics(checks, metrics)
    check_certainty(checks, results / "reports", metrics)
    check_suggestions(checks, metrics["suggestions"])
    check_harm(checks, metrics)
    check_baseline(checks, json.loads((results / "reports" / "comparison.json").read_text()))
    check_data(checks, results)
    check_grids(checks, results)
    check_command(checks, bundle)
    print("all holds" if not checks.failed else f"{checks.failed} checks failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
