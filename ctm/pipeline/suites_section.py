"""The report's section on reference points and on suites of real bugs, with what others publish beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ctm.pipeline.tables import Block, Cell, Section, Table, rows
from ctm.shares import COLUMNS, percent, percents

MEASURES = {
    "exact_at_1": "exact at 1", "exact_at_5": "exact at 5", "exact_at_10": "exact at 10", "same_tree": "same tree",
    "bifi": "BIFI", "guarded_bifi": "guarded BIFI",
    "pass_at_1": "tests passed at 1", "pass_at_10": "tests passed at 10",
    "edit_precision": "edit precision", "collateral_1": "edits that lose a name or literal",
    "false_alarm": "false alarms on clean items",
}  # fmt: skip
FIRST = ("exact_at_1", "same_tree", "bifi", "guarded_bifi", "edit_precision", "collateral_1", "false_alarm")
"""Of the frozen sets, where one answer is asked for."""
POINTS = {
    "model": "this model",
    "no_edit": "no edit",
    "deletion": "shortest deletion",
    "single_token": "single-token search",
    "inverse_mutation": "most frequent inverse mutation",
    "first_edit": "this model's first edit",
    "first_tick": "the same, read at its first tick",
    "trm": "the TRM's first edit",
}
GREY = "muted"
"""Mark of rows that were not run here."""
FROZEN = (
    "First answers of the model (its own decision, no threshold) and of what works without one, on the same items. No "
    "edit leaves every text. Deletion and single-token search take the first text that compiles near the parser's "
    "error. The inverse mutation makes the most frequent exchange of the training pairs that compiles, whether or not "
    "anything is wrong."
)
REAL = (
    "Judged with all thresholds, as ctm-repair repairs, every dropped item counted. A figure is - where nothing in the "
    "suite can have it. Published figures were not run here: their items and their counting differ."
)


ONE_EDIT = (
    "Items that one edit repairs, and clean ones: of these a model's first edit, which no search or compiler helped, "
    "can stand beside the repairs of the others, which have the compiler. The first tick is this model's own, that was "
    "trained to think on; a model trained with one tick is measured by make compare. On which terms CTM and TRM were "
    "trained, their comparison says."
)


def references_section(references: Mapping[str, Any]) -> Section:
    """Of each frozen set: a column for the model and each reference point."""
    blocks = []
    for name, points in references["suites"].items():
        columns = {point: (found["measures"], found["measure_intervals"]) for point, found in points.items()}
        table = _table(columns, FIRST)
        for category in COLUMNS:
            shares = [found["accuracy"].get(category) for found in points.values()]
            if any(share is not None for share in shares):
                told = [f"exact at 1, {category}, by kinds", *map(percent, shares)]
                table.rows.append([Cell(text) for text in told])
        blocks.append(Block(f"{name}: {references['items'][name]:,} items", table=table, fold=False))
    if (beside := references.get("one_edit")) and beside["items"]:
        blocks.append(_one_edit(beside))
    return Section("Reference points", blocks, FROZEN)


def _one_edit(beside: Mapping[str, Any]) -> Block:
    """Models and reference points in one measure; a row each."""
    points = beside["points"]
    first = next(iter(points.values()))
    categories = [name for name in COLUMNS if first["accuracy"].get(name) is not None]
    table = [
        (
            POINTS.get(point, point),
            *(_with_ends(found["accuracy"][c], found["intervals"]["accuracy"][c]) for c in categories),
        )
        for point, found in points.items()
    ]
    left_out = {reason: n for reason, n in beside["left_out"].items() if n}
    note = f"{ONE_EDIT} Left out: {_counted(left_out)}." if left_out else ONE_EDIT
    head = ["right, by kinds (95 %)", *categories]
    return Block(f"test: {beside['items']:,} items of one edit or none", note, rows(head, table), fold=False)


def _table(
    columns: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]], measures: Iterable[str]
) -> Table:
    """A row for each measure that anybody has, a column for each point's (measures, intervals)."""
    return rows(
        ["95 % intervals in brackets", *(POINTS.get(point, point) for point in columns)],
        [
            (MEASURES[m], *(_with_ends(values.get(m), ends.get(m)) for values, ends in columns.values()))
            for m in measures
            if any(values.get(m) is not None for values, _ in columns.values())
        ],
    )


def real_suites_section(suites: Mapping[str, Any]) -> Section:
    """Of each suite of real bugs: the table of points, the published rows, groups, and what was dropped."""
    blocks: list[Block] = []
    for name, suite in suites["suites"].items():
        blocks += [
            Block(f"{name}: {suite['asked']:,} items", _origin_note(suite), _points(suite)),
            *_more(name, suite),
        ]
    return Section("Real suites", blocks, REAL)


def _points(suite: Mapping[str, Any]) -> Table:
    """The model, the reference points, and a grey row for each figure of others."""
    columns = {"model": (suite["all"], suite["intervals"]["all"])}
    columns |= {
        point: (measures, suite["intervals"]["baselines"][point])
        for point, measures in suite.get("baselines", {}).items()
    }
    table = _table(columns, MEASURES)
    if published := suite.get("published"):
        table.head.append("published, not run here")
        for row in table.rows:
            row.append(Cell(""))
        for other in published:
            system = ", ".join(part for part in (other["system"], other["parameters"]) if part)
            texts = [
                f"{system}: {other['measure']}",
                *[""] * len(columns),
                f"{other['figure']} ({other['source']})",
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
        f"{percent(suite['all']['coverage'])} are in the model's scope; "
        f"{lost['out_of_scope'] + lost['fixed_does_not_compile']:,} cannot be solved.",
    ]
    if suite["dropped"]:
        parts.append(f"Dropped: {_counted(suite['dropped'])}.")
    if suite["notes"]:
        parts.append(f"Kept, but: {_counted(suite['notes'])}.")
    if why := suite["tests"]["why_not_run"]:
        parts.append(f"Tests were not run: {why}.")
    if left_out := suite["tests"].get("left_out"):
        parts.append(f"Tests that count for nobody: {_counted(left_out)}.")
    return " ".join(parts)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {reason}" for reason, n in counts.items())


def _working(name: str, working: Mapping[str, Any]) -> Block:
    """What is proposed where nothing is known to be wrong."""
    note = (
        "What --suggest proposes for the authors' working code, at the bundle's threshold: taken for false alarms, "
        "though one may mend what its author missed."
    )
    for said, counts in (
        ("Texts left out", working["left_out"]),
        ("Functions not asked about", working["not_asked"]),
        ("Edits passed over", working["passed_over"]),
    ):
        if counts:
            note += f" {said}: {_counted(counts)}."
    ends = working["interval"]
    cells = (
        f"{working['functions']:,}",
        working["proposals"],
        "-" if working["per_1000"] is None else f"{working['per_1000']:.1f}",
        "-" if ends is None else f"{ends[0]:.1f} to {ends[1]:.1f}",
    )
    head = ["functions", "proposals", "per 1,000 functions", f"{percent(working['level'])} interval"]
    return Block(f"{name}: false alarms on working code", note, rows(head, [cells]))


def _more(name: str, suite: Mapping[str, Any]) -> list[Block]:
    blocks = []
    if (working := suite.get("working")) and working["texts"]:
        blocks.append(_working(name, working))
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
            (Cell(group), found["n"], *(percent(found[m]) for m in _GROUP), percents(found["interval"], "%"))
            for group, found in groups.items()
        ]
        head = [
            dimension.replace("_", " "),
            "items",
            *(MEASURES.get(m, "in scope") for m in _GROUP),
            "95 %, at 1",
        ]
        title = f"{name}: by {dimension.replace('_', ' ')}"
        blocks.append(Block(title, _GROUP_NOTES[dimension], rows(head, table), fold=True))
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
_GROUP_NOTES = {
    "kind": "Which bugs are mended, as the suite names them. Few items make wide intervals.",
    "edit_length": "Lexical tokens that the author inserted, deleted or replaced: the longer, the harder.",
    "edits": "Separate changes of the author's: several have to be found one after the other.",
    "source": "By the project that items were taken from.",
    "lines": "Lines of the buggy text.",
}
"""Captions of the tables of groups."""
