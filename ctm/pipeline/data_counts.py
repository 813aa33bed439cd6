"""What the data card counts, column by column: of texts only the identities of those that are shown are kept."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from ctm.pairs.record import CATEGORIES, ROW_GROUP, read_rejects
from ctm.parquet import parquet_file, read_parquet

SHOWN = 10
"""Examples of each category."""
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


def count(sets: Sequence[Path], sidecars: Sequence[Path], rejects: Sequence[Path]) -> Facts:
    """All counts."""
    found = Facts()
    lost = {item.item: item.reason for path in rejects for item in read_rejects(path)}
    places: dict[str, list[tuple[bytes, str]]] = {category: [] for category in CATEGORIES}
    columns = ["pair_id", "buggy", "date", *PLAIN]
    for path in sets:
        with parquet_file(path) as file:
            for batch in file.iter_batches(ROW_GROUP, columns=columns):
                for name in PLAIN:
                    _add(found.counts[name], batch.column(name), path.stem)
                years = pc.utf8_slice_codeunits(batch.column("date"), 0, 4)
                _add(found.counts["year"], years, path.stem)
                breaks = pc.count_substring(batch.column("buggy"), "\n").to_pylist()
                found.counts["lines"].update((size_class(number + 1), path.stem) for number in breaks)
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
    for item in pc.value_counts(read_parquet(path, ["source"])["source"]).to_pylist():
        counter[item["values"]] += item["counts"]


def size_class(lines: int) -> str:
    """Class of a text of so many lines, as the card names it."""
    for least, most in LINES:
        if lines <= most:
            return str(least) if least == most else f"{least} to {most}"
    return f"over {LINES[-1][1]}"
