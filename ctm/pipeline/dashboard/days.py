"""The page of a day in Markdown, in the form of the specification's template for daily metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ctm.pipeline.dashboard.rows import Figure, Row
from ctm.pipeline.dashboard.state import State
from ctm.pipeline.diffs import visible

MARKS = "✓: as the target asks. ✗: not, or not yet. –: no target, or no figure in any log."


def day_name(number: int) -> str:
    """File of the page of a day."""
    return f"day-{number:02d}.md"


def day_page(state: State) -> str:
    """Text of the page."""
    return visible_lines("\n".join(_lines(state)) + "\n")


def visible_lines(text: str) -> str:
    """Signs that hide or reorder text are written out; lines stay lines."""
    return "\n".join(visible(line) for line in text.split("\n"))


def _lines(state: State) -> Iterator[str]:
    moment = "Written" if state.now else "As of"
    yield f"## CTM Training Progress - Day {state.day}"
    yield ""
    yield f"Run “{_safe(state.run)}”, {state.date:%Y-%m-%d}. {moment} {state.at:%H:%M:%S} UTC: {state.status}. {MARKS}"
    yield ""
    yield f"### Current Phase: {state.phase} - {_safe(state.task)}"
    if state.others:
        yield ""
        yield f"Beside it: {', '.join(map(_safe, state.others))}."
    yield ""
    yield "#### Resource Utilization"
    yield from _table("Target", state.resources)
    yield ""
    yield f"From: {_safe(state.use_source)}."
    yield ""
    yield "#### Training Metrics" + (f" ({_safe(state.stage)})" if state.stage else "")
    if state.training:
        yield from _table("Checkpoint Target", state.training)
    else:
        yield ""
        yield "No stage has written any."
    yield ""
    yield "#### CTM-Specific Metrics"
    yield from _figures(state.model)
    yield ""
    yield "#### Issues/Notes"
    yield from [f"- {_safe(issue)}" for issue in state.issues] or ["- None in any log of this day"]
    yield ""
    yield "#### Next Checkpoint"
    yield f"- Target: {_safe(state.target)}"
    yield f"- ETA: {_safe(state.eta)}"


def _table(target: str, rows: Sequence[Row]) -> Iterator[str]:
    yield f"| Metric | Current | {target} | Status |"
    yield "|--------|---------|--------|--------|"
    for row in rows:
        yield f"| {' | '.join(map(_safe, (row.metric, row.current, row.target, row.mark)))} |"


def _figures(figures: Sequence[Figure]) -> Iterator[str]:
    yield "| Metric | Value | Notes |"
    yield "|--------|-------|-------|"
    for figure in figures:
        yield f"| {' | '.join(map(_safe, (figure.metric, figure.value, figure.note)))} |"


def _safe(text: str) -> str:
    """One line of text that is no Markdown and no HTML: names and reasons come from logs."""
    return re.sub(r"([\\`*\[\]<>|#])", r"\\\1", " ".join(text.split()))
