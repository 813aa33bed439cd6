"""The report's section on the verdict: what the specification asks, and what the run found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctm.analysis.verdict.page import HEAD, row, summary
from ctm.pipeline.tables import Block, Cell, Section, Table

MARKS = {"met": "yes", "not met": "no"}
OPEN = ("minimum", "target", "stretch")
"""Groups that are shown without being asked for."""
NOTE = (
    "Expected is what the specification names for its full scale. A figure with an interval is met or not met by the "
    "whole of it; one whose interval reaches over the bound is not decided. A run smaller than full scale meets no "
    "figure of full scale and misses none: what it found stands there. The same in results/reports/success_criteria.md "
    "and .json, which also names the artifact and key of each figure."
)
CAPTIONS = {
    "minimum": "What the specification asks at least.",
    "target": "What it aims at.",
    "stretch": "What it hopes for.",
    "data": "Amounts, rates and speeds of the four tasks of data.",
    "model": "Checks before training, and figures of an untrained model of the run's size.",
    "training": "Milestones of each stage (first edits on a slice of the validation split) and what else it expects.",
    "evaluation": "Accuracies on the frozen test sets, and the analyses and files asked for.",
    "baseline": "What it expects of both models; how they compare is a section of its own.",
}


def verdict_section(verdict: Mapping[str, Any]) -> Section:
    """A table for each group of criteria. verdict: what rule judge_criteria wrote."""
    blocks = []
    for level, title in verdict["levels"].items():
        mine = [one for one in verdict["criteria"] if one["level"] == level]
        if mine:
            table = Table(list(HEAD), [_cells(one) for one in mine])
            note = f"{CAPTIONS[level]} {_counted(verdict['counts'][level])}"
            blocks.append(Block(title, note, table, fold=level not in OPEN))
    return Section("Verdict", blocks, f"{summary(verdict)} {NOTE}")


def _cells(one: Mapping[str, Any]) -> list[Cell]:
    numbers = ("expected", "found", "95 %", "n")
    return [
        Cell(text, name in numbers, MARKS.get(one["status"], "") if name == "verdict" else "")
        for name, text in zip(HEAD, row(one), strict=True)
    ]


def _counted(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{number} {status}" for status, number in counts.items()) + "."
