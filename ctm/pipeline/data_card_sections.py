"""The sections of the data card: what it says in short, pairs, coverage, cleaning, leaks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ctm.pairs.leaks import JACCARD, RUN, WAYS
from ctm.pipeline.data_counts import LINES, TITLES, Facts, size_class
from ctm.pipeline.tables import Block, Cell, Section, rows
from ctm.pipeline.words import plain
from ctm.shares import percent

NOTES = {
    "source": "A mutation is a bug that a program made in clean code; all other sources are fixes by people.",
    "category": "What the buggy side breaks; a clean pair has both sides equal, to learn when not to edit.",
    "kind": "The kind of bug, the most frequent first.",
    "license": "Of the file or project that the text is from.",
    "project": "A project is in one split only, with all that shares code with it.",
    "year": "Of the commit or the answer; a mutant has none, and a wheel does not say when it was made.",
    "lines": "The model takes 64 lines at most.",
}
"""Captions of the tables."""


def short_facts(found: Facts, names: Sequence[str]) -> list[tuple[str, str]]:
    """What the card says first."""
    by_set = Counter[str]()
    for (_, name), n in found.counts["source"].items():
        by_set[name] += n
    sources, licenses, projects = (
        Counter({value: 0 for value, _ in found.counts[key]}) for key in ("source", "license", "project")
    )
    for key, totals in (("source", sources), ("license", licenses)):
        for (value, _), n in found.counts[key].items():
            totals[value] += n
    all_pairs = sum(by_set.values())
    facts = [
        ("Pairs", f"{all_pairs:,}: " + ", ".join(f"{by_set[name]:,} {name}" for name in names)),
        ("Sources", ", ".join(f"{plain(value)} {n:,}" for value, n in sources.most_common())),
        ("Projects", f"{len(projects):,}; no project is in two of the sets train, validation and test"),
    ]
    if all_pairs:
        most = ", ".join(f"{value} {percent(n / all_pairs)}" for value, n in licenses.most_common(3))
        facts.append(("Licenses", f"{len(licenses):,}, most of them {most}"))
    return facts


def pairs_section(found: Facts, names: Sequence[str]) -> Section:
    """Pairs by all of TITLES, in all and in each set of `names`."""
    blocks = []
    for key, title in TITLES.items():
        counter = found.counts[key]
        totals: Counter[str] = Counter()
        for (value, _), number in counter.items():
            totals[value] += number
        if key == "lines":
            order = [size_class(most) for _, most in LINES] + [size_class(LINES[-1][1] + 1)]
            values = [value for value in order if totals[value]]
        elif key == "year":
            values = sorted(totals)
        else:
            values = sorted(totals, key=lambda value: (-totals[value], value))
        shown = [Cell(v) if key in ("project", "license") else v for v in values]
        items = [
            (cell, totals[v], *(counter[v, name] for name in names))
            for cell, v in zip(shown, values, strict=True)
        ]
        blocks.append(Block(title, NOTES[key], rows([key, "pairs", *names], items)))
    note = "Counts of each file of pairs. The set real has the fixes that people made, of projects that never train."
    return Section("Pairs", blocks, note)


def coverage_section(found: Facts) -> Section:
    """What of each source the model can take. No block where nothing was encoded."""
    sources = sorted({*found.encoded, *(source for source, _ in found.lost)})
    reasons = sorted({reason for _, reason in found.lost})
    items = []
    for source in sources:
        lost = [found.lost[source, reason] for reason in reasons]
        n = found.encoded[source] + sum(lost)
        items.append((source, n, percent(found.encoded[source] / n), *lost))
    note = (
        "Shares of the encoded sets (train and validation) that fit the grid and that the edit head can reach; behind "
        "them why the others do not."
    )
    table = rows(["source", "pairs", "covered", *reasons], items)
    return Section("Coverage", [Block("Pairs that the model can take", note, table)] if items else [])


def cleaning_section(counts: Path, clean: Path) -> Section:
    """What was dropped, masked and joined. counts, clean: of build_pairs and clean_snippets."""
    made, snippets = (
        json.loads(counts.read_text(encoding="utf-8")),
        json.loads(clean.read_text(encoding="utf-8")),
    )
    masked = [("snippets", sort, n) for sort, n in sorted(snippets.get("masked", {}).items())]
    masked += [(item["source"], item["sort"], item["n"]) for item in made.get("masked", [])]
    dropped = [("snippets", reason, n) for reason, n in sorted(snippets["rejects"].items())]
    dropped += [(item["source"], item["reason"], item["n"]) for item in made["rejects"]]
    blocks = [
        Block(
            "Dropped", "Items that are in no set, by reason.", rows(["source", "reason", "items"], dropped)
        ),
        Block(
            "Masked",
            "Addresses and secrets that were replaced by the same text everywhere.",
            rows(["source", "sort", "values"], masked),
        ),
    ]
    if snippets.get("joined"):
        joined = [(Cell(project), Cell(group)) for project, group in sorted(snippets["joined"].items())]
        note = "Projects that share code, and so a split."
        blocks.append(Block("Projects joined", note, rows(["project", "group"], joined)))
    return Section("Cleaning", blocks, "What was taken out between the raw dumps and these sets.")


def leaks_section(counts: Path) -> Section:
    """What is left of texts in other splits and in suites."""
    leaks: Mapping[str, Any] = json.loads(counts.read_text(encoding="utf-8")).get("leaks") or {}
    if not leaks:
        return Section("Leaks")
    compared = [(split, n, leaks["compared"].get(split, 0)) for split, n in leaks["texts"].items()]
    names = ["split", "copies in", *WAYS]
    head = ["equal" if name == "exact" else name for name in names]
    note = (
        f"Equal texts of all; equal but for names, or with a Jaccard similarity of {JACCARD} over runs of {RUN} "
        "tokens, of those that were compared. All should be 0."
    )
    return Section(
        "Leaks",
        [
            Block("Copies", note, rows(head, [[item[name] for name in names] for item in leaks["table"]])),
            Block(
                "Texts",
                "How many texts each split has, and how many were compared token by token.",
                rows(["split", "texts", "compared token by token"], compared),
            ),
        ],
        "Texts that stand in another split or in a suite, counted anew over the written sets.",
    )
