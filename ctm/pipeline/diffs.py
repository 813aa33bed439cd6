"""A pair as a diff that is safe to look at: what a terminal or a browser would act on is written out."""

from __future__ import annotations

import difflib
import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from ctm.pairs.record import SPLITS, Pair, read_pairs

SETS = (*SPLITS, "real")
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


class DiffLine(NamedTuple):
    """A line of a diff: mark is "-" (buggy), "+" (fixed) or " " (both)."""

    mark: str
    text: str


def visible(text: str) -> str:
    """The text with control characters, those that reorder or hide text, and lone surrogates as escapes."""
    return _UNSEEN.sub(lambda match: ascii(match.group())[1:-1], text)


def diff_lines(buggy: str, fixed: str) -> list[DiffLine]:
    """The whole of both texts as one diff."""
    lines = difflib.ndiff(visible(buggy).split("\n"), visible(fixed).split("\n"))
    return [DiffLine(line[0], line[2:]) for line in lines if line[0] != "?"]


def link(pair: Pair) -> str:
    """The page a pair comes from where it is one on the web, "" else: no other scheme is ever followed."""
    if release := re.fullmatch(r"pkg:pypi/([\w.-]+)@([\w.+!-]+)", pair.origin.url):
        return f"https://pypi.org/project/{release[1]}/{release[2]}/"
    return pair.origin.url if re.match(r"https?://[\w.-]+/", pair.origin.url) else ""


def sets_of(run: Path) -> list[Path]:
    """The files of pairs of a run. Raises FileNotFoundError where it has none."""
    found = [path for name in SETS if (path := run / "results" / "pairs" / f"{name}.parquet").is_file()]
    if not found:
        raise FileNotFoundError(
            f"{run}: no pairs in results/pairs; is it the folder of a run that built them?"
        )
    return found


def find_pairs(run: Path, name: str) -> Iterator[Pair]:
    """Pairs of a run whose identity begins with `name`; raw dumps are looked at where no set has one."""
    raw = sorted((run / "results" / "raw").glob("*/*-of-*.parquet"))
    raw = [
        path
        for path in raw
        if path.parent.name not in ("installed", "packages") and "rejects" not in path.name
    ]
    for paths in (sets_of(run), raw):
        found = [pair for path in paths for pair in pairs_named(path, name)]
        if found:
            yield from found
            return


def pairs_named(path: Path, name: str) -> Iterator[Pair]:
    """Pairs of a file whose identity begins with `name`; only row groups that have one are read whole."""
    return read_pairs(path, where=("pair_id", lambda value: value.startswith(name)))


def drawn(pairs: Iterable[Pair], count: int, seed: int) -> list[Pair]:
    """`count` random pairs, the same for the same pairs and seed, whatever their order."""

    def place(pair: Pair) -> bytes:
        return blake2b(f"{seed}\0{pair.pair_id}".encode(), digest_size=8).digest()

    return heapq.nsmallest(count, pairs, key=place)


def all_pairs(paths: Sequence[Path]) -> Iterator[Pair]:
    """Pairs of all files."""
    return (pair for path in paths for pair in read_pairs(path))
