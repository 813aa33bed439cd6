"""Training curves of all stages as one inline SVG."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FIGURES = (("loss", "loss"), ("certainty", "certainty"), ("samples_per_second", "samples/s"))


def training_curves(metrics: Mapping[str, Path]) -> str:
    """SVG text: loss, certainty, speed and accuracy at milestones, over the samples of all stages, in order.

    metrics: JSON lines of each stage, by stage. Empty where no stage wrote anything.
    """
    stages = {stage: _read(path) for stage, path in metrics.items()}
    if not any(stages.values()):
        return ""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import EngFormatter

    figure, axes = plt.subplots(1, len(FIGURES) + 1, figsize=(15, 3.2), layout="constrained")
    offset = 0
    categories: dict[str, list[tuple[int, float]]] = {}
    for stage, lines in stages.items():
        steps = [line for line in lines if "accuracy" not in line and "event" not in line]
        for axis, (key, _) in zip(axes, FIGURES, strict=False):
            points = [(offset + line["samples"], line[key]) for line in steps if key in line]
            if points:
                axis.plot(*zip(*points, strict=True), label=stage, linewidth=1)
        for line in lines:
            for category, value in line.get("accuracy", {}).items():
                categories.setdefault(category, []).append((offset + line["samples"], value))
        offset += max((line["samples"] for line in lines), default=0)
    for axis, (_, title) in zip(axes, FIGURES, strict=False):
        axis.set(title=title, xlabel="samples seen")
    for category, points in categories.items():
        axes[-1].plot(*zip(*points, strict=True), "o-", label=category, linewidth=1, markersize=3)
    axes[-1].set(title="accuracy, one pass, validation split", xlabel="samples seen", ylim=(0, 1))
    for axis in axes:
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))  # 150k: the whole numbers ran into each other
    axes[0].legend(fontsize="small")
    if categories:
        axes[-1].legend(fontsize="small")
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    plt.close(figure)
    return text.getvalue()[text.getvalue().index("<svg") :]


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
