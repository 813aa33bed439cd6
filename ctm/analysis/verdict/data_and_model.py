"""What the specification expects of phase 1 (tasks 1.1 to 1.4) and phase 2 (tasks 2.2 and 2.3)."""

from __future__ import annotations

import math

from scipy.stats import binomtest

from ctm.analysis.verdict.artifacts import Artifacts, Missing, find
from ctm.analysis.verdict.criterion import ABOUT, Bound, Criterion, Derived, Figure, Key, Scale
from ctm.analysis.verdict.scales import BASELINE, FULL_DATA, PARAMETERS, TICKS, VALIDATION

COMMITS, POSTS, MUTANTS = (
    f"{folder}/*.counts.json" for folder in ("raw/commits", "raw/stackoverflow", "mutants")
)
PAIRS = "pairs/counts.json"
RATE = 20_833
"""Commits an hour."""


def _sum(pattern: str, key: str) -> Derived:
    return Derived(
        f"{pattern}: sum of {key}",
        lambda run: Figure(float(sum(find(shard, key, pattern) for shard in run.matching(pattern)))),
    )


def _per_hour(pattern: str, key: str, seconds: int = 1) -> Derived:
    """Items of all jobs by the hours of all: what one job does, not what several at once do."""

    def read(run: Artifacts) -> Figure:
        shards = run.matching(pattern)
        hours = sum(find(shard, "hours", pattern) for shard in shards)
        if not hours:
            raise Missing(f"{pattern}: took less than can be told")
        items = sum(find(shard, key, pattern) for shard in shards)
        return Figure(items / hours / seconds, n=items, note="of one job")

    return Derived(f"{pattern}: sum of {key} by sum of hours", read)


def _success_rate(run: Artifacts) -> Figure:
    asked = [
        counts
        for shard in run.matching(MUTANTS)
        for sort, counts in find(shard, "asked", MUTANTS).items()
        if sort != "clean"
    ]
    return _share(sum(c["made"] for c in asked), sum(c["asked"] for c in asked))


def _pass_rate(run: Artifacts) -> Figure:
    kinds = [counts for shard in run.matching(MUTANTS) for counts in find(shard, "kinds", MUTANTS).values()]
    return _share(sum(c["passed"] for c in kinds), sum(c["checked"] for c in kinds))


def _share(part: int, whole: int) -> Figure:
    if not whole:
        raise Missing("mutants/*.counts.json: nothing was asked for")
    return Figure(part / whole, n=whole)


def _not_measured(why: str) -> Derived:
    def read(run: Artifacts) -> Figure:
        raise Missing(why)

    return Derived("none", read)


def _check(name: str) -> Derived:
    """Share of a check's parts that hold."""

    def read(run: Artifacts) -> Figure:
        parts = [part for part in run.find(VALIDATION, "checks") if part["check"] == name]
        if not parts:
            raise Missing(f"{VALIDATION} has no check {name!r}")
        return Figure(sum(part["holds"] for part in parts) / len(parts), n=len(parts), note="n: parts")

    return Derived(f"{VALIDATION}: checks[check={name}].holds", read)


def _untrained_accuracy(run: Artifacts) -> Figure:
    """With the exact binomial interval: its items are the first of the split, without their projects."""
    value, n = run.find(BASELINE, "accuracy.overall"), run.find(BASELINE, "n.overall")
    if not n:
        raise Missing(f"{BASELINE}: no item has a bug")
    ends = binomtest(math.floor(value * n + 0.5), n).proportion_ci(0.95)
    return Figure(value, (float(ends.low), float(ends.high)), n)


DATA = (
    Criterion("1.1-pairs", "data", "1.1 commit pairs", Bound(">=", 500_000, "count"), _sum(COMMITS, "pairs"),
              (Scale("commit pairs asked for", _sum(COMMITS, "asked"), 500_000), *FULL_DATA)),
    Criterion("1.1-rate", "data", "1.1 commits an hour", Bound(">=", RATE, "number"),
              _per_hour(COMMITS, "commits"), (Scale("commits, an hour's worth", _sum(COMMITS, "commits"), RATE),)),
    Criterion("1.2-pairs", "data", "1.2 synthetic pairs", Bound(">=", 400_000, "count"),
              Key(PAIRS, "by_source.mutation"), FULL_DATA),
    Criterion("1.2-rate", "data", "1.2 pairs a second", Bound(">=", 7, "number"),
              _per_hour(MUTANTS, "items", seconds=3600)),
    Criterion("1.2-success", "data", "1.2 mutation success rate", Bound(">", 0.60),
              Derived(f"{MUTANTS}: made of asked, but clean", _success_rate)),
    Criterion("1.2-validation", "data", "1.2 validation pass rate", Bound(">", 0.80),
              Derived(f"{MUTANTS}: passed of checked", _pass_rate)),
    Criterion("1.3-pairs", "data", "1.3 Stack Overflow pairs", Bound(">=", 100_000, "count"),
              _sum(POSTS, "items"), FULL_DATA),
    Criterion("1.4-pairs", "data", "1.4 grid pairs", Bound(">=", 1_000_000, "count"), Key(PAIRS, "pairs"), FULL_DATA),
    Criterion("1.4-rate", "data", "1.4 pairs encoded a second", Bound(">=", 35, "number"),
              _not_measured("a run does not time it; `make bench` does")),
    Criterion("1.4-ratio", "data", "1.4 bytes of grids by bytes of text", Bound("about", 0.4, "number"),
              _not_measured("a run does not measure it; `make bench` does (store_bytes)")),
)  # fmt: skip

_WHOLE = (
    Scale("ticks", Key(BASELINE, "ticks"), TICKS),
    Scale("parameters", Key(BASELINE, "parameters.body"), PARAMETERS, 1 - ABOUT),
)
MODEL = (
    *(
        Criterion(f"2.2-{name}", "model", f"2.2 {text}", Bound(">=", 1), _check(name))
        for name, text in (
            ("shapes", "all tensor shapes correct"),
            ("gradients", "gradients flow through all paths"),
            ("memory", "memory within bounds"),
            ("iteration", "output improves with more iterations"),
            ("synchronization", "synchronization values are meaningful"),
        )
    ),
    Criterion("2.3-accuracy", "model", "2.3 accuracy of random weights, about 0.001 %", Bound("<=", 0.00001),
              Derived(f"{BASELINE}: accuracy.overall, n.overall", _untrained_accuracy)),
    Criterion("2.3-time", "model", "2.3 forward pass, ms a sample", Bound("<", 500, "number"),
              Key(BASELINE, "forward_ms_batch_1"), _WHOLE),
    Criterion("2.3-memory", "model", "2.3 memory of a sample at batch 1, MB", Bound("<", 200, "number"),
              Key(BASELINE, "memory_mb_per_sample.training", note="of a training step"), _WHOLE),
    Criterion("2.3-scaling", "model", "2.3 time against iterations: numbers of ticks that were timed",
              Bound(">=", 2, "count"),
              Derived(f"{BASELINE}: forward_ms_by_ticks",
                      lambda run: Figure(float(len(run.find(BASELINE, "forward_ms_by_ticks")))))),
)  # fmt: skip
