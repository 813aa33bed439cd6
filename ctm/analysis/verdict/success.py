"""The success criteria of the specification: minimum, target, stretch."""

from __future__ import annotations

from ctm.analysis.verdict.artifacts import Artifacts, Missing, find
from ctm.analysis.verdict.criterion import Bound, Criterion, Derived, Figure, FirstOf, Key
from ctm.analysis.verdict.scales import (
    BENCHMARK,
    CERTAINTY,
    COMPARISON,
    EQUAL_TERMS,
    FULL_TRAINING,
    FULL_TRM,
    ITERATIONS,
    MODEL_PARAMETERS,
    MODEL_TICKS,
    SYNCHRONIZATION,
    summaries,
)
from ctm.evaluation.paired import NEAR

DIFFERENCE = "pairs[first=CTM].difference.accuracy"


def accuracy(category: str) -> Key:
    """Of whole repairs on the frozen test set, by kinds."""
    return Key(BENCHMARK, f"accuracy.{category}", f"intervals.accuracy.{category}", f"n.{category}")


def ahead_of_trm(category: str) -> Key:
    """Paired difference of first edits, CTM less TRM."""
    path = f"{DIFFERENCE}.{category}"
    return Key(COMPARISON, f"{path}.value", f"{path}.interval", f"pairs[first=CTM].mcnemar.{category}.n")


ECE = FirstOf(
    (
        Key(
            CERTAINTY,
            "suites.test.questions.all items.confidence.ece",
            "suites.test.questions.all items.confidence.ece_interval",
            "suites.test.questions.all items.confidence.n",
            "15 bins of equal mass, frozen test set, confidence of the first answer",
        ),
        Key(BENCHMARK, "ece", n="suites.test.n", note="15 bins of equal width"),
    )
)


def _out_of_memory(run: Artifacts) -> Figure:
    events = [
        event["event"]
        for summary in summaries(run)
        for event in find(summary, "events", "a summary of training")
    ]
    return Figure(float(events.count("out of memory")), n=len(summaries(run)), note="n: stages")


def _gain_of_ticks(run: Artifacts) -> Figure:
    """From the first tick to the last, of the mean by tick: without an interval."""
    by_tick = run.find(BENCHMARK, "accuracy_by_tick")
    if len(by_tick) < 2:
        raise Missing(f"{BENCHMARK}: the model has one tick")
    return Figure(by_tick[-1][1] - by_tick[0][1], note="last tick less first")


GAIN_OF_TICKS = FirstOf(
    (
        Key(
            ITERATIONS,
            "does_it_think.first_to_read.overall.gain",
            "does_it_think.first_to_read.overall.interval",
            note="answering tick less first, first edits",
        ),
        Derived(f"{BENCHMARK}: accuracy_by_tick, last less first", _gain_of_ticks),
    )
)


def _ahead_of_controls(path: str, but: tuple[str, ...] = ()) -> Derived:
    """The least of a probe's differences from its controls; `but` are no controls of it.

    It is asked to be ahead of each: so the ends are the lowest of all lower and of all upper ends, which may be those
    of other controls. Where one of them has no interval there is none.
    """

    def read(run: Artifacts) -> Figure:
        controls = {
            name: one
            for name, one in run.find(SYNCHRONIZATION, path).items()
            if name not in but and one.get("value") is not None
        }
        if not controls:
            raise Missing(f"{SYNCHRONIZATION}: {path} has no figure")
        name, least = min(controls.items(), key=lambda item: item[1]["value"])
        ends = [one.get("interval") for one in controls.values()]
        interval = None if None in ends else (min(e[0] for e in ends), min(e[1] for e in ends))
        return Figure(least["value"], interval, least.get("n"), f"least ahead of: {name}")

    return Derived(f"{SYNCHRONIZATION}: least of {path}", read)


def _saved_on_syntax(run: Artifacts) -> Figure:
    """Operations of a thought that the tick threshold in use saves on syntax errors."""
    encode, tick, read = (
        run.find(ITERATIONS, f"followed.cost.{part}") for part in ("encode", "tick", "read")
    )
    taken = run.find(ITERATIONS, "by_difficulty.by category[group=syntax].ticks")
    ticks = run.find(ITERATIONS, "ticks")
    n = run.find(ITERATIONS, "by_difficulty.by category[group=syntax].n")
    fixed = encode + read
    return Figure(
        1 - (fixed + taken * tick) / (fixed + ticks * tick),
        n=int(n),
        note=f"{taken:.1f} of {ticks} ticks on syntax errors; operations of encoder, ticks and heads",
    )


def _state_of_the_art(run: Artifacts) -> Figure:
    raise Missing(
        "no single figure decides it: public suites that `ctm-repair evaluate` or the config's real suites measure "
        "stand beside published figures in the report"
    )


SUCCESS = (
    Criterion(
        "minimum-memory", "minimum", "CTM trains without memory errors",
        Bound("<=", 0, "count"),
        Derived('training/*/summary.json: events "out of memory"', _out_of_memory),
        (MODEL_TICKS, MODEL_PARAMETERS),
    ),
    Criterion(
        "minimum-iterations", "minimum", "Accuracy improves with more iterations (of this run's model)",
        Bound(">", 0, "points"), GAIN_OF_TICKS,
    ),
    Criterion(
        "minimum-trm", "minimum", f"Final accuracy matches the TRM baseline: less than {NEAR:.0%} behind",
        Bound(">", -NEAR, "points"), ahead_of_trm("overall"), (EQUAL_TERMS, *FULL_TRAINING, *FULL_TRM),
    ),
    Criterion(
        "minimum-accuracy", "minimum", "Final accuracy, overall",
        Bound(">", 0.75), accuracy("overall"), FULL_TRAINING,
    ),
    *(
        Criterion(
            f"target-trm-{name}", "target", f"Exceeds the TRM on complex logic bugs: {name}",
            Bound(">", 0, "points"), ahead_of_trm(name), (EQUAL_TERMS, *FULL_TRAINING, *FULL_TRM),
        )
        for name in ("logic", "complex")
    ),
    Criterion(
        "target-logic", "target", "Accuracy on logic bugs",
        Bound(">", 0.72), accuracy("logic"), FULL_TRAINING,
    ),
    Criterion(
        "target-ece", "target", "Good certainty calibration (ECE)",
        Bound("<", 0.05), ECE, FULL_TRAINING,
    ),
    Criterion(
        "target-sync", "target",
        "Meaningful sync patterns by bug type: a probe of the category is ahead of each of its controls, of code that "
        "compiles (of this run's model)",
        Bound(">", 0, "points"), _ahead_of_controls("category.code that compiles.ahead of"),
    ),
    Criterion(
        "stretch-state-of-the-art", "stretch", "State-of-the-art code repair accuracy",
        Bound(">", 0, "points"), Derived("none", _state_of_the_art),
    ),
    Criterion(
        "stretch-location", "stretch",
        "Interpretable sync to bug location: a probe of the line is ahead of each of its controls (the model's own "
        "pointer and attention are none) on logic bugs, which have no diagnosis (of this run's model)",
        Bound(">", 0, "points"), _ahead_of_controls("place.by group.logic.ahead of", but=("pointer", "attention")),
    ),
    Criterion(
        "stretch-early-stopping", "stretch", "Efficient early stopping: compute saved on easy bugs (syntax errors)",
        Bound(">=", 0.5),
        Derived(f"{ITERATIONS}: followed.cost, by_difficulty.by category[group=syntax].ticks", _saved_on_syntax),
        FULL_TRAINING,
    ),
)  # fmt: skip
