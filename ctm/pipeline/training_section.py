"""The report's section on training: stages, milestones, what went wrong, and curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctm.pipeline.artifacts import RunArtifacts
from ctm.pipeline.curves import read_lines, training_curves
from ctm.pipeline.tables import Block, Cell, Section, rows
from ctm.pipeline.targets import LOSS, Comparison, compare

_STAGE_FIGURES = {
    "samples_seen": "samples seen",
    "unique_samples": "different ones",
    "seconds": "seconds",
    "samples_per_second": "samples a second",
    "precision": "precision",
    "device": "device",
    "threads": "threads",
}


def training_section(run: RunArtifacts) -> Section:
    """Of all stages that there are metrics of."""
    blocks, milestones, stages, events = [], [], [], []
    for stage in run.metrics:
        if f"{stage}/summary" not in run:
            continue
        summary = run.read(f"{stage}/summary")
        stages.append((stage, *(_shown(name, summary.get(name)) for name in _STAGE_FIGURES)))
        events += [_event(stage, event) for event in summary.get("events", [])]
        compared = compare(summary.get("milestones", []), run.targets.get(stage, {}))
        milestones += [(stage, *_shown_comparison(one)) for one in compared]
    folder = run.address(next(iter(run.metrics.values())).parent.parent) if run.metrics else ""
    if curves := training_curves({stage: read_lines(path) for stage, path in run.metrics.items()}):
        blocks.append(
            Block(
                "Curves",
                "Over the samples of all stages, one behind the other. The loss jumps where a stage brings harder "
                "kinds of bugs; exact first edits on the validation projects are the figure that should rise.",
                svg=curves,
                file=folder,
            )
        )
    if stages:
        blocks.append(
            Block(
                "What each stage saw",
                "Samples that came twice count once among the different ones.",
                rows(["stage", *_STAGE_FIGURES.values()], stages),
                file=folder,
            )
        )
    if milestones:
        met = sum(bool(row[-1]) for row in milestones)
        blocks.append(
            Block(
                "Milestones",
                f"What the settings ask of each stage on the validation projects: {met} of {len(milestones)} met.",
                rows(["stage", "at", "figure", "asked for", "reached", "met"], milestones),
                file=folder,
                fold=len(milestones) > 6,
            )
        )
    if events:
        head = ["stage", "what", "at step", "why", "what was done"]
        note = "What went wrong in a stage and how it went on."
        blocks.append(
            Block("Out of memory, divergence, damaged checkpoints", note, rows(head, events), file=folder)
        )
    return Section("Stages of training", blocks, "Each stage goes on from the weights of the one before.")


def _shown(name: str, value: Any) -> Any:
    if name == "precision" and value:
        return str(value).removeprefix("torch.")
    return f"{value:,.1f}" if isinstance(value, float) else value


def _shown_comparison(one: Comparison) -> tuple[str, str, Cell, Cell, bool]:
    """At, figure, asked for, reached, met: as percent where the figure is an accuracy."""
    kind = "value" if one.figure == LOSS else "accuracy"
    asked, reached = (rows([kind], [[value]]).rows[0][0] for value in (one.asked, one.reached))
    return one.milestone, one.figure, asked, reached, one.met


def _event(stage: str, event: Mapping[str, Any]) -> tuple[str, str, int, str, str]:
    """What went wrong in a stage and how it went on (`ctm.training.trainer`)."""
    told = ("event", "step", "samples", "why", "at_step")
    done = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in event.items() if key not in told)
    return stage, event["event"], event.get("at_step", event["step"]), event["why"], done
