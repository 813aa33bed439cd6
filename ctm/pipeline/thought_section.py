"""The report's section about one thought: the tick that answers as a picture, the animation on demand, and figures."""

from __future__ import annotations

from typing import Any

from ctm.pipeline.tables import Block, Cell, Section, rows
from ctm.shares import percent


def thought_section(thought: dict[str, Any], still: str, animation: str) -> Section:
    """thought: what rule draw_thought wrote. still, animation: its pictures in base64, PNG and GIF.

    The picture does not move until it is asked to: some readers cannot read beside what moves.
    """
    count, answering = len(thought["ticks"]), thought["answering_tick"]
    suite = "a real fix" if thought["suite"] == "real" else "a made bug in real code"
    how = "right" if thought["right"] else "wrong"
    seen = (
        f"Tick {answering} of {count}, which answers, about {suite} ({thought['from']}); its edit is {how}. Orange is "
        "attention, the mean of all heads; the blue frame or mark is the likeliest span of the pointers."
    )
    moving = (
        "All ticks one after the other, on one scale of attention. Of the synchronization single squares cannot be "
        "read, but what changes can be seen."
    )
    head = ["tick", "sure", "likeliest edit", "likely", "right", "looks most at", "attention there"]
    items = [
        (
            tick["tick"],
            percent(tick["certainty"]),
            Cell(_edit(tick), mark="code"),
            percent(tick["probability"]),
            tick["right"],
            Cell(repr(tick["most_attended"]), mark="code"),
            percent(tick["attention_there"]),
        )
        for tick in thought["ticks"]
    ]
    return Section(
        "One thought",
        [
            Block("The tick that answers", seen, png=still, file="reports/iteration_progression.png"),
            Block(
                "Tick by tick, moving",
                moving,
                png=animation,
                file="reports/iteration_progression.gif",
                fold=True,
            ),
            Block("The same in figures", "What each tick says and looks at.", rows(head, items), fold=True),
        ],
        "One example, chosen by a fixed order that prefers answers that turn right: it shows how, and not how often.",
    )


def _edit(tick: dict[str, Any]) -> str:
    if tick["no_edit"]:
        return "none"
    if tick["written"] is None:
        return "copies a word from where there is none"
    if tick["start"] == tick["end"]:
        return f"inserts {tick['written']!r}"
    return (
        f"replaces {tick['replaced']!r} by {tick['written']!r}"
        if tick["written"]
        else f"deletes {tick['replaced']!r}"
    )
