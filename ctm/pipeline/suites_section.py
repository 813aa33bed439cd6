"""The report's section on reference points and on suites of real bugs, with what others publish beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctm.pipeline.tables import Block, Cell, Section, Table, rows
from ctm.shares import COLUMNS, percent, percents

MEASURES = {
    "exact_at_1": "exact at 1", "exact_at_5": "at 5", "exact_at_10": "at 10", "same_tree": "same tree",
    "bifi": "BIFI", "guarded_bifi": "guarded BIFI", "pass_at_1": "tests at 1", "pass_at_10": "at 10",
    "edit_precision": "edit precision", "collateral_1": "loses a name or literal", "false_alarm": "false alarms",
}  # fmt: skip
FIRST = ("exact_at_1", "same_tree", "bifi", "guarded_bifi", "edit_precision", "collateral_1", "false_alarm")
"""Of the frozen sets, where one answer is asked for."""
POINTS = {
    "model": "this model",
    "no_edit": "no edit",
    "deletion": "shortest deletion",
    "single_token": "single-token search",
    "inverse_mutation": "most frequent inverse mutation",
}
GREY = "published"
"""Mark of rows that were not run here."""
FROZEN = (
    "First answers of the model and of what works without one, on the same items. No edit leaves every text; deletion "
    "and single-token search take the first text that compiles near the parser's error; the inverse mutation makes the "
    "most frequent exchange of the training pairs that compiles, and so changes nearly all clean code (false alarms)."
)
REAL = (
    "Judged with all thresholds, as ctm-repair repairs, every dropped item counted. A column is - where nothing in the "
    "suite can have it. Published rows were not run here: their items and their counting differ."
)


def references_section(references: Mapping[str, Any]) -> Section:
    """Of each frozen set: a row for the model and each reference point."""
    blocks = []
    for name, points in references["suites"].items():
        head = ["", *(MEASURES[measure] for measure in FIRST), *(f"{c}, by kinds" for c in COLUMNS)]
        table = [
            (
                POINTS.get(point, point),
                *(percent(found["measures"][measure]) for measure in FIRST),
                *(percent(found["accuracy"].get(category)) for category in COLUMNS),
            )
            for point, found in points.items()
        ]
        n = references["items"][name]
        blocks.append(Block(f"{name}: {n:,} items", _exact_note(points), rows(head, table)))
    return Section("Reference points", blocks, FROZEN)


def _exact_note(points: Mapping[str, Any]) -> str:
    told = (
        f"{POINTS.get(point, point)} {percents(found['intervals']['exact_at_1'], ' %')}"
        for point, found in points.items()
    )
    return f"95 % intervals of exact at 1: {'; '.join(told)}."


def suites_section(suites: Mapping[str, Any]) -> Section:
    """Of each suite of real bugs: the table of points, the published rows, groups, and what was dropped."""
    blocks: list[Block] = []
    for name, suite in suites["suites"].items():
        blocks += [
            Block(f"{name}: {suite['asked']:,} items", _origin_note(suite), _points(suite)),
            *_more(name, suite),
        ]
    return Section("Real suites", blocks, REAL)


def _points(suite: Mapping[str, Any]) -> Table:
    columns = {"model": (suite["all"], suite["intervals"]["all"])}
    columns |= {
        point: (measures, suite["intervals"]["baselines"][point])
        for point, measures in suite.get("baselines", {}).items()
    }
    shown = [m for m in MEASURES if any(measures.get(m) is not None for measures, _ in columns.values())]
    table = rows(
        ["", "in scope", *(MEASURES[measure] for measure in shown), "parameters", "source"],
        [
            (
                POINTS.get(point, point),
                percent(measures["coverage"]) if point == "model" else "-",
                *(_with_ends(measures.get(m), ends.get(m)) for m in shown),
                "",
                "this run",
            )
            for point, (measures, ends) in columns.items()
        ],
    )
    for row in suite.get("published", []):
        told = f"{row['measure']}: {row['figure']}"
        texts = [
            f"{row['system']} (not run here)",
            "",
            told,
            *[""] * (len(shown) - 1),
            row["parameters"],
            row["source"],
        ]
        table.rows.append([Cell(text, mark=GREY) for text in texts])
    return table


def _with_ends(value: float | None, ends: Any) -> str:
    return percent(value) if ends is None else f"{percent(value)} ({percents(ends)})"


def _origin_note(suite: Mapping[str, Any]) -> str:
    """What an item is, its license, and what was left out."""
    lost = suite["unreachable"]
    parts = [
        f"An item is {suite['item']}. License: {suite['license']}. Source: {suite['citation']}.",
        f"{lost['out_of_scope'] + lost['fixed_does_not_compile']:,} cannot be solved (too large or out of reach).",
    ]
    if suite["dropped"]:
        parts.append(f"Dropped: {_counted(suite['dropped'])}.")
    if suite["notes"]:
        parts.append(f"Kept, but: {_counted(suite['notes'])}.")
    if why := suite["tests"]["why_not_run"]:
        parts.append(f"Tests were not run: {why}.")
    return " ".join(parts)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {reason}" for reason, n in counts.items())


def _more(name: str, suite: Mapping[str, Any]) -> list[Block]:
    blocks = []
    if security := suite.get("security"):
        note = "Parses, a rule that was broken is met at a place that is still there, none is newly broken. "
        note += (
            f"Bandit: {security['bandit_why']}."
            if security["bandit"] is None
            else "Bandit accepts deletions."
        )
        table = [
            (
                judge,
                found["seen"],
                found["mended"],
                percent(found["share"]),
                percents(found["interval"], " %"),
            )
            for judge, found in (("our rules", security["rule"]), ("Bandit", security["bandit"]))
            if found
        ]
        head = ["judged by", "weaknesses it sees", "mended", "share", "95 %"]
        blocks.append(Block(f"{name}: weaknesses mended", note, rows(head, table)))
    if erased := suite.get("erased"):
        table = [
            (
                edits,
                row["n"],
                *(_with_ends(row[at], row["intervals"][at]) for at in ("at_1", "at_5", "at_10")),
            )
            for edits, row in erased["by_edits"].items()
        ]
        note = f"Tidyparse's protocol, of {erased['items']:,} syntax errors. Left out: {_counted(erased['dropped'])}."
        head = ["edits", "items", "at 1", "at 5", "at 10"]
        blocks.append(Block(f"{name}: names and literals erased", note, rows(head, table)))
    for dimension, groups in (suite.get("by") or {}).items():
        if "projects" in groups:
            continue
        table = [
            (group, found["n"], *(percent(found[m]) for m in _GROUP), percents(found["interval"], " %"))
            for group, found in groups.items()
        ]
        head = [
            dimension.replace("_", " "),
            "items",
            *(MEASURES.get(m, "in scope") for m in _GROUP),
            "95 %, at 1",
        ]
        blocks.append(Block(f"{name}: by {dimension.replace('_', ' ')}", table=rows(head, table)))
    return blocks


_GROUP = (
    "coverage",
    "exact_at_1",
    "exact_at_5",
    "exact_at_10",
    "same_tree",
    "bifi",
    "pass_at_1",
    "pass_at_10",
)
