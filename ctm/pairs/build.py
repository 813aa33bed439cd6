"""Joins mutants and real fixes into the sets that train, validate and test; the last two are frozen here.

A frozen set takes every kind of a category in equal shares, whatever the mix of bugs was, and as many clean samples as
keep within their share. Real fixes of projects that never train become a suite of their own: they are few, and of
another nature than mutants. Of training pairs only 64-bit keys stay in memory, in three passes over the files.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from ctm.pairs.categories import SecurityRule, categorise
from ctm.pairs.duplicates import exact_key, renamed_key
from ctm.pairs.record import PAIR_SCHEMA, REJECT_SCHEMA, SPLITS, Pair, Reject, Writer, read_pairs
from ctm.pairs.splits import SplitSettings, split_of

log = logging.getLogger(__name__)
STEP = "build_pairs"
REAL = "real"
FROZEN = ("validation", "test")


@dataclass(frozen=True)
class PairSettings:
    """How the sets are made of the pairs."""

    seed: int = 0
    """Seed of the drawing of the frozen sets."""
    per_category: int = 1000
    """Least items of a category in the test set, where there are as many."""
    validation_per_category: int = 400
    """Least items of a category in the validation set, where there are as many."""
    per_kind: int = 40
    """Least items of a kind in the test set, where there are as many."""
    validation_per_kind: int = 12
    """Least items of a kind in the validation set, where there are as many."""
    clean_share: float = 0.2
    """Largest share of clean samples in a frozen set; the other categories grow until it holds."""
    least_clean_share: float = 0.1
    """Least share of clean samples in a frozen set, where there are as many."""
    max_lines: int = 64
    """Longest real fix, lines; the grid has 64 rows."""
    refused_licences: tuple[str, ...] = ()
    """SPDX licences whose real fixes are left out; fixes without a known licence always are."""

    def __post_init__(self) -> None:
        if not 0 <= self.least_clean_share <= self.clean_share < 1 or not self.clean_share:
            raise ValueError(
                f"shares of clean samples must be 0 <= least_clean_share <= clean_share < 1 with clean_share > 0, "
                f"not {self.least_clean_share} and {self.clean_share}"
            )


def build_pairs(
    mutants: Sequence[Path],
    real: Sequence[Path],
    splits: SplitSettings,
    settings: PairSettings,
    out: Mapping[str, Path],
    rejects: Path,
    counts: Path,
    security_rule: SecurityRule | None = None,
) -> None:
    """Write the sets `out` names ("train", "validation", "test", "real"), what was dropped, and counts as JSON.

    Mutants bring their split and category; real fixes get theirs here. Raises KeyError where `out` lacks a set.
    """
    with Writer(rejects, REJECT_SCHEMA) as refused:
        builder = _Builder(settings, splits, refused, security_rule)
        ambiguous = _ambiguous(mutants, real)
        frozen = {split: _Frozen() for split in FROZEN}
        for pair in builder.usable(mutants, ambiguous, FROZEN):
            frozen[pair.split].add(pair, _place(settings.seed, pair.pair_id))
        tested: set[int] = set()
        sizes = {
            "validation": (settings.validation_per_category, settings.validation_per_kind),
            "test": (settings.per_category, settings.per_kind),
        }
        for split, (per_category, per_kind) in sizes.items():
            chosen = frozen[split].chosen(settings, per_category, per_kind)
            with Writer(out[split], PAIR_SCHEMA) as writer:
                for pair in frozen.pop(split).pairs:
                    if pair.pair_id in chosen:
                        builder.write(writer, pair)
                        tested.add(_renamed_key(pair.fixed))
                    else:
                        builder.drop(pair, "not drawn for the frozen set")
        with Writer(out["train"], PAIR_SCHEMA) as train, Writer(out[REAL], PAIR_SCHEMA) as suite:
            for pair in builder.usable(mutants, ambiguous, ("train",)):
                if (
                    _renamed_key(pair.fixed) in tested
                ):  # snippets have no such copies; what is made of them may
                    builder.drop(pair, "copy of a test item")
                else:
                    builder.write(train, pair)
            for pair in builder.real(real, ambiguous, tested):
                builder.write(train if pair.split == "train" else suite, pair)
    counts.parent.mkdir(parents=True, exist_ok=True)
    part = counts.with_name(f".{counts.name}.part")
    part.write_text(json.dumps(builder.report(), indent=2, sort_keys=True) + "\n")
    part.replace(counts)


class _Builder:
    """Filters pairs and keeps the books."""

    def __init__(
        self,
        settings: PairSettings,
        splits: SplitSettings,
        refused: Writer,
        security_rule: SecurityRule | None,
    ) -> None:
        self.settings, self.splits, self.refused, self.security_rule = (
            settings,
            splits,
            refused,
            security_rule,
        )
        self.kept: Counter[tuple[str, str, str, str]] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.projects: defaultdict[str, set[str]] = defaultdict(set)

    def write(self, writer: Writer, pair: Pair) -> None:
        writer.write(pair)
        self.kept[pair.source, pair.category, pair.kind, pair.split] += 1
        self.projects[pair.split].add(pair.group)

    def drop(self, pair: Pair, reason: str, detail: str = "") -> None:
        self.refused.write(Reject(STEP, reason, pair.pair_id, pair.group, detail or pair.kind))
        self.reasons[pair.source, reason] += 1

    def usable(self, paths: Sequence[Path], ambiguous: set[int], splits: Sequence[str]) -> Iterator[Pair]:
        """Mutants of these splits, without exact duplicates. Their snippets have no renamed ones (clean_snippets)."""
        seen: set[int] = set()
        for pair in (item for path in paths for item in read_pairs(path)):
            if pair.split not in SPLITS:
                raise ValueError(
                    f"mutant {pair.pair_id} has no split: clean_snippets decides it before mutation"
                )
            if pair.split not in splits:
                continue
            key = int(pair.pair_id[:16], 16)
            if key in seen:
                self.drop(pair, "duplicate")
            elif _text_key(pair.buggy) in ambiguous:
                self.drop(pair, "same buggy text, other fix")
            else:
                seen.add(key)
                yield pair

    def real(self, paths: Sequence[Path], ambiguous: set[int], tested: set[int]) -> Iterator[Pair]:
        """Real fixes with category and split, under the licence rule, without duplicates and copies of test items."""
        seen: set[int] = set()
        for pair in (item for path in paths for item in read_pairs(path)):
            split = split_of(pair.group, self.splits)
            exact = exact_key(pair.buggy) ^ exact_key(pair.fixed) << 1
            renamed = renamed_key(pair.buggy, pair.fixed)
            if not pair.origin.licence:
                self.drop(pair, "no licence stated")
            elif pair.origin.licence in self.settings.refused_licences:
                self.drop(pair, "licence refused", pair.origin.licence)
            elif max(pair.buggy.count("\n"), pair.fixed.count("\n")) >= self.settings.max_lines:
                self.drop(pair, "too many lines")
            elif _text_key(pair.buggy) in ambiguous:
                self.drop(pair, "same buggy text, other fix")
            elif exact in seen:
                self.drop(pair, "duplicate")
            elif renamed in seen:
                self.drop(pair, "duplicate but for names")
            elif split == "train" and not tested.isdisjoint(
                (renamed_key(pair.fixed), renamed_key(pair.buggy))
            ):
                self.drop(pair, "copy of a test item")
            elif (category := categorise(pair.buggy, pair.fixed, self.security_rule)) == "clean":
                self.drop(pair, "no lexical change")
            else:
                seen.update((exact, renamed))
                yield replace(pair, category=category, split=split)

    def report(self) -> dict[str, object]:
        """Counts by source, category, kind and split, of rejects by reason, and the projects of each split."""
        names = ("source", "category", "kind", "split")
        sums: dict[str, Counter[str]] = {name: Counter() for name in names}
        for key, number in self.kept.items():
            for name, value in zip(names, key, strict=True):
                sums[name][value] += number
        return {
            "format_version": 1,
            "pairs": sum(self.kept.values()),
            **{f"by_{name}": dict(value) for name, value in sums.items()},
            "table": [{**dict(zip(names, key, strict=True)), "n": n} for key, n in sorted(self.kept.items())],
            "rejects": [{"source": s, "reason": r, "n": n} for (s, r), n in sorted(self.reasons.items())],
            "projects": {split: sorted(found) for split, found in self.projects.items()},
        }


class _Frozen:
    """All candidates of one frozen set; `chosen` draws from them by the order of their places."""

    def __init__(self) -> None:
        self.pairs: list[Pair] = []
        self._kinds: defaultdict[str, defaultdict[str, list[tuple[int, str]]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def add(self, pair: Pair, place: int) -> None:
        self.pairs.append(pair)
        self._kinds[pair.category][pair.kind].append((place, pair.pair_id))

    def chosen(self, settings: PairSettings, least: int, per_kind: int) -> set[str]:
        """Identities of the chosen: `least` a category or more, kinds in equal shares as far as they reach."""
        others = [category for category in self._kinds if category != "clean"]
        clean_share = settings.clean_share
        per_category = least
        if others and "clean" in self._kinds:
            per_category = max(least, -int(-least * (1 - clean_share) / clean_share // len(others)))
        drawn: set[str] = set()
        for category in others:
            drawn |= self._draw(category, per_category, per_kind)
        if not others:
            return self._draw("clean", least, 0)
        smallest, largest = (
            int(len(drawn) * share / (1 - share)) for share in (settings.least_clean_share, clean_share)
        )
        return drawn | self._draw("clean", min(max(least, smallest), largest), 0)

    def _draw(self, category: str, wanted: int, per_kind: int) -> set[str]:
        kinds = self._kinds[category]
        share = max(_equal_share([len(items) for items in kinds.values()], wanted), per_kind)
        return {name for items in kinds.values() for _, name in heapq.nsmallest(share, items)}


def _equal_share(sizes: Sequence[int], wanted: int) -> int:
    """The least number to take of each kind, at most what it has, so that `wanted` come together."""
    left = wanted
    for index, size in enumerate(sorted(sizes)):
        share = -(-left // (len(sizes) - index))
        if share <= size:
            return share
        left -= size
    return max(sizes, default=0)


def _ambiguous(mutants: Sequence[Path], real: Sequence[Path]) -> set[int]:
    """Keys of the buggy texts for which there is more than one fix: neither is the right answer."""
    fixes: dict[int, int] = {}
    ambiguous: set[int] = set()
    for path in (*mutants, *real):
        for pair in read_pairs(path, ["buggy", "fixed"]):
            buggy, fixed = _text_key(pair.buggy), _text_key(pair.fixed)
            if fixes.setdefault(buggy, fixed) != fixed:
                ambiguous.add(buggy)
    return ambiguous


def _text_key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


@lru_cache(256)  # the mutants of a snippet follow each other and share their fixed side
def _renamed_key(text: str) -> int:
    return renamed_key(text)


def _place(seed: int, name: str) -> int:
    return _text_key(f"{seed}\0{name}")
