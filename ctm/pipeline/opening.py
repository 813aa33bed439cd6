"""What a reader sees first: what was built, from what, when and with what code; how good it is; what it is not for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ctm.pairs.overall import CLEAN, OVERALL
from ctm.pipeline.artifacts import RunArtifacts
from ctm.pipeline.checkout import code_version
from ctm.pipeline.example import Example, examples
from ctm.pipeline.tables import Table, rows
from ctm.shares import percent, percents

METRICS, CONFIG, ITEMS = "final_metrics", "final_config.yaml", "items.parquet"
SUITES = {"test": "test.parquet", "real": "real.parquet"}
"""Files of the pairs of each suite."""
SUITE_NAMES = {"real": "Real fixes"}
"""What the suites of real code are called; others are called by their own name."""


@dataclass(frozen=True)
class Opening:
    """The first screen."""

    facts: list[tuple[str, str]]
    right: Example | None
    wrong: Example | None
    real: Table | None
    limits: list[str]


def opening(run: RunArtifacts) -> Opening:
    """As far as there are artifacts for it."""
    metrics = run.read(METRICS) if METRICS in run else {}
    right = wrong = None
    if ITEMS in run:
        right, wrong = examples(
            run.path(ITEMS), {suite: run.path(name) for suite, name in SUITES.items() if name in run}
        )
    figures = list(_figures(metrics))
    head = ["", "reached", "interval"]
    return Opening(
        list(_facts(run, metrics)),
        right,
        wrong,
        rows(head, figures) if figures else None,
        list(_limits(metrics)),
    )


def _facts(run: RunArtifacts, metrics: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    config = run.read(CONFIG) if CONFIG in run else {}
    if parameters := metrics.get("parameters"):
        ticks = config.get("model", {}).get("ticks") or metrics.get("ticks_used", {}).get("of")
        yield (
            "What",
            f"A Continuous Thought Machine that repairs snippets of Python by edits: {parameters['body'] / 1e6:.2f} "
            f"million parameters, {parameters['embedding'] / 1e6:.2f} million more in tables of embeddings"
            f"{f', up to {ticks} ticks a thought' if ticks else ''}",
        )
    if "pairs/counts" in run:
        yield "From", _data(run.read("pairs/counts"))
    stages = [run.read(f"{stage}/summary") for stage in run.metrics if f"{stage}/summary" in run]
    if stages:
        seen, seconds = (sum(stage.get(name, 0) for stage in stages) for name in ("samples_seen", "seconds"))
        took = f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.1f} seconds"
        yield "Training", f"{seen:,} samples in {len(stages)} stages, {took} on {_device(stages)}"
    if METRICS in run:
        made = datetime.fromtimestamp(run.path(METRICS).stat().st_mtime, UTC)
        yield "Finished", f"on {made:%Y-%m-%d at %H:%M} UTC"
    yield "Page made", f"by commit {code_version()}"
    if lineage := run.read("onnx").get("metadata", {}).get("lineage") if "onnx" in run else None:
        yield (
            "Lineage",
            f"{lineage[:12]}, of all settings and code behind the model (ctm-pipeline lineage show export_onnx)",
        )
    if seeds := _seeds(config):
        yield "Seed", seeds


def _data(counts: Mapping[str, Any]) -> str:
    splits, sources = counts.get("by_split", {}), counts.get("by_source", {})
    projects = counts.get("projects", {})
    made = sources.get("mutation", 0)
    text = f"{splits.get('train', 0):,} pairs of buggy and fixed code"
    if "train" in projects:
        text += f" of {len(projects['train']):,} projects"
    if sources:
        text += f"; {sum(sources.values()) - made:,} of all pairs are real fixes, the others were made by programs"
    if "test" in projects:
        text += f"; tested on {len(projects['test']):,} other projects"
    return text


def _device(stages: list[Mapping[str, Any]]) -> str:
    devices = sorted({str(stage["device"]) for stage in stages if "device" in stage})
    threads = sorted({stage["threads"] for stage in stages if "threads" in stage})
    shown = f", {' or '.join(map(str, threads))} thread{'s' * (threads != [1])}" if threads else ""
    return f"{' and '.join(devices) or 'a device that is not on record'}{shown}"


def _seeds(config: Mapping[str, Any]) -> str:
    of_weights = config.get("model", {}).get("seed")
    of_training = sorted(
        {stage.get("training", {}).get("seed") for stage in config.get("stages", {}).values()} - {None}
    )
    if of_weights is None and not of_training:
        return ""
    return f"{of_weights} of the first weights, {', '.join(map(str, of_training)) or 'none'} of the training"


def _figures(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What was measured on real code, and below it made bugs for comparison: what and of how many, figure, interval."""
    for suite, measures in metrics.get("suites", {}).items():
        n, share = measures.get("n"), measures.get("exact_at_1")
        if suite == "test" or not n or share is None:
            continue
        sure = metrics.get("suite_intervals", {}).get(suite, {}).get("exact_at_1")
        label = f"{SUITE_NAMES.get(suite, suite)} repaired exactly: {round(share * n):,} of {n:,}"
        yield label, percent(share), percents(sure, "%")
    working = metrics.get("suggestions", {}).get("test", {})
    if working.get("windows"):
        asked = metrics["suggestions"].get("asked")
        allowed = f" (allowed: {asked:g})" if asked else ""
        yield (
            f"Needless proposals of fix --suggest per 1,000 functions of working code{allowed}: "
            f"{working['proposals']:,} in {working['windows']:,} functions of {len(working['projects'])} projects",
            f"{working['per_1000']:.1f}",
            f"{working['low']:.1f} to {working['high']:.1f} (90 %)",
        )
    share, n = metrics.get("accuracy_by_items", {}).get(OVERALL), metrics.get("n", {}).get(OVERALL)
    if n and share is not None:
        sure = metrics.get("intervals", {}).get("accuracy_by_items", {}).get(OVERALL)
        label = f"For comparison, bugs made by programs repaired exactly: {round(share * n):,} of {n:,}"
        yield label, percent(share), percents(sure, "%")


def _limits(metrics: Mapping[str, Any]) -> Iterator[str]:
    """What the model must not be used for, each with the figure that says why."""
    overall = metrics.get("accuracy_by_items", {}).get(OVERALL)
    missed = (
        f" Of made bugs {percent(1 - overall)} are not repaired as their author would."
        if overall is not None
        else ""
    )
    yield f"Repairs that nobody reads. What compiles may be wrong.{missed}"
    suggestions, working = metrics.get("suggestions", {}), metrics.get("in_use", {})
    found = suggestions.get("found", {}).get("logic")
    seldom = (
        f" With its threshold it proposes the right edit for {percent(found)} of made logic bugs."
        if found is not None
        else ""
    )
    yield f"Finding bugs in code that runs. “No edit” does not mean “no bug”.{seldom}"
    changed = working.get("false_alarm")
    own = metrics.get("false_alarm")
    if own is not None and changed is not None:
        yield (
            f"Runs without its thresholds. By its own decision it changes {percent(own)} of "
            f"{metrics.get('n', {}).get(CLEAN, 0):,} clean snippets; with the thresholds of use {percent(changed)}."
        )
    yield "Security reviews. It knows some patterns of weaknesses."
    yield (
        "Bugs that people make, by the figures of made ones: theirs are harder, as the figures on real code show."
    )
    yield "Whole programs. It sees 64 lines of 48 tokens at most: no other files, no types, no tests."
