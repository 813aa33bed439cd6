"""One repair of the run to look at, and one that went wrong: drawn by hash, so that nobody has picked them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctm.evaluation.items import read_items
from ctm.pairs.overall import CLEAN
from ctm.pairs.record import Pair, read_pairs
from ctm.pipeline.diffs import DiffLine, diff_lines, link, visible
from ctm.pipeline.words import plain

MIN_LINES, MAX_LINES, MAX_WIDTH = 5, 12, 76
"""Lines of an answer and characters of its longest one that can be read at a glance."""
REAL = "real"


@dataclass(frozen=True)
class Example:
    """An item of the benchmark and its answer."""

    lines: list[DiffLine]
    """What it was asked, and what it answered."""
    what: str
    """Kind of bug and where the code is from."""
    address: str
    """Page of the web that the code is from; "" where there is none."""
    chosen: str
    """How it was chosen among how many."""
    author: list[DiffLine]
    """The same with the fixed text in place of the answer; empty where they are equal."""


def examples(items: Path, suites: Mapping[str, Path]) -> tuple[Example | None, Example | None]:
    """A right answer and a wrong one, each None where no item is short enough.

    A right one of a real fix comes before those of made bugs. items: what rule benchmark answered. suites: files of
    the pairs that it was asked about, by suite. Raises ValueError for files of another format.
    """
    columns = ["suite", "id", "category", "exact", "changed", "in_scope", "answer"]
    asked = [item for item in read_items(items).select(columns).to_pylist() if item["category"] != CLEAN]
    right = [item for item in asked if item["exact"]]
    wrong = [item for item in asked if item["changed"] and not item["exact"]]
    return (
        _drawn(right, suites, f"{len(right):,} right answers", len(asked)),
        _drawn(
            wrong,
            suites,
            f"{len(wrong):,} answers that changed the code and are not its fixed text",
            len(asked),
        ),
    )


def _drawn(
    items: Sequence[Mapping[str, Any]], suites: Mapping[str, Path], of: str, asked: int
) -> Example | None:
    short = [item for item in items if item["suite"] in suites and _is_short(item["answer"])]
    for item in sorted(short, key=lambda item: (item["suite"] != REAL, _place(item["id"]))):
        pair = next(read_pairs(suites[item["suite"]], where=("pair_id", item["id"].__eq__)), None)
        if pair is not None and _is_short(pair.buggy):
            chosen = (
                f"The first, in the order of their hashes, of {len(short):,} that are short enough to show. There are "
                f"{of} to {asked:,} items with a bug."
            )
            wanted = [] if item["exact"] else diff_lines(pair.buggy.rstrip("\n"), pair.fixed.rstrip("\n"))
            lines = diff_lines(pair.buggy.rstrip("\n"), item["answer"].rstrip("\n"))
            return Example(lines, _origin(pair), link(pair), chosen, wanted)
    return None


def _is_short(text: str) -> bool:
    lines = text.rstrip("\n").split("\n")
    return MIN_LINES <= len(lines) <= MAX_LINES and max(map(len, lines)) <= MAX_WIDTH


def _place(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=8, person=b"example").digest()


def _origin(pair: Pair) -> str:
    origin = pair.origin
    made = "a real fix" if pair.source != "mutation" else f"a bug made by a program ({plain(pair.kind)})"
    place = f"{origin.path}, line {origin.line}" if origin.line else origin.path
    version = " to ".join(filter(None, (origin.version_from, origin.version_to)))
    where = ", ".join(filter(None, (f"{origin.project or pair.group} {version}".strip(), place)))
    license_ = f"; license {origin.license}" if origin.license else ""
    return visible(f"{pair.category}, {made}, in code of {where}{license_}")
