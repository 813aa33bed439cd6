"""The data card of a run: what the pairs are, as a page to read and as Croissant (JSON-LD that MLCommons defines).

Counts are taken column by column; of texts only the ten of each category that are shown are kept.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctm.files import write_text
from ctm.pairs.leaks import JACCARD, RUN, WAYS
from ctm.pairs.record import CATEGORIES, ROW_GROUP, read_pairs, read_rejects
from ctm.pipeline.audit import facts
from ctm.pipeline.croissant import croissant
from ctm.pipeline.diffs import diff_lines, link
from ctm.pipeline.tables import Block, Section, rows

TEMPLATE = Path(__file__).with_name("data_card.html.j2")
SHOWN = 10
LINES = ((1, 1), (2, 5), (6, 15), (16, 30), (31, 64))
"""Classes of size, lines of the buggy side."""
TITLES = {
    "source": "By source",
    "category": "By category",
    "kind": "By kind",
    "license": "By license",
    "project": "By project",
    "year": "By year of the fix",
    "lines": "By size, lines of the buggy side",
}

PLAIN = tuple(name for name in TITLES if name not in ("year", "lines"))
"""What is counted as it stands in its column."""


@dataclass
class Facts:
    """What is counted: each of TITLES by value and set, the pairs that are shown, and coverage by source."""

    counts: dict[str, Counter[tuple[str, str]]] = field(
        default_factory=lambda: {n: Counter() for n in TITLES}
    )
    shown: dict[str, list[str]] = field(default_factory=dict)
    encoded: Counter[str] = field(default_factory=Counter)
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(source, reason) of pairs that fit no grid or that the edit head cannot reach."""


def write_data_card(
    sets: Sequence[Path],
    counts: Path,
    clean: Path,
    sidecars: Sequence[Path],
    rejects: Sequence[Path],
    page: Path,
    json_ld: Path,
) -> None:
    """Write the page and the JSON-LD.

    sets: files of pairs, named after their set. counts, clean: of build_pairs and clean_snippets. sidecars, rejects:
    of encode_shard. Raises OSError, ValueError for files of another format.
    """
    from jinja2 import Environment

    found = count(sets, sidecars, rejects)
    template = Environment(autoescape=True).from_string(TEMPLATE.read_text())
    sections = [*_tables(found, [path.stem for path in sets]), *_cleaning(counts, clean)]
    name = page.absolute().parents[2].name
    write_text(page, template.render(title=name, sections=sections, examples=_examples(sets, found)))
    licenses = sorted({value for value, _ in found.counts["license"]})
    description = croissant(f"ctm-pairs-{name}", sets, licenses)
    write_text(json_ld, json.dumps(description, indent=1, ensure_ascii=False) + "\n")


def count(sets: Sequence[Path], sidecars: Sequence[Path], rejects: Sequence[Path]) -> Facts:
    """All counts."""
    found = Facts()
    lost = {item.item: item.reason for path in rejects for item in read_rejects(path)}
    places: dict[str, list[tuple[bytes, str]]] = {category: [] for category in CATEGORIES}
    columns = ["pair_id", "buggy", "date", *PLAIN]
    for path in sets:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(ROW_GROUP, columns=columns):
                for name in PLAIN:
                    _add(found.counts[name], batch.column(name), path.stem)
                years = pc.utf8_slice_codeunits(batch.column("date"), 0, 4)
                _add(found.counts["year"], years, path.stem)
                breaks = pc.count_substring(batch.column("buggy"), "\n").to_pylist()
                found.counts["lines"].update((_size(number + 1), path.stem) for number in breaks)
                names, sources = batch.column("pair_id").to_pylist(), batch.column("source").to_pylist()
                for pair, category, source in zip(
                    names, batch.column("category").to_pylist(), sources, strict=True
                ):
                    place = hashlib.blake2b(pair.encode(), digest_size=8, person=b"data card").digest()
                    places.setdefault(category, []).append((place, pair))
                    if pair in lost:
                        found.lost[source, lost[pair]] += 1
                for category, items in places.items():
                    places[category] = heapq.nsmallest(SHOWN, items)
    found.shown = {category: [pair for _, pair in items] for category, items in places.items() if items}
    for path in sidecars:
        _count_values(found.encoded, path)
    return found


def _add(counter: Counter[tuple[str, str]], column: Any, name: str) -> None:
    for item in pc.value_counts(column).to_pylist():
        counter[item["values"] or "not known", name] += item["counts"]


def _count_values(counter: Counter[str], path: Path) -> None:
    for item in pc.value_counts(pq.read_table(path, columns=["source"])["source"]).to_pylist():
        counter[item["values"]] += item["counts"]


def _size(lines: int) -> str:
    for least, most in LINES:
        if lines <= most:
            return str(least) if least == most else f"{least} to {most}"
    return f"over {LINES[-1][1]}"


def _tables(found: Facts, names: Sequence[str]) -> Iterator[Section]:
    blocks = []
    for key, title in TITLES.items():
        counter = found.counts[key]
        totals: Counter[str] = Counter()
        for (value, _), number in counter.items():
            totals[value] += number
        if key == "lines":
            order = [_size(most) for _, most in LINES] + [_size(LINES[-1][1] + 1)]
            values = [value for value in order if totals[value]]
        elif key == "year":
            values = sorted(totals)
        else:
            values = sorted(totals, key=lambda value: (-totals[value], value))
        items = [(v, totals[v], *(counter[v, name] for name in names)) for v in values]
        blocks.append(Block(title, table=rows([key, "pairs", *names], items)))
    note = (
        "The year of the commit or the answer; a mutant has none, and a wheel does not say when it was made."
    )
    yield Section("Pairs", blocks, note)
    sources = sorted({*found.encoded, *(source for source, _ in found.lost)})
    reasons = sorted({reason for _, reason in found.lost})
    items = []
    for source in sources:
        lost = [found.lost[source, reason] for reason in reasons]
        n = found.encoded[source] + sum(lost)
        items.append((source, n, f"{found.encoded[source] / n:.2%}", *lost))
    table = rows(["source", "pairs", "covered", *reasons], items)
    note = "Shares of the encoded sets (train and validation) that fit the grid and that the edit head can reach."
    yield Section("Coverage", [Block(table=table)], note)


def _cleaning(counts: Path, clean: Path) -> Iterator[Section]:
    made, snippets = json.loads(counts.read_text()), json.loads(clean.read_text())
    masked = [("snippets", sort, n) for sort, n in sorted(snippets.get("masked", {}).items())]
    masked += [(item["source"], item["sort"], item["n"]) for item in made.get("masked", [])]
    dropped = [("snippets", reason, n) for reason, n in sorted(snippets["rejects"].items())]
    dropped += [(item["source"], item["reason"], item["n"]) for item in made["rejects"]]
    blocks = [
        Block("Dropped", table=rows(["source", "reason", "items"], dropped)),
        Block("Masked", table=rows(["source", "sort", "values"], masked)),
    ]
    if snippets.get("joined"):
        blocks.append(
            Block("Projects joined", table=rows(["project", "group"], sorted(snippets["joined"].items())))
        )
    yield Section("Cleaning", blocks, "What was taken out between the raw dumps and these sets.")
    if leaks := made.get("leaks"):
        yield _leaks(leaks)


def _leaks(leaks: Mapping[str, Any]) -> Section:
    """What is left of texts in other splits and in suites."""
    compared = [(split, n, leaks["compared"].get(split, 0)) for split, n in leaks["texts"].items()]
    head = ["split", "copies in", *WAYS]
    return Section(
        "Leaks",
        [
            Block(table=rows(head, [[item[name] for name in head] for item in leaks["table"]])),
            Block("Texts", table=rows(["split", "texts", "compared token by token"], compared)),
        ],
        "Texts that stand in another split or in a suite, counted anew over the written sets: equal ones of all texts; "
        f"equal but for names, or with a Jaccard similarity of {JACCARD} over runs of {RUN} tokens, of those that were "
        "compared.",
    )


def _examples(sets: Sequence[Path], found: Facts) -> list[tuple[str, list[Mapping[str, Any]]]]:
    wanted = {name for names in found.shown.values() for name in names}
    cards: dict[str, Mapping[str, Any]] = {}
    for path in sets:
        here = [name for name in (pair.pair_id for pair in read_pairs(path, ["pair_id"])) if name in wanted]
        if here:
            for pair in (pair for pair in read_pairs(path) if pair.pair_id in wanted):
                cards[pair.pair_id] = {
                    "id": pair.pair_id,
                    "lines": diff_lines(pair.buggy, pair.fixed),
                    "facts": facts(pair),
                    "link": link(pair),
                }
    return [(category, [cards[name] for name in names]) for category, names in found.shown.items()]
