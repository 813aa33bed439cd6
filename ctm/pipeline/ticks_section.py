"""The report's section on ticks: what each adds to the first edit."""

from __future__ import annotations

from typing import Any

from ctm.analysis.plots import tick_plots
from ctm.pipeline.svg import svg_of
from ctm.pipeline.tables import Block, Section, rows
from ctm.shares import COLUMNS, percent


def ticks_section(iterations: dict[str, Any]) -> Section:
    """iterations: what rule analyze_iterations wrote."""
    accuracy = iterations.get("accuracy_by_tick", {})
    blocks = []
    if accuracy.get("overall"):
        note = (
            f"First: is the likeliest edit of a tick exactly right. {_told(accuracy['overall'])}Then how sure right "
            "and wrong answers are, and how many ticks code of each length takes."
        )
        plots = svg_of(tick_plots(iterations))
        blocks.append(Block("First edit by tick", note, svg=plots, file="reports/accuracy_by_tick.png"))
    if accuracy:
        ticks = range(1, iterations.get("ticks", max(map(len, accuracy.values()))) + 1)
        n = iterations.get("n", {})
        items = [(c, n.get(c), *map(percent, accuracy[c])) for c in COLUMNS if c in accuracy]
        note = "The same in figures: first edits that are exactly right at each tick, and how many items there are."
        head = ["category", "items", *(f"tick {tick}" for tick in ticks)]
        blocks.append(Block("By tick and category", note, rows(head, items), fold=True))
    groups = [
        (name.removeprefix("by "), g["group"], g["n"], round(g["ticks"], 1), percent(g["right"]))
        for name, of in iterations.get("by_difficulty", {}).items()
        for g in of
    ]
    if groups:
        note = "Ticks until a thought ends by its threshold, in groups of items: does harder code get more of them?"
        head = ["groups by", "group", "items", "ticks, mean", "first edit right"]
        blocks.append(Block("Ticks taken by difficulty", note, rows(head, groups), fold=True))
    if changes := iterations.get("changes"):
        note = "Items of which the first edit turns right or wrong in the course of a thought."
        table = rows(["change", "items"], [(name, percent(share)) for name, share in changes.items()])
        blocks.append(Block("What thinking changes", note, table))
    return Section(
        "Ticks",
        blocks,
        "Of the first edit alone, by kinds: no search, no compiler, no further pass, so that it shows what ticks add. "
        "It is lower than the accuracy of whole repairs.",
    )


def _told(overall: list[float]) -> str:
    best = max(range(len(overall)), key=overall.__getitem__)
    return (
        f"Overall it is {percent(overall[0])} at tick 1, {percent(overall[best])} at tick {best + 1}, the best, and "
        f"{percent(overall[-1])} at the last. "
    )
