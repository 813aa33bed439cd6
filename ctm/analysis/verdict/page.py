"""The verdict in words: how each figure is shown, and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctm.analysis.verdict.criterion import STATUSES, number
from ctm.shares import percent

HEAD = ("criterion", "expected", "found", "95 %", "n", "verdict", "why")
SIGNS = {">": "over", ">=": "at least", "<": "under", "<=": "at most", "about": "about"}


def verdict_page(verdict: Mapping[str, Any]) -> str:
    """Markdown: what the words mean, then a table for each group."""
    lines = ["# Verdict: what the specification asks and what this run found", "", summary(verdict), ""]
    lines += [f"- **{status}**: {meaning}" for status, meaning in verdict["statuses"].items()]
    for level, title in verdict["levels"].items():
        mine = [one for one in verdict["criteria"] if one["level"] == level]
        if mine:
            lines += ["", f"## {title}", "", _line(HEAD), _line(["---"] * len(HEAD))]
            lines += [_line(row(one)) for one in mine]
    return "\n".join([*lines, ""])


def summary(verdict: Mapping[str, Any]) -> str:
    """How many came out how, success criteria first."""
    success = [
        one["status"] for one in verdict["criteria"] if one["level"] in ("minimum", "target", "stretch")
    ]
    groups = {"success criteria": success, "criteria in all": [one["status"] for one in verdict["criteria"]]}
    return " ".join(
        f"Of {len(found)} {name}: "
        + ", ".join(f"{found.count(status)} {status}" for status in STATUSES if status in found)
        + "."
        for name, found in groups.items()
    )


def row(judged: Mapping[str, Any]) -> list[str]:
    """Cells of HEAD of a judged criterion, as `Judged.as_dict` has it."""
    unit = judged["expected"]["unit"]
    ends, found = judged["interval"], judged["found"]
    return [
        judged["criterion"],
        f"{SIGNS[judged['expected']['sign']]} {shown(judged['expected']['value'], unit)}",
        "-" if found is None else shown(found, unit),
        "-" if ends is None else _range(ends, unit),
        "-" if judged["n"] is None else f"{judged['n']:,}",
        judged["status"],
        "; ".join(part for part in (judged["reason"], judged["note"]) if part) or "-",
    ]


def shown(value: float, unit: str) -> str:
    """A figure with its unit."""
    match unit:
        case "share":
            return f"{100 * value:.3g}%" if 0 < value < 0.001 else percent(value)
        case "points":
            return f"{100 * value:+.1f} points" if value else "0 points"
    return number(value)


def _range(ends: Sequence[float], unit: str) -> str:
    """An interval with its unit once."""
    low, high = (shown(end, unit) for end in ends)
    return f"{low.removesuffix('%').removesuffix(' points')} to {high}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
