"""The report's section about one thought: the tick that answers as a picture, the animation on demand, and figures."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctm.pipeline.tables import Block, Section, rows
from ctm.shares import percent


def thought_section(thought: Mapping[str, Any], still: Path, animation: Path) -> Section:
    """thought: thought.json of rule `draw_thought`. still, animation: its pictures, PNG and GIF.

    The picture does not move until it is asked to: some readers cannot read beside what moves.
    """
    answering = thought["answering_tick"]
    suite = "a real fix" if thought["suite"] == "real" else "a made bug in real code"
    how = "The edit is right." if thought["right"] else "The edit is wrong."
    picture = Block(
        f"Tick {answering} of {len(thought['ticks'])}, which answers",
        f"{thought['from']}. It is {suite}, of a project never seen in training. {how} Orange "
        "is attention, the mean of all heads on one scale for all ticks; the blue frame or mark is the likeliest span "
        "of the pointers. Synchronization is drawn pair by pair: single squares cannot be read, but what changes from "
        "tick to tick can be seen.",
        png=_base64(still),
        gif=_base64(animation),
    )
    head = ["tick", "certainty", "likeliest edit", "likely", "right", "looks most at", "attention there"]
    table = rows(
        head,
        [
            (
                tick["tick"],
                percent(tick["certainty"]),
                _edit(tick),
                percent(tick["probability"]),
                tick["right"],
                repr(tick["most_attended"]),
                percent(tick["attention_there"]),
            )
            for tick in thought["ticks"]
        ],
    )
    return Section("One thought", [picture, Block("The same in figures", table=table)])


def _edit(tick: Mapping[str, Any]) -> str:
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


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
