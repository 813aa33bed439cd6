"""The plot of the ticks: accuracy by tick (the large panel), certainty by tick, ticks by difficulty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ctm.files import replacing
from ctm.pairs.overall import OVERALL

# Okabe and Ito's palette, told apart by color-blind readers
COLORS = {
    "syntax": "#0072B2",
    "logic": "#D55E00",
    "security": "#009E73",
    "complex": "#CC79A7",
    "clean": "#999999",
    OVERALL: "#000000",
}
CERTAINTIES = {"all": "#000000", "first edit right": "#0072B2", "first edit wrong": "#D55E00"}


def tick_plots(figures: dict[str, Any]) -> list[Figure]:
    """The same panels, each in a drawing of its own: a narrow page has them below each other."""
    drawn = []
    for height in (5.0, 3.3, 3.3):
        figure = Figure(figsize=(4.2, height), layout="constrained")
        figure.add_subplot()
        drawn.append(figure)
    accuracy, certainty, difficulty = (figure.axes[0] for figure in drawn)
    _accuracy(accuracy, figures, columns=2)
    _certainty(certainty, figures)
    _difficulty(difficulty, figures)
    return drawn


def plot_ticks(figures: dict[str, Any], out: Path, dpi: int) -> None:
    """Draw `figures` (of ctm.analysis.ticks.tick_figures) as PNG."""
    figure = Figure(figsize=(11, 5.4), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1.45, 1))
    _accuracy(figure.add_subplot(grid[:, 0]), figures)
    _certainty(figure.add_subplot(grid[0, 1]), figures)
    _difficulty(figure.add_subplot(grid[1, 1]), figures)
    with replacing(out) as temporary:
        figure.savefig(temporary, dpi=dpi, format="png")


def _accuracy(axes: Axes, figures: dict[str, Any], columns: int = 3) -> None:
    x = range(1, figures["ticks"] + 1)
    marker = "o" if figures["ticks"] <= 24 else None
    n = {**figures["n"], OVERALL: sum(v for k, v in figures["n"].items() if k != "clean")}
    for name, values in sorted(figures["accuracy_by_tick"].items(), key=lambda item: -item[1][-1]):
        bold = name == OVERALL
        axes.plot(
            x, values, marker=marker, markersize=5 if bold else 3.5, linewidth=2.6 if bold else 1.6,
            linestyle="--" if name == "clean" else "-", color=COLORS[name], zorder=3 if bold else 2,
            label=f"{name}  {values[-1]:.0%}  (n = {n[name]:,})",
        )  # fmt: skip
    axes.set_title("First edit right, by tick\nprojects never seen in training", fontsize=11, loc="left")
    axes.set_ylabel("items whose likeliest edit is exactly right")
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _ticks(axes)
    axes.legend(
        title="at the last tick", fontsize=9, title_fontsize=9, frameon=False, ncols=columns, loc="upper center",
        bbox_to_anchor=(0.5, -0.12),
    )  # fmt: skip


def _certainty(axes: Axes, figures: dict[str, Any]) -> None:
    x = range(1, figures["ticks"] + 1)
    for name, values in figures["certainty_by_tick"].items():
        axes.plot(x, values, color=CERTAINTIES[name], label=name, linewidth=1.8)
    if figures["tick_threshold"] <= 1:
        axes.axhline(figures["tick_threshold"], color="#999999", linestyle=":", linewidth=1.2)
        axes.annotate("a thought ends", (1, figures["tick_threshold"]), fontsize=8, va="bottom")
    axes.set_title("Certainty by tick", fontsize=11, loc="left")
    axes.set_ylabel("mean certainty")
    axes.set_ylim(-0.02, 1.08)
    _ticks(axes)
    axes.legend(fontsize=8, loc="lower right")


def _difficulty(axes: Axes, figures: dict[str, Any]) -> None:
    groups = figures["by_difficulty"]["by cells"]
    x = range(len(groups))
    axes.bar(x, [group["ticks"] for group in groups], color="#56B4E9", width=0.7)
    for place, group in enumerate(groups):
        axes.annotate(
            f"{group['ticks']:.1f}\n{group['right']:.0%} right", (place, group["ticks"]), ha="center", va="bottom",
            fontsize=8,
        )  # fmt: skip
    axes.set_xticks(list(x), [group["group"] for group in groups], fontsize=8)
    axes.set_xlabel(f"cells of the code (groups of about {groups[0]['n']:,} items)", fontsize=9)
    axes.set_ylabel("ticks taken, mean")
    axes.set_ylim(0, figures["ticks"] * 1.35)
    axes.set_title("Ticks by length of the code", fontsize=11, loc="left")
    axes.spines[["top", "right"]].set_visible(False)


def _ticks(axes: Axes) -> None:
    axes.set_xlabel("tick")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
