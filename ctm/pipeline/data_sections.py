"""The report's sections on data: what was read from where, the pairs, and what was dropped and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ctm.bugs.generation.quotas import shard_quotas
from ctm.bugs.generation.rates import read_rates
from ctm.pairs.milestones import QUARTERS
from ctm.pairs.record import CATEGORIES, SPLITS, read_rejects
from ctm.pipeline.artifacts import SOURCE_COUNTS, RunArtifacts
from ctm.pipeline.kinds import kinds_section
from ctm.pipeline.tables import Block, Cell, Section, blocks_of, rows

SOURCE_FAILED = "source failed"
DATA_CARD = "reports/data_card.html"
_COLLECTED = ("asked", "listed", "repositories", "failed", "opted out", "commits", "pairs", "rejects")
"""Counts of rule collect_commits; `asked` pairs (0: as many as there are), of so many `listed` repositories."""


def collected_section(run: RunArtifacts) -> Section:
    """What was read of each source and how fast, and what was asked of git histories."""
    blocks = _sources(run) if run.sources else []
    if "repositories/counts" in run:
        found = blocks_of("Repositories found", run.read("repositories/counts"))
        file = run.address(run.path("repositories/counts"))
        blocks += [_with(block, "What was looked for on GitHub, and what was kept.", file) for block in found]
    paths = [path for path in run.sources if path.parent.name == "commits"]
    if shards := [json.loads(path.read_text(encoding="utf-8")) for path in paths]:
        table = [(name, sum(shard[name] for shard in shards)) for name in _COLLECTED]
        ends = Counter(shard["ended"] for shard in shards)
        table += [(f"shards where {ended}", n) for ended, n in ends.items()]
        blocks.append(
            Block(
                "Bug fixes in git histories",
                "From what was asked (0: as many as there are) to the pairs that were kept, all shards together.",
                rows([], table),
                file=run.address(paths[0].parent),
            )
        )
    return Section("Sources", blocks, "Where code and fixes are from, and how fast each source was read.")


def _sources(run: RunArtifacts) -> list[Block]:
    """Of each source its items and time; and of each of its jobs the speed as it went on."""
    sums: dict[tuple[str, str], list[float]] = {}
    jobs = []
    for path in sorted(run.sources):
        found = json.loads(path.read_text(encoding="utf-8"))
        passed = {m["milestone"]: m["items_per_hour"] for m in found["milestones"]}
        speeds = [passed.get(f"{quarter:.0%}") for quarter in QUARTERS]
        shard = path.name.removesuffix(SOURCE_COUNTS)
        jobs.append((path.parent.name, shard, found["unit"], found["items"], found["hours"], *speeds))
        together = sums.setdefault((path.parent.name, found["unit"]), [0, 0, 0])
        for place, value in enumerate((1, found["items"], found["hours"])):
            together[place] += value
    overall = [
        (source, unit, n, items, f"{60 * hours:.1f}") for (source, unit), (n, items, hours) in sums.items()
    ]
    head = ["source", "shard", "unit", "items", "hours", *(f"an hour at {q:.0%}" for q in QUARTERS)]
    folder = run.address(run.sources[0].parent.parent)
    return [
        Block(
            "By source",
            "Items that each source gave, all of its jobs together, and the minutes that its jobs took one by one.",
            rows(["source", "unit", "jobs", "items", "minutes"], overall),
            file=folder,
        ),
        Block(
            "Speed of each job",
            "Items an hour when a job had passed each quarter of its work: one that slows down lacks something.",
            rows(head, jobs),
            file=folder,
            fold=True,
        ),
    ]


def pairs_section(counts: Mapping[str, Any], clean: Mapping[str, Any] | None = None) -> Section:
    """Pairs by category and split, and by source; snippets of clean code.

    counts, clean: what rules build_pairs and clean_snippets wrote.
    """
    blocks = []
    if table := counts.get("table"):
        sums: Counter[tuple[str, str]] = Counter()
        for entry in table:
            sums[entry["category"], entry["split"]] += entry["n"]
        items = [
            (category, *(sums[category, split] for split in SPLITS), sum(sums[category, s] for s in SPLITS))
            for category in CATEGORIES
        ]
        blocks.append(
            Block(
                "By category",
                "Pairs of each category in each split. Validation and test are frozen: they hold as many of each kind "
                "as asked, so that their shares are not those of training.",
                rows(["category", *SPLITS, "all"], items),
            )
        )
    if sources := counts.get("by_source"):
        note = (
            "A mutation is a bug that a program made in clean code; every other source has fixes by people."
        )
        blocks.append(Block("By source", note, rows(["source", "pairs"], list(sources.items()))))
    if clean and "snippets" in clean:
        projects = clean.get("projects", {})
        items = [(s, clean["snippets"][s], projects.get(s)) for s in SPLITS if s in clean["snippets"]]
        blocks.append(
            Block(
                "Clean code",
                "Snippets that bugs are made in. Splits are by project: none has code in two of them.",
                rows(["split", "snippets", "projects"], items),
                file="clean/counts.json",
            )
        )
    note = "The data card has them by license, project, year and size, what was masked, leaks, and examples as diffs."
    return Section("Pairs", blocks, note)


def mutants_section(run: RunArtifacts) -> Section:
    """What making bugs gave; no block where none were made."""
    mutants = [path for path in run.sources if path.parent.name == "mutants"]
    if not mutants:
        return Section("Synthetic bugs")
    found = kinds_section(read_rates(mutants), shard_quotas(mutants[0]))
    folder = run.address(mutants[0].parent)
    return Section(found.title, [_with(block, "", folder) for block in found.blocks], found.note)


def rejected_section(run: RunArtifacts) -> Section:
    """What was dropped, by step and reason; sources that failed come first."""
    reasons: Counter[tuple[str, str]] = Counter()
    failed = []
    for path in run.rejects:
        for reject in read_rejects(path):
            reasons[reject.step, reject.reason] += 1
            if reject.reason == SOURCE_FAILED:
                failed.append((reject.step, Cell(reject.item, mark="code"), Cell(reject.detail)))
    table = rows(["step", "reason", "items"], [(s, r, n) for (s, r), n in sorted(reasons.items())])
    file = run.address(run.rejects[0].parent.parent) if run.rejects else ""
    blocks = []
    if failed:
        blocks.append(
            Block(
                "Sources that failed",
                "They ended no job; what they would have given is missing above.",
                rows(["step", "source", "why"], failed),
                file=file,
            )
        )
    if reasons:
        steps: Counter[str] = Counter()
        for (step, _), n in reasons.items():
            steps[step] += n
        most = ", ".join(f"{rows([], [[step]]).rows[0][0].text} {n:,}" for step, n in steps.most_common(3))
        blocks.append(
            Block(
                "What was dropped, and why",
                f"Every item that a step left out, by its reason. The most: {most}.",
                table,
                file=file,
                fold=True,
            )
        )
    return Section(
        "Dropped", blocks, "Nothing is dropped uncounted: each file rejects.parquet has a row for every item."
    )


def _with(block: Block, note: str, file: str) -> Block:
    return replace(block, note=block.note or note, file=block.file or file)
