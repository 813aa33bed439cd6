"""The report's sections on the frozen test sets: accuracy, suites beside deletion, kinds, false alarms, thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctm.pairs.overall import FEWEST
from ctm.pipeline.summary import accuracies
from ctm.pipeline.tables import Block, Cell, Section, cell, rows
from ctm.pipeline.words import is_share, plain
from ctm.shares import COLUMNS, percent, percents

ABOUT = {"test": "made bugs", "real": "real fixes"}
"""What the suites of the benchmark are of."""


def accuracy_section(metrics: Mapping[str, Any]) -> Section:
    """What is right after all passes. metrics: final_metrics.json, of an old run too."""
    n = metrics.get("n", {})
    used = metrics.get("in_use", {}).get("accuracy", {})
    head = [
        "category",
        "by kinds",
        "95 %",
        "by items",
        "95 %",
        "by kinds, thresholds of use",
        "in reach",
        "items",
        "projects",
    ]
    items = [
        (
            c,
            *accuracies(metrics, c),
            percent(used.get(c)),
            percent(metrics.get("coverage", {}).get(c)),
            n.get(c),
            metrics.get("intervals", {}).get("units", {}).get(c),
        )
        for c in COLUMNS
        if n.get(c)
    ]
    blocks = [
        Block(
            "Exactly right after all passes",
            "The lexical tokens of the fixed text, on projects that never trained. By kinds: each kind of bug weighs "
            f"alike (one of fewer than {FEWEST} items 1/{FEWEST} for each), overall is the mean of the categories but "
            "clean. By items: every item weighs alike, so frequent kinds count more. Thresholds of use: code that "
            "compiles is changed only by sure edits, as fix --suggest does; syntax errors know no such threshold. In "
            "reach: items that fit the model; the others count as failures.",
            rows(head, items),
        )
    ]
    if ranked := metrics.get("ranked"):
        blocks.append(
            Block(
                "Among several answers",
                "How often one of the best 1, 5 and 10 answers is right, on a sample of items with a bug, all alike.",
                rows(list(ranked), [list(ranked.values())]),
            )
        )
    if kinds := metrics.get("by_kind"):
        columns = list(dict.fromkeys(key for row in kinds.values() for key in row))
        table = [(name, *(row.get(c) for c in columns)) for name, row in kinds.items()]
        worst = sum(1 for row in kinds.values() if row.get("n", 0) < FEWEST)
        blocks.append(
            Block(
                "By kind of bug",
                f"Each kind by itself; {worst} of {len(kinds)} have fewer than {FEWEST} items, too few to say much.",
                rows(["kind", *columns], table),
                fold=True,
            )
        )
    if unreachable := metrics.get("unreachable"):
        share = unreachable.get("share")
        table = [(plain(key), n) for key, n in unreachable.items() if key != "share"]
        note = (
            f"{percent(share)} of all items cannot be solved: no accuracy can be higher than what they leave."
        )
        blocks.append(Block("Items without a right answer", note, rows(["why", "items"], table), fold=True))
    note = (
        "Other figures of accuracy on this page are of other things and lie elsewhere: by tick and beside the TRM it "
        "is the first edit alone, with no search, no compiler and no further pass; curves of training are of the "
        "validation projects. The intervals are a bootstrap's over projects, or over items where that is wider; few "
        "projects make them too narrow."
    )
    return Section("Accuracy", blocks, note)


def suites_section(metrics: Mapping[str, Any]) -> Section:
    """All measures of the suites, with intervals, the model beside deletion."""
    suites = metrics.get("suites", {})
    blocks = []
    for name, measures in suites.items():
        sure = metrics.get("suite_intervals", {}).get(name, {})
        deletion = metrics.get("deletion", {}).get(name, {})
        keys = [key for key in measures if key != "n"]
        table = [
            [
                Cell(plain(key)),
                cell(measures[key], is_share(key)),
                Cell(percents(sure.get(key)), number=True),
                cell(deletion.get(key), is_share(key)),
            ]
            for key in keys
        ]
        about = ABOUT.get(name, name)
        note = (
            f"{measures.get('n', 0):,} items. Beside the model what needs none: deleting the shortest run of tokens "
            "until the code compiles. “-” is what the suite cannot say."
        )
        rows_ = rows(["measure", "model", "95 %", "by deletion"], table)
        blocks.append(Block(f"{about[0].upper()}{about[1:]} (suite {name})", note, rows_, fold=True))
    return Section(
        "Suites and what repairs keep",
        blocks,
        "All items of a suite alike. An answer that throws code away compiles too, so what it keeps of the author's is "
        "measured beside it: token edits, names and literals, statements.",
    )


def alarms_section(metrics: Mapping[str, Any]) -> Section:
    """What is done to code without a bug, by the model's own decision and with the thresholds of use."""
    items: list[tuple[Any, ...]] = []
    own, used = metrics.get("false_alarm"), metrics.get("in_use", {}).get("false_alarm")
    for label, value in (("own decision", own), ("thresholds of use", used)):
        if value is not None:
            items.append(
                (f"clean snippets changed, {label}", percent(value), "", metrics.get("n", {}).get("clean"))
            )
    suggestions = metrics.get("suggestions", {})
    for split in ("validation", "test"):
        rate = suggestions.get(split, {})
        if rate.get("windows"):
            interval = f"{rate['low']:.1f} to {rate['high']:.1f}"
            what = f"proposals per 1,000 functions of {split} projects"
            items.append((what, f"{rate['per_1000']:.1f}", interval, rate["windows"]))
    blocks = []
    if items:
        asked = suggestions.get("asked")
        note = "What the model does to code that has no bug: the lower the better. "
        if asked is not None:
            note += (
                f"The threshold of fix --suggest was chosen so that the upper end of the interval is below {asked:g} "
                "proposals per 1,000 functions of the validation projects: only that of the test projects is a test. "
            )
        note += "The model's own decision is never used on code that compiles; it shows why thresholds are needed."
        table = rows(["what", "reached", "90 %", "of"], items)
        blocks.append(Block("Code without a bug", note, table))
    if found := suggestions.get("found"):
        blocks.append(
            Block(
                "What the same threshold finds",
                "Made bugs of the validation projects for which the right edit is proposed. Real bugs are harder.",
                rows(["category", "made bugs found"], [(k, percent(v)) for k, v in found.items()]),
            )
        )
    return Section("False alarms", blocks)


def thresholds_section(metrics: Mapping[str, Any]) -> Section:
    """The thresholds that were chosen."""
    blocks = []
    if thresholds := metrics.get("thresholds"):
        names = {
            "tick": "a thought ends at a certainty of (over 100 %: never)",
            "edit": "working code is edited from a probability of",
            "further": "what was repaired is edited again from",
        }
        table = [(names.get(key, plain(key)), percent(value)) for key, value in thresholds.items()]
        note = "Chosen on the validation projects; the bundle brings them."
        blocks.append(Block("Thresholds of use", note, rows(["threshold", "value"], table)))
    return Section("Thresholds", blocks)
