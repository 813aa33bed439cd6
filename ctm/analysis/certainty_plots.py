"""Two pictures of certainty: reliability diagrams, and risk against coverage.

One panel below the other and large letters, so that both can be read on a telephone. A panel for each suite and
question that has enough answers; a line at the foot names the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ctm.evaluation.certainty import (
    BROKEN,
    CERTAINTY,
    MADE,
    PROBABILITY,
    REAL,
    SHARE,
    WORKING,
    own_confidence,
)
from ctm.files import replacing

WIDTH, HEIGHT, FOOT = 4.2, 4.4, 0.28
"""Of a panel, and the height of a line at the foot, inches."""
MAX_PANELS = 4
LETTERS: dict[Any, Any] = {"axes.titlesize": 10.5, "axes.titlelocation": "left", "legend.fontsize": 9.5}
BLUE, ORANGE, GREEN, GRAY, BLACK = "#0072B2", "#D55E00", "#009E73", "#6E6E6E", "#000000"
"""Of Okabe and Ito's palette, told apart by color-blind readers; shapes of the marks and lines say the same."""
LOOKS = {
    CERTAINTY: ("certainty of the model", GRAY, "^", "--"),
    SHARE: ("share, before calibration", ORANGE, "s", "-."),
    MADE: ("confidence, made errors", ORANGE, "s", "-."),
    REAL: ("confidence, real errors", BLUE, "o", "-"),
    PROBABILITY: ("probability, no calibration", GREEN, "D", "-"),
}
"""Of each score: what it is called, color, mark and line."""


@dataclass(frozen=True)
class Panel:
    """A question of a suite."""

    suite: str
    question: str
    found: Mapping[str, Any]
    """Figures of every score."""

    @property
    def scores(self) -> dict[str, tuple[str, str, str, str]]:
        """The scores that are shown and their looks, the one that counts last."""
        if self.question == WORKING:
            names = [CERTAINTY, PROBABILITY]
        else:
            own = own_confidence(self.suite)
            names = [CERTAINTY, SHARE if own == MADE else MADE, own]
        looks = {name: LOOKS[name] for name in names}
        if MADE in looks and SHARE in looks:
            looks[MADE] = ("confidence, after calibration", *LOOKS[REAL][1:])
        return looks

    @property
    def n(self) -> int:
        """Answers."""
        return int(self.found[CERTAINTY]["n"])

    @property
    def title(self) -> str:
        """What was asked of what."""
        what = (
            "Repairs of broken code" if self.question == BROKEN else "Code that compiles, with a bug or none"
        )
        code = "synthetic errors" if own_confidence(self.suite) == MADE else "real code"
        return f"{what}\n{code} (suite {self.suite}), {self.n:,} answers"


Draw = Callable[[Axes, Panel, Mapping[str, Any]], str]
"""Draws a panel and says what its legend is of."""


def reliability_plots(figures: Mapping[str, Any]) -> list[Figure]:
    """The bins of `figures` (of ctm.evaluation.certainty): score against share of right answers, a drawing a panel."""
    return _drawings(figures, "bins", _reliability)


def risk_coverage_plots(figures: Mapping[str, Any]) -> list[Figure]:
    """The curves of the same figures: share of wrong answers against share of answers given, a drawing a panel."""
    return _drawings(figures, "curve", _risk_coverage)


def plot_reliability(figures: Mapping[str, Any], out: Path, dpi: int) -> None:
    """All of `reliability_plots` as one PNG."""
    _draw(figures, out, dpi, "bins", _reliability)


def plot_risk_coverage(figures: Mapping[str, Any], out: Path, dpi: int) -> None:
    """All of `risk_coverage_plots` as one PNG."""
    _draw(figures, out, dpi, "curve", _risk_coverage)


def not_drawn(figures: Mapping[str, Any]) -> list[str]:
    """What the pictures do not show, and how many answers it has."""
    return [
        f"{panel.question} of suite {panel.suite} ({panel.n:,} answers)"
        for panel in _panels(figures, "curve")[1]
    ]


def _panels(figures: Mapping[str, Any], needed: str) -> tuple[list[Panel], list[Panel]]:
    """Those that are drawn, and the others."""
    panels = [
        Panel(name, question, suite["questions"][question])
        for name, suite in figures["suites"].items()
        for question in (BROKEN, WORKING)
    ]
    drawn = [panel for panel in panels if panel.found[CERTAINTY][needed]][:MAX_PANELS]
    return drawn, [panel for panel in panels if panel not in drawn]


def _drawings(figures: Mapping[str, Any], needed: str, draw: Draw) -> list[Figure]:
    drawings = []
    with rc_context(LETTERS):
        for panel in _panels(figures, needed)[0]:
            figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
            _panel(figure.add_subplot(), panel, figures, draw)
            drawings.append(figure)
    return drawings


def _draw(figures: Mapping[str, Any], out: Path, dpi: int, needed: str, draw: Draw) -> None:
    drawn, _ = _panels(figures, needed)
    notes = not_drawn(figures)
    foot = FOOT * len(notes)
    height = HEIGHT * max(len(drawn), 1) + foot
    with rc_context(LETTERS):
        figure = Figure(figsize=(WIDTH, height))
        figure.set_layout_engine("constrained", rect=(0, foot / height, 1, 1 - foot / height), h_pad=0.1)
        for place, panel in enumerate(drawn, 1):
            _panel(figure.add_subplot(len(drawn), 1, place), panel, figures, draw)
        for place, note in enumerate(reversed(notes)):
            where = (place + 0.35) * FOOT / height
            figure.text(0.02, where, f"Not drawn: {note}", fontsize=8.5, color=GRAY)
        with replacing(out) as temporary:
            figure.savefig(temporary, dpi=dpi, format="png")


def _panel(axes: Axes, panel: Panel, figures: Mapping[str, Any], draw: Draw) -> None:
    axes.set_title(panel.title)
    legend = draw(axes, panel, figures)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(
        title=legend, alignment="left", title_fontsize=9.5, frameon=False, loc="upper left",
        bbox_to_anchor=(-0.02, -0.2), borderaxespad=0,
    )  # fmt: skip


def _reliability(axes: Axes, panel: Panel, figures: Mapping[str, Any]) -> str:
    for name, (label, color, mark, line) in panel.scores.items():
        score = panel.found[name]
        x, y = ([one[key] for one in score["bins"]] for key in ("score", "right"))
        ends = np.array([one["interval"] or (one["right"], one["right"]) for one in score["bins"]])
        axes.vlines(x, ends[:, 0], ends[:, 1], color=color, alpha=0.45, linewidth=2)
        axes.plot(
            x, y, color=color, marker=mark, markersize=5, linestyle=line, linewidth=1.4,
            label=f"{label}: {score['ece']:.1%}",
        )  # fmt: skip
    axes.plot([0, 1], [0, 1], color=BLACK, linestyle=":", linewidth=1.5, label="right as often as it says")
    axes.set_xlim(-0.02, 1.03)
    axes.set_ylim(-0.02, 1.03)
    axes.set_xlabel("score, mean of each fifteenth")
    axes.set_ylabel("of these, right")
    return "calibration error of the"


def _risk_coverage(axes: Axes, panel: Panel, figures: Mapping[str, Any]) -> str:
    looks = panel.scores
    # the score between them has the order of the last one, and so the same line
    for name in (CERTAINTY, list(looks)[-1]):
        (label, color, _, line), score = looks[name], panel.found[name]
        x, y = ([one[key] for one in score["curve"]] for key in ("coverage", "risk"))
        sure = "" if score["auroc"] is None else f": {score['auroc']:.1%}"
        axes.plot(x, y, color=color, linestyle=line, linewidth=2, label=label + sure)
    if score["curve"][0]["interval"]:
        low, high = zip(*(one["interval"] for one in score["curve"]), strict=True)
        axes.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)
    axes.plot([0, 1], [score["aurc_guess"]] * 2, color=BLACK, linestyle=":", linewidth=1.5, label="guessing")
    given = np.linspace(0.01, 1, 100)
    best = np.maximum(0, given - score["right"]) / given
    axes.plot(given, best, color=BLACK, linewidth=1, label="oracle")
    if panel.question == BROKEN:
        _thresholds(axes, panel, figures["precision_thresholds"])
    axes.set_xlim(-0.02, 1.03)
    axes.set_ylim(bottom=-0.01)
    axes.set_xlabel("answers given, the surest first")
    axes.set_ylabel("of these, wrong")
    return "AUROC of the"


def _thresholds(axes: Axes, panel: Panel, chosen: list[Mapping[str, Any]]) -> None:
    """Where the thresholds of precision, which were chosen on validation, lie on this suite."""
    for asked in chosen:
        given = asked[panel.suite]
        if given["precision"] is not None:
            axes.plot(
                [given["answers"] / panel.n], [1 - given["precision"]], marker="*", markersize=13, linestyle="",
                color=BLACK, markerfacecolor="#F0E442" if asked["validation"]["precision"] < 0.95 else "#56B4E9",
                zorder=4, label=f"threshold for {asked['validation']['precision']:.0%} right",
            )  # fmt: skip
