"""Builds the training, validation and test sets from mutants and real fixes, and freezes the last two.

A frozen set takes every kind of a category in equal shares, whatever the mix of bugs was, and as many clean samples as
keep within their share. Real fixes of projects that never train become a suite of their own: they are few, and of
another nature than mutants. The sets are made in the order test, validation, train, each held against those before it
(decontamination.py). Real fixes are read once (fixes.py), mutants in a few passes over their files. Of mutants a byte
each stays in memory (clashes.py) and 8 of those that a frozen set may draw, of real fixes keys and signatures.
"""

from __future__ import annotations

import logging
import tempfile
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from ctm.bounds import Count, Lines, Seed, Share
from ctm.files import write_json
from ctm.pairs.categories import SecurityRule
from ctm.pairs.clashes import PairConflicts
from ctm.pairs.decontamination import Decontaminator
from ctm.pairs.duplicates import exact_key, renamed_key
from ctm.pairs.fixes import KEPT, Fixes
from ctm.pairs.keys import key_of
from ctm.pairs.leaks import count_leaks
from ctm.pairs.near_duplicates import MinHasher, NearDuplicateFilter, chunks
from ctm.pairs.project_groups import merge_fix_groups
from ctm.pairs.quality import QualitySettings
from ctm.pairs.record import (
    PAIR_SCHEMA,
    REJECT_SCHEMA,
    SPLITS,
    Pair,
    Reject,
    Writer,
    read_pair_columns,
    read_pairs,
)
from ctm.pairs.splits import SplitSettings

log = logging.getLogger(__name__)
STEP = "build_pairs"
REAL_SET = "real"
FROZEN = ("validation", "test")
IN_ORDER = ("test", "validation", "train")
"""A text that would be in two sets is in the first of them."""


@dataclass(frozen=True)
class PairSettings:
    """How the sets are made of the pairs."""

    seed: Seed = 0
    """Seed of the drawing of the frozen sets."""
    per_category: Count = 5000
    """Least items of a category in the test set, where there are as many."""
    validation_per_category: Count = 400
    """Least items of a category in the validation set, where there are as many."""
    per_kind: Count = 40
    """Least items of a kind in the test set, where there are as many."""
    validation_per_kind: Count = 12
    """Least items of a kind in the validation set, where there are as many."""
    clean_share: Share = 0.2
    """Largest share of clean samples in a frozen set; the other categories grow until it holds."""
    least_clean_share: Share = 0.1
    """Least share of clean samples in a frozen set, where there are as many."""
    max_lines: Lines = 64
    """Longest real fix, lines; the grid has 64 rows."""

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
    quality: QualitySettings | None = None,
    suites: Mapping[str, Path] | None = None,
    joined: Mapping[str, str] | None = None,
) -> None:
    """Write the sets `out` names ("train", "validation", "test", "real"), what was dropped, and counts as JSON.

    Mutants bring their split and category; real fixes get theirs here. suites: files that nothing may train on, by
    name. joined: groups of projects that share one (clean_snippets); projects of real fixes that are forks join them.
    Raises KeyError where `out` lacks a set, and decontamination.SuiteError.
    """
    quality = quality or QualitySettings()
    groups = merge_fix_groups(mutants, real, joined or {}, quality.duplicates)
    with (
        Writer(rejects, REJECT_SCHEMA) as refused,
        Writer(out[REAL_SET], PAIR_SCHEMA) as suite,
        tempfile.TemporaryDirectory(dir=rejects.parent, prefix=".fixes") as scratch,
    ):
        fixes = Fixes(Path(scratch), splits, groups, quality.licenses, settings.max_lines, security_rule)
        builder = _Builder(settings, refused, quality)
        decontaminator = Decontaminator(quality, suites)
        came = ((pair, buggy, _real(split)) for pair, buggy, split in fixes.sort_in(real))
        clashes = PairConflicts(chain(_of_a_split(mutants), came), (FROZEN, ("train",)), rejects.parent)
        sizes = {
            "validation": (settings.validation_per_category, settings.validation_per_kind),
            "test": (settings.per_category, settings.per_kind),
        }
        for split in IN_ORDER:
            training = split not in FROZEN
            if training:
                decontaminator.add_suites()
                mutants_ = builder.usable(mutants, clashes, split)
            else:
                mutants_ = builder.drawn(mutants, clashes, split, *sizes[split])
            with Writer(out[split], PAIR_SCHEMA) as writer:
                held: list[str] = []
                for pairs, into in (
                    (mutants_, writer),
                    (builder.real(fixes, clashes, split), writer if training else suite),
                ):
                    for pair, reason, detail in decontaminator.refuse(pairs, training):
                        if reason:
                            builder.drop(pair, reason, detail)
                        else:
                            builder.write(into, pair)
                            held += () if training else (pair.fixed, pair.buggy)
            decontaminator.add_texts(dict.fromkeys(held), split)
    report = builder.report(fixes.masked) | {"leaks": count_leaks(out.values(), suites)}
    write_json(counts, report, indent=2, sort_keys=True)


class _Builder:
    """Filters pairs and keeps the books."""

    def __init__(
        self,
        settings: PairSettings,
        refused: Writer,
        quality: QualitySettings,
    ) -> None:
        self.settings, self.refused = settings, refused
        self._seen: set[int] = set()
        near = quality.duplicates
        self._near = NearDuplicateFilter(MinHasher(near)) if near.near else None
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

    def usable(self, paths: Sequence[Path], clashes: PairConflicts, split: str) -> Iterator[Pair]:
        """Mutants of a split, without exact duplicates. Their snippets have no renamed ones (clean_snippets)."""
        for pair, reason in zip(_of_split(paths, split), clashes.reasons(split), strict=True):
            if reason:
                self.drop(pair, reason)
            else:
                yield pair

    def drawn(
        self, paths: Sequence[Path], clashes: PairConflicts, split: str, minimum: int, per_kind: int
    ) -> Iterator[Pair]:
        """The pairs of a frozen set."""
        candidates = _Frozen(self.settings)
        columns = ["pair_id", "category", "kind"]
        for pair, reason in zip(_of_split(paths, split, columns), clashes.reasons(split), strict=True):
            if not reason:
                candidates.add(pair)
        candidates.draw(minimum, per_kind)
        for pair in self.usable(paths, clashes, split):
            if candidates.has_drawn(pair):
                yield pair
            else:
                self.drop(pair, "not drawn for the frozen set")

    def real(self, fixes: Fixes, clashes: PairConflicts, split: str) -> Iterator[Pair]:
        """Real fixes of a split without duplicates."""
        for chunk in chunks(self._distinct(fixes, clashes, split)):
            near: list[str | None] = [None] * len(chunk)
            if self._near:
                texts, names = [pair.fixed for pair in chunk], [split] * len(chunk)
                near = self._near.add(texts, names, [_change_key(pair) for pair in chunk])
            for pair, other in zip(chunk, near, strict=True):
                if other is not None:
                    self.drop(pair, "near duplicate", f"in {other}")
                else:
                    yield pair

    def _distinct(self, fixes: Fixes, clashes: PairConflicts, split: str) -> Iterator[Pair]:
        """The same, near duplicates included."""
        for (pair, own), clash in zip(fixes.of(split), clashes.reasons(_real(split)), strict=True):
            if own != KEPT:
                self.drop(pair, *own)
                continue
            keys = exact_key(pair.buggy) ^ exact_key(pair.fixed) << 1, renamed_key(pair.buggy, pair.fixed)
            exact, renamed = (key in self._seen for key in keys)
            if clash:
                self.drop(pair, clash)
            elif exact:
                self.drop(pair, "duplicate")
            elif renamed:
                self.drop(pair, "duplicate but for names")
            elif pair.category == "clean":
                self.drop(pair, "no lexical change")
            else:
                self._seen.update(keys)
                yield pair

    def report(self, masked: Counter[tuple[str, str]]) -> dict[str, object]:
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
            "masked": [{"source": s, "sort": r, "n": n} for (s, r), n in sorted(masked.items())],
            "projects": {split: sorted(found) for split, found in self.projects.items()},
        }


class _Frozen:
    """The candidates of one frozen set, 8 bytes each: those are drawn whose place in a random order comes first."""

    def __init__(self, settings: PairSettings) -> None:
        self.settings = settings
        self._kinds: defaultdict[str, defaultdict[str, array[int]]] = defaultdict(
            lambda: defaultdict(lambda: array("Q"))
        )
        self._last: dict[tuple[str, str], int] = {}
        """Last place that is drawn, by category and kind."""

    def add(self, pair: Pair) -> None:
        self._kinds[pair.category][pair.kind].append(self._place(pair))

    def has_drawn(self, pair: Pair) -> bool:
        return self._place(pair) <= self._last.get((pair.category, pair.kind), -1)

    def draw(self, minimum: int, per_kind: int) -> None:
        """Choose `minimum` a category or more, kinds in equal shares as far as they reach."""
        others = [category for category in self._kinds if category != "clean"]
        clean_share = self.settings.clean_share
        per_category = minimum
        if others and "clean" in self._kinds:
            per_category = max(minimum, -int(-minimum * (1 - clean_share) / clean_share // len(others)))
        drawn = sum(self._draw(category, per_category, per_kind) for category in others)
        smallest, largest = (
            int(drawn * share / (1 - share)) for share in (self.settings.least_clean_share, clean_share)
        )
        self._draw("clean", min(max(minimum, smallest), largest) if others else minimum, 0)

    def _draw(self, category: str, wanted: int, per_kind: int) -> int:
        """How many of a category are drawn."""
        kinds = self._kinds[category]
        share = max(_equal_share([len(places) for places in kinds.values()], wanted), per_kind)
        for kind, places in kinds.items():
            if share:
                self._last[category, kind] = sorted(places)[:share][-1]
        return sum(min(share, len(places)) for places in kinds.values())

    def _place(self, pair: Pair) -> int:
        return key_of(f"{self.settings.seed}\0{pair.pair_id}")


def _equal_share(sizes: Sequence[int], wanted: int) -> int:
    """The least number to take of each kind, at most what it has, so that `wanted` come together."""
    left = wanted
    for index, size in enumerate(sorted(sizes)):
        share = -(-left // (len(sizes) - index))
        if share <= size:
            return share
        left -= size
    return max(sizes, default=0)


def _real(split: str) -> str:
    """The set of a split's real fixes, as clashes.py calls it."""
    return f"{REAL_SET} {split}"


def _of_a_split(mutants: Sequence[Path]) -> Iterator[tuple[str, str, str]]:
    """(pair_id, buggy text, split) of each mutant. Raises ValueError for one of no split."""
    for path in mutants:
        for pair, buggy, split in read_pair_columns(path, ("pair_id", "buggy", "split")):
            if split not in SPLITS:
                raise ValueError(
                    f"{path}: unknown split {split!r}; expected one of {', '.join(SPLITS)}. "
                    "Rule clean_snippets sets it: run it and mutate again"
                )
            yield pair, buggy, split


def _of_split(paths: Sequence[Path], split: str, columns: Sequence[str] | None = None) -> Iterator[Pair]:
    return (item for path in paths for item in read_pairs(path, columns, ("split", split.__eq__)))


def _change_key(pair: Pair) -> int:
    """Key of what a fix takes away and adds, wherever: fixes of one function that change different things stay."""
    old, new = (Counter(line.strip() for line in text.split("\n")) for text in (pair.buggy, pair.fixed))
    return key_of("\0".join([*sorted((old - new).elements()), "\0", *sorted((new - old).elements())]))
