"""Learns the weights of the bug mix from real fixes: which kinds could have made the buggy side of the fixed one?

Each pair is tried backwards: every kind mutates `fixed`, and those of whose candidates one is `buggy` share the pair. A
weight is a kind's share of the pairs explained; pseudo-counts of the pinned mix stand against the chance of few pairs.
A category of which no pair was explained keeps its weights, and so does a kind that no pair has a place for. Real pairs
mostly compile on both sides, so what is learned is above all the logic kinds.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

from ctm.bugs.checks.validity import quiet
from ctm.bugs.generation.clean import clean
from ctm.bugs.generation.mix import BugMix
from ctm.bugs.generation.mutate import load_mix
from ctm.bugs.registry import Kind, apply, registry
from ctm.files import write_text
from ctm.pairs.duplicates import exact_key
from ctm.pairs.record import Pair, read_pairs
from ctm.python.compiling import compiles

log = logging.getLogger(__name__)
REAL_SOURCES = ("commit", "release")
CATEGORIES = ("syntax", "logic", "security", "complex")
SEEDS = 4  # draws of each mutator: where it chooses among many candidates, one draw does not show all
MAX_CANDIDATES = 60  # candidates of one draw
PSEUDO = 100.0  # pairs that the pinned mix counts for in each category


@dataclass
class Evidence:
    """What real pairs say about the kinds."""

    pairs: int = 0
    """Pairs tried."""
    explained: int = 0
    """Pairs that at least one kind could have made."""
    matches: Counter[str] = field(default_factory=Counter)
    """Pairs that each kind could have made."""
    shares: dict[str, float] = field(default_factory=dict)
    """The same, a pair shared by all kinds that could have made it."""
    places: Counter[str] = field(default_factory=Counter)
    """Pairs whose fixed side has a place for each kind."""


def fit_bug_mix(pairs: Path, mix: Path, out: Path, table: Path) -> None:
    """Write the learned mix (YAML like config/bug_mix.yaml) and both mixes side by side (Markdown).

    `pairs` are those of the training split; mutants among them are passed over. Raises ValueError for a mix that is
    none and for a file that holds pairs of another split.
    """
    pinned = load_mix(mix)
    evidence = gather(_real(pairs))
    learned = fitted(pinned, evidence)
    for path, text in ((out, mix_text(learned, evidence)), (table, side_by_side(pinned, learned, evidence))):
        write_text(path, text)
    log.info("%d of %d real pairs explained by some kind", evidence.explained, evidence.pairs)


def _real(path: Path) -> Iterator[Pair]:
    for pair in read_pairs(path, ["pair_id", "buggy", "fixed", "source", "split"]):
        if pair.split != "train":
            raise ValueError(
                f"{path}: pair {pair.pair_id} belongs to split {pair.split!r}; fit_bug_mix reads training pairs only. "
                "Pass results/pairs/train.parquet"
            )
        if pair.source in REAL_SOURCES:
            yield pair


def gather(pairs: Iterable[Pair], seeds: int = SEEDS) -> Evidence:
    """Try every kind on every pair."""
    evidence = Evidence()
    for pair in pairs:
        with quiet():
            made, places = explain(pair.buggy, pair.fixed, seeds)
        evidence.pairs += 1
        evidence.places.update(places)
        evidence.matches.update(made)
        evidence.explained += bool(made)
        for name in made:
            evidence.shares[name] = evidence.shares.get(name, 0.0) + 1 / len(made)
    return evidence


def explain(buggy: str, fixed: str, seeds: int = SEEDS) -> tuple[list[str], list[str]]:
    """(kinds that can make `buggy` of `fixed`, kinds that have a place in `fixed`), white space aside.

    Call it inside `ctm.bugs.checks.validity.quiet()`.
    """
    base = clean(fixed)
    if base is None or not base.source.tokens:
        return [], []
    wanted, syntax = exact_key(buggy), not compiles(buggy)
    made, places = [], []
    for kind in registry().values():
        if (kind.category == "syntax") != syntax or (kind.needs and kind.needs.isdisjoint(base.source.words)):
            continue
        if kind.own and not kind.own(base.source):
            continue  # it would write a statement in
        found = False
        for seed in range(seeds):
            candidates = [
                c for c in islice(kind.mutator(base.source, Random(seed)), MAX_CANDIDATES) if not c.fixed
            ]
            if not candidates:
                continue  # by chance, perhaps: some kinds leave frequent places out at random
            found = True
            if any(exact_key(apply(fixed, c.buggy)) == wanted for c in candidates):
                made.append(kind.name)
                break
        if found:
            places.append(kind.name)
    return made, places


def fitted(pinned: BugMix, evidence: Evidence) -> dict[str, float]:
    """The learned weight of each kind of the pinned mix, in its order."""
    kinds = registry()
    learned = dict(pinned.weights)
    for category in CATEGORIES:
        names = [
            name for name in pinned.weights if kinds[name].category == category and evidence.places[name]
        ]
        if not any(evidence.matches[name] for name in names):
            continue
        total = sum(pinned.weights[name] for name in names)
        counts = {n: evidence.shares.get(n, 0.0) + PSEUDO * pinned.weights[n] / total for n in names}
        scale = total / sum(counts.values())  # as many of the category as before
        learned |= {name: counts[name] * scale for name in names}
    return learned


def mix_text(learned: Mapping[str, float], evidence: Evidence) -> str:
    """A mix that `config/bug_mix.yaml` could be."""
    head = f"# Learned from {evidence.pairs} real fixes of the training split; kinds explain {evidence.explained}.\n"
    return head + "".join(f"{name}: {weight:.3g}\n" for name, weight in learned.items())


def side_by_side(pinned: BugMix, learned: Mapping[str, float], evidence: Evidence) -> str:
    """Both mixes as a table, what changed most first within each category."""
    lines = [
        f"{evidence.explained:,} of {evidence.pairs:,} real fixes of the training split are what some kind makes.",
        "",
        "| kind | category | pinned | learned | fixes it explains | fixes with a place |",
        "|---|---|---|---|---|---|",
    ]
    kinds: dict[str, Kind] = registry()
    for category in CATEGORIES:
        names = [name for name in pinned.weights if kinds[name].category == category]
        lines += [
            f"| {name} | {category} | {pinned.weights[name]:.3g} | {learned[name]:.3g} "
            f"| {evidence.matches[name]} | {evidence.places[name]} |"
            for name in sorted(names, key=lambda n: (-learned[n] / pinned.weights[n], n))
        ]
    return "\n".join(lines) + "\n"
