"""Training curves of all stages as inline SVGs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ctm.pipeline.svg import svg_of

FIGURES = (
    ("loss", "Loss"),
    ("certainty", "Certainty of the answers"),
    ("samples_per_second", "Samples a second"),
)
STAGE_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
COLORS = {
    "syntax": "#0072B2",
    "logic": "#D55E00",
    "security": "#009E73",
    "complex": "#CC79A7",
    "clean": "#999999",
    "overall": "#000000",
}
"""Okabe and Ito's palette, told apart by color-blind readers, and on white as on black."""


def training_curves(stages: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """SVG text: loss, certainty, speed and accuracy at milestones, over the samples of all stages, in order.

    stages: lines of metrics of each stage, by stage. Empty where no stage wrote anything. One drawing for each figure,
    so that a narrow page has them below each other.
    """
    if not any(stages.values()):
        return ""
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter, PercentFormatter

    figures = [Figure(figsize=(4.2, 3.3), layout="constrained") for _ in range(len(FIGURES) + 1)]
    axes = [figure.add_subplot() for figure in figures]
    offset = 0
    categories: dict[str, list[tuple[int, float]]] = {}
    for place, (stage, lines) in enumerate(stages.items()):
        steps = [line for line in lines if "accuracy" not in line and "event" not in line]
        for axis, (key, _) in zip(axes, FIGURES, strict=False):
            points = [(offset + line["samples"], line[key]) for line in steps if key in line]
            if points:
                color = STAGE_COLORS[place % len(STAGE_COLORS)]
                axis.plot(*zip(*points, strict=True), label=stage, linewidth=1.4, color=color)
        for line in lines:
            for category, value in line.get("accuracy", {}).items():
                categories.setdefault(category, []).append((offset + line["samples"], value))
        offset += max((line["samples"] for line in lines), default=0)
    for category, points in categories.items():
        width = 2.4 if category == "overall" else 1.4
        color = COLORS.get(category, "#999999")
        axes[-1].plot(
            *zip(*points, strict=True), "o-", label=category, linewidth=width, markersize=3.5, color=color
        )
    for axis, title in zip(
        axes, [*(title for _, title in FIGURES), "First edit right, validation projects"], strict=True
    ):
        axis.set_title(title, fontsize=11, loc="left")
        axis.set_xlabel("samples seen")
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))  # 150k: the whole numbers ran into each other
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in (axes[1], axes[-1]):
        axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes[-1].set_ylim(0, 1)
    for axis in (axes[0], axes[-1]):
        if axis.get_legend_handles_labels()[0]:
            axis.legend(fontsize=9, frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.18))
    return svg_of(figures)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Metrics of a stage that has ended."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
