"""The plots of the ticks: accuracy and certainty by tick, flips by tick, and ends of thoughts.

All are narrow, so that a phone of 390 pixels shows them with letters that can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ctm.files import replacing
from ctm.pairs.overall import CLEAN, OVERALL

# Okabe and Ito's palette, told apart by color-blind readers
COLORS = {
    "syntax": "#0072B2",
    "logic": "#D55E00",
    "security": "#009E73",
    "complex": "#CC79A7",
    CLEAN: "#999999",
    OVERALL: "#000000",
}
MARKERS = {"syntax": "o", "logic": "s", "security": "^", "complex": "D", CLEAN: "x", OVERALL: "o"}
"""Told apart without colors."""
WON, LOST = "#0072B2", "#D55E00"
WIDTH = 4.4
"""Inches of all plots: 390 pixels make 88 of an inch, and 9 points 11 pixels."""
TITLE, LABEL, SMALL = 11, 10, 9
"""Sizes of letters, points."""
FINE = 0.05
"""Range of an axis of shares below which its labels have a decimal."""
FEW_TICKS = 24
"""Ticks up to which each has a marker."""


def plot_ticks(figures: dict[str, Any], out: Path, dpi: int) -> None:
    """Draw accuracy, certainty and ticks by length of `figures` (of ctm.analysis.ticks.tick_figures) as PNG."""
    figure = Figure(figsize=(WIDTH, 10.2), layout="constrained")
    accuracy, certainty, length = figure.subplots(3, 1, height_ratios=(1.5, 1, 0.8))
    _accuracy(accuracy, figures)
    _certainty(certainty, figures)
    _difficulty(length, figures)
    _save(figure, out, dpi)


def plot_flips(figures: dict[str, Any], out: Path, dpi: int) -> None:
    """Draw answers won and lost at each tick, a panel for each category and overall, as PNG."""
    _save(flips_plot(figures), out, dpi)


def plot_exits(figures: Mapping[str, Any], out: Path, dpi: int) -> None:
    """Draw accuracy against ticks of `figures` (of ctm.analysis.early_exit) as PNG."""
    _save(exits_plot(figures), out, dpi)


def tick_plots(figures: dict[str, Any]) -> list[Figure]:
    """The panels of `plot_ticks`, each in a drawing of its own, for a page."""
    drawn = []
    for draw, height in ((_accuracy, 5.0), (_certainty, 3.7), (_difficulty, 2.9)):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure.subplots(), figures)
        drawn.append(figure)
    return drawn


def flips_plot(figures: dict[str, Any]) -> Figure:
    """What `plot_flips` draws."""
    groups = [name for name in COLORS if name in figures["flips"]["won"]]
    figure = Figure(figsize=(WIDTH, 0.9 + 1.75 * -(-len(groups) // 2)), layout="constrained")
    panels = figure.subplots(-(-len(groups) // 2), 2, sharex=True, sharey=True, squeeze=False)
    ticks = range(2, figures["ticks"] + 1)
    for axes, name in zip(panels.flat, groups, strict=False):
        won, lost = (figures["flips"][way][name] for way in ("won", "lost"))
        axes.bar(ticks, won, color=WON, width=0.75, label="wrong before, right now")
        axes.bar(
            ticks, [-share for share in lost], color=LOST, width=0.75, hatch="///", edgecolor="white",
            label="right before, wrong now",
        )  # fmt: skip
        axes.axhline(0, color="#000000", linewidth=0.8)
        axes.set_title(f"{name}: {100 * (sum(won) - sum(lost)):+.1f}", fontsize=LABEL, loc="left")
        _ticks(axes, "")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    for axes in panels.flat[len(groups) :]:
        axes.set_visible(False)
    for axes in panels[-1]:
        axes.set_xlabel("tick", fontsize=LABEL)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=SMALL, frameon=False, ncols=2, loc="outside lower center")
    figure.suptitle("Answers that a tick changes\n(behind the name: points, first to last)", fontsize=TITLE)
    return figure


EXITS = {
    "all ticks": ("s", "#000000"),
    "first tick": ("^", "#000000"),
    "in use": ("o", "#D55E00"),
    "at most": ("D", "#0072B2"),
    "oracle, same answers": ("P", "#009E73"),
    "oracle, first right tick": ("*", "#CC79A7"),
}
"""Marker and color of the ways to end a thought; "at most" begins the names of those with a promise."""


def exits_plot(figures: Mapping[str, Any]) -> Figure:
    """What `plot_exits` draws."""
    figure = Figure(figsize=(WIDTH, 5.6), layout="constrained")
    axes = figure.subplots()
    curve = [row for row in figures["grid"] if row[OVERALL] is not None]
    axes.plot(
        [row["ticks_mean"] for row in curve], [row[OVERALL] for row in curve], color="#56B4E9", linewidth=2.2,
        label="a certainty ends a thought", zorder=1,
    )  # fmt: skip
    for row in figures["exits"]:
        promised = row["exit"].startswith("at most")
        marker, color = EXITS["at most" if promised else row["exit"]]
        if row[OVERALL] is not None:
            at = row["ticks_mean"], row[OVERALL]
            axes.plot(
                *at, marker=marker, color=color, linestyle="", markersize={"*": 13, "o": 12}.get(marker, 9),
                markeredgecolor=color if marker == "o" else "white", markeredgewidth=2 if marker == "o" else 1,
                fillstyle="none" if marker == "o" else "full",  # a promise often falls on it
                label=f"{row['exit']}: {at[0]:.1f} ticks, {at[1]:.1%}",
            )  # fmt: skip
            if promised:
                axes.annotate(
                    row["exit"].split()[2], at, (0, -15), textcoords="offset points", ha="center", color=color,
                    fontsize=SMALL,
                )  # fmt: skip
    axes.set_title("Ending thoughts early", fontsize=TITLE, loc="left")
    axes.set_xlabel("ticks of a thought, mean", fontsize=LABEL)
    axes.set_ylabel("first edit right, overall", fontsize=LABEL)
    axes.margins(0.05, 0.12)
    low, high = axes.get_ylim()
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1 if high - low < FINE else 0))
    axes.tick_params(labelsize=SMALL)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(fontsize=SMALL, frameon=False, loc="outside lower center")
    return figure


def _save(figure: Figure, out: Path, dpi: int) -> None:
    with replacing(out) as temporary:
        figure.savefig(temporary, dpi=dpi, format="png")


def _accuracy(axes: Axes, figures: dict[str, Any]) -> None:
    x = range(1, figures["ticks"] + 1)
    n = {**figures["n"], OVERALL: sum(v for k, v in figures["n"].items() if k != CLEAN)}
    for name, values in sorted(figures["accuracy_by_tick"].items(), key=lambda item: -item[1][-1]):
        bold = name == OVERALL
        axes.plot(
            x, values, marker=MARKERS[name] if figures["ticks"] <= FEW_TICKS else None,
            markersize=5.5 if bold else 4, linewidth=2.6 if bold else 1.5, linestyle="--" if name == CLEAN else "-",
            color=COLORS[name], zorder=3 if bold else 2, label=f"{name} {values[-1]:.0%} (n = {n[name]:,})",
        )  # fmt: skip
    ends = [row["intervals"][OVERALL] for row in figures["stopped_at"]]
    if all(ends):
        low, high = zip(*ends, strict=True)
        axes.fill_between(x, low, high, color=COLORS[OVERALL], alpha=0.12, linewidth=0)
    axes.set_title("First edit right, by tick (gray: 95 %)", fontsize=TITLE, loc="left")
    axes.set_ylabel("items, projects never trained on", fontsize=LABEL)
    axes.set_ylim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _ticks(axes)
    axes.legend(
        title="at the last tick", fontsize=SMALL, title_fontsize=SMALL, frameon=False, ncols=2, loc="upper center",
        bbox_to_anchor=(0.46, -0.13),
    )  # fmt: skip


def _certainty(axes: Axes, figures: dict[str, Any]) -> None:
    x = range(1, figures["ticks"] + 1)
    for name, values in figures["certainty_by_category"].items():
        axes.plot(x, values, color=COLORS[name], linewidth=1.3, linestyle="--" if name == CLEAN else "-")
    styles = {"first edit right": "-", "first edit wrong": ":"}
    for name, values in figures["certainty_by_tick"].items():
        if name in styles:
            axes.plot(x, values, color="#000000", linestyle=styles[name], label=name, linewidth=2.4)
    if figures["tick_threshold"] <= 1:
        axes.axhline(
            figures["tick_threshold"], color="#999999", linestyle="-.", linewidth=1.2, label="ends a thought"
        )
    axes.set_title("Certainty by tick (colors as above)", fontsize=TITLE, loc="left")
    axes.set_ylabel("mean certainty", fontsize=LABEL)
    axes.set_ylim(-0.02, 1.05)
    _ticks(axes)
    axes.legend(fontsize=SMALL, frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.46, -0.2))


def _difficulty(axes: Axes, figures: dict[str, Any]) -> None:
    groups = figures["by_difficulty"]["by cells"]
    x = range(len(groups))
    axes.bar(x, [group["ticks"] for group in groups], color="#56B4E9", width=0.7)
    for place, group in enumerate(groups):
        axes.annotate(
            f"{group['ticks']:.1f}\n{group['right']:.0%} right", (place, group["ticks"]), ha="center", va="bottom",
            fontsize=SMALL,
        )  # fmt: skip
    axes.set_xticks(list(x), [group["group"] for group in groups], fontsize=SMALL)
    axes.set_xlabel(f"cells of the code (groups of about {groups[0]['n']:,} items)", fontsize=LABEL)
    axes.set_ylabel("ticks taken", fontsize=LABEL)
    axes.set_ylim(0, figures["ticks"] * 1.45)
    axes.set_title("Ticks taken by length of the code, mean", fontsize=TITLE, loc="left")
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)


def _ticks(axes: Axes, label: str = "tick") -> None:
    axes.set_xlabel(label, fontsize=LABEL)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.tick_params(labelsize=SMALL)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
