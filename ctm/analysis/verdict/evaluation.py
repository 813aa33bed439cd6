"""What the specification expects of phase 4: tasks 4.1 to 4.4."""

from __future__ import annotations

from collections.abc import Sequence

from ctm.analysis.verdict.artifacts import Artifacts, Missing, find
from ctm.analysis.verdict.criterion import Bound, Criterion, Derived, Figure, FirstOf, Key, Scale
from ctm.analysis.verdict.scales import (
    BENCHMARK,
    COMPARISON,
    FULL_TRAINING,
    ITERATIONS,
    MODEL_TICKS,
    SYNCHRONIZATION,
    TICKS,
)
from ctm.analysis.verdict.success import accuracy

NEAR = 0.01
"""Accuracy below the best tick's that counts as reached."""
EXPORTS = (
    "ctm_code_repair_final.pt",
    "ctm.onnx",
    "final_config.yaml",
    "tokenizer.json",
    "final_metrics.json",
)
SYNC_FILES = (
    "sync_heatmaps.png",
    "iteration_progression.gif",
    "neuron_importance.csv",
    "sync_interpretation_report.md",
)

SCALED = (8, 16, 32, 48, 64)
"""Ticks at which accuracy is asked for beside compute."""
SYNC_FIGURES = (
    "category.all items.synchronization.value",
    "category.by tick.0",
    "success.synchronization.value",
    "ablation.by share.0",
    "place.by group.all.synchronization",
)
TICK_FIGURES = ("accuracy_by_tick", "certainty_by_tick", "early_exit.exits.0", "difficulty.measures.cells")
"""A figure of each analysis: of one that had too few items there are only a count and the reason."""


def at_half_the_ticks() -> Derived:
    """Accuracy on syntax errors that ending at half the ticks loses against all."""

    def read(run: Artifacts) -> Figure:
        by_tick = run.find(ITERATIONS, "accuracy_by_tick.syntax")
        if len(by_tick) < 2:
            raise Missing(f"{ITERATIONS}: the model has one tick")
        half = (len(by_tick) + 1) // 2
        return Figure(
            by_tick[-1] - by_tick[half - 1], note=f"tick {len(by_tick)} less tick {half}, first edits"
        )

    return Derived(f"{ITERATIONS}: accuracy_by_tick.syntax", read)


def _reached_at(category: str) -> Derived:
    """The first tick whose accuracy is within a point of the best tick's."""

    def read(run: Artifacts) -> Figure:
        by_tick = run.find(ITERATIONS, f"accuracy_by_tick.{category}")
        if not any(by_tick):
            raise Missing(f"{ITERATIONS}: {category} is right at no tick")
        best = max(by_tick)
        tick = next(place for place, value in enumerate(by_tick, 1) if value >= best - NEAR)
        return Figure(float(tick), note=f"of {len(by_tick)} ticks; within a point of the best")

    return Derived(f"{ITERATIONS}: accuracy_by_tick.{category}", read)


def _last_quarter() -> FirstOf:
    """Gain of complex bugs in the last quarter of the ticks; paired with its interval, where the run has that."""

    def read(run: Artifacts) -> Figure:
        by_tick = run.find(ITERATIONS, "accuracy_by_tick.complex")
        before = len(by_tick) * 3 // 4
        if not before:
            raise Missing(f"{ITERATIONS}: too few ticks")
        return Figure(
            by_tick[-1] - by_tick[before - 1], note=f"tick {len(by_tick)} less tick {before}, first edits"
        )

    row = "expectations[category=complex]"
    return FirstOf(
        (
            Key(
                ITERATIONS, f"{row}.found.gain", f"{row}.found.interval", "n.complex",
                "last tick less that at three quarters, first edits",
            ),
            Derived(f"{ITERATIONS}: accuracy_by_tick.complex", read),
        )
    )  # fmt: skip


def _there(artifact: str, paths: Sequence[str]) -> Derived:
    """How many of several parts an artifact has. Raises Missing where it has none."""

    def read(run: Artifacts) -> Figure:
        run.read(artifact)
        lacking = []
        for path in paths:
            try:
                run.find(artifact, path)
            except Missing:
                lacking.append(path)
        if len(lacking) == len(paths):
            raise Missing(f"{artifact} has none of {', '.join(paths)}")
        return Figure(float(len(paths) - len(lacking)), n=len(paths), note=_lacking(lacking))

    return Derived(f"{artifact}: {', '.join(paths)}", read)


def _made(folder: str, names: Sequence[str]) -> Derived:
    """How many of several files a run has made. Raises Missing where it has none."""

    def read(run: Artifacts) -> Figure:
        lacking = [name for name in names if f"{folder}/{name}" not in run]
        if len(lacking) == len(names):
            raise Missing(f"no such artifact: {', '.join(names)}")
        return Figure(float(len(names) - len(lacking)), n=len(names), note=_lacking(lacking))

    return Derived(f"{folder}/: {', '.join(names)}", read)


def _lacking(names: Sequence[str]) -> str:
    return f"lacking: {', '.join(names)}" if names else ""


def _scaling(run: Artifacts) -> Figure:
    """How many of the SCALED numbers of ticks have accuracy beside compute; a run may have others besides."""
    rows = run.find(ITERATIONS, "followed.scaling")
    items = run.find(ITERATIONS, "followed.items")
    there = {find(row, "ticks") for row in rows if row.get("flops") is not None}
    lacking = [str(ticks) for ticks in SCALED if ticks not in there]
    return Figure(float(len(SCALED) - len(lacking)), n=int(items), note=_lacking(lacking))


def _benchmark(category: str, samples: int, expected: float) -> Criterion:
    return Criterion(
        f"4.1-{category}",
        "evaluation",
        f"4.1 {category} benchmark of {samples:,}",
        Bound(">", expected),
        accuracy(category),
        (*FULL_TRAINING, Scale(f"{category} items", Key(BENCHMARK, f"n.{category}"), samples)),
    )


EVALUATION = (
    _benchmark("syntax", 5_000, 0.93),
    _benchmark("logic", 5_000, 0.72),
    _benchmark("security", 2_000, 0.78),
    Criterion("4.1-scaling", "evaluation", "4.1 accuracy against compute at 8, 16, 32, 48 and 64 ticks",
              Bound(">=", len(SCALED), "count"), Derived(f"{ITERATIONS}: followed.scaling, followed.items", _scaling),
              (MODEL_TICKS, Scale("items", Key(ITERATIONS, "followed.items"), 1_000))),
    Criterion("4.1-trm", "evaluation", "4.1 TRM comparison on 5,000 items: accuracy, calibration, speed",
              Bound(">=", 3, "count"),
              _there(COMPARISON, ("models.TRM.accuracy", "models.TRM.ece", "models.TRM.items_per_second")),
              (Scale("items", Key(COMPARISON, "items"), 5_000),)),
    Criterion("4.2-analyses", "evaluation",
              "4.2 five analyses: by bug type, over time, against accuracy, pairs, location", Bound(">=", 5, "count"),
              _there(SYNCHRONIZATION, SYNC_FIGURES)),
    Criterion("4.2-outputs", "evaluation", "4.2 outputs", Bound(">=", len(SYNC_FILES), "count"),
              _made("reports", SYNC_FILES)),
    Criterion("4.3-analyses", "evaluation",
              "4.3 four analyses: accuracy and certainty by tick, early exit, compute against difficulty",
              Bound(">=", 4, "count"),
              _there(ITERATIONS, TICK_FIGURES)),
    Criterion("4.3-syntax", "evaluation", "4.3 syntax bugs are solved by iteration", Bound("<=", 16, "number"),
              _reached_at("syntax"), (MODEL_TICKS, *FULL_TRAINING[:1])),
    *(
        Criterion(f"4.3-logic-{word}", "evaluation", f"4.3 logic bugs need iterations, {text}", bound,
                  _reached_at("logic"), (MODEL_TICKS, *FULL_TRAINING[:1]))
        for word, text, bound in (
            ("least", "at least", Bound(">=", 32, "number")), ("most", "at most", Bound("<=", 48, "number")),
        )
    ),
    Criterion("4.3-complex", "evaluation", f"4.3 complex bugs benefit from all {TICKS}: gain of the last quarter",
              Bound(">", 0, "points"), _last_quarter(),
              (MODEL_TICKS, *FULL_TRAINING[:1])),
    Criterion("4.4-exports", "evaluation", "4.4 exports", Bound(">=", len(EXPORTS), "count"), _made("final", EXPORTS)),
    Criterion("4.4-onnx", "evaluation", "4.4 answers of the ONNX file that were compared with torch's and are the same",
              Bound(">", 0, "count"),
              Key("reports/onnx.json", "items", note="the rule fails where one differs")),
)  # fmt: skip
