"""What each kind of bug gave in a run: counted while mutants are made, written as JSON beside each shard, added up.

Two rates are compared with what is asked of them:

- *success rate*: share of asked draws that gave a mutant. Over all kinds a draw is one sample asked of one snippet,
  for which kinds are drawn until one gives a mutant or patience ends. Of a single kind it is a draw of that kind from a
  snippet that has a site for it: a snippet without one says nothing about the mutator.
- *pass rate*: share of checked candidates that pass. A candidate is checked by
  `ctm.bugs.checks.validity.mutant_reject_reason`: compiler, bytecode, security rule, category.

Clean samples are no mutants and enter neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ctm.pairs.milestones import FORMAT_VERSION

MIN_SUCCESS_RATE = 0.60
"""Share of asked draws that must give a mutant, of the specification."""
MIN_PASS_RATE = 0.80
"""Share of checked candidates that must pass, of the specification."""
FIELDS = ("drawn", "sites", "checked", "passed", "mutants", "duplicates", "training")
"""Counts of a kind: draws of it; those from a snippet with a site; candidates checked; those that passed; mutants
written; mutants there before, of the same snippet (not written) or of the shard (dropped when the sets are built);
mutants written of snippets of the training split, which the mix asks for (`ctm.bugs.generation.quotas`)."""

DRAWN, SITES, CHECKED, PASSED, MUTANTS, DUPLICATES, TRAINING = range(len(FIELDS))


@dataclass
class Tally:
    """Counts of some snippets. Plain lists, which cross a pipe as they are and cost next to nothing to add to."""

    kinds: dict[str, list[int]] = field(default_factory=dict)
    """Of each kind: `FIELDS`."""
    asked: dict[str, list[int]] = field(default_factory=dict)
    """Of each sort of samples: how many were asked for, how many were made."""

    def of(self, kind: str) -> list[int]:
        """The counts of a kind, to be added to."""
        counts = self.kinds.get(kind)
        if counts is None:
            counts = self.kinds[kind] = [0] * len(FIELDS)
        return counts

    def sample(self, sort: str, made: bool) -> None:
        """Note a sample that was asked for."""
        counts = self.asked.setdefault(sort, [0, 0])
        counts[0] += 1
        counts[1] += made

    def add(self, other: Tally) -> None:
        """Add the counts of other snippets."""
        for mine, theirs in (
            (self.kinds, other.kinds),
            (self.asked, other.asked),
        ):
            for name, counts in theirs.items():
                known = mine.get(name)
                mine[name] = (
                    list(counts) if known is None else [a + b for a, b in zip(known, counts, strict=True)]
                )

    @property
    def success_rate(self) -> float | None:
        """Samples made of those asked for, clean ones left out; None where none was asked for."""
        asked = [counts for sort, counts in self.asked.items() if sort != "clean"]
        return share(sum(made for _, made in asked), sum(wanted for wanted, _ in asked))

    @property
    def pass_rate(self) -> float | None:
        """Candidates that passed of those checked; None where none was checked."""
        counts = list(self.kinds.values())
        return share(sum(c[PASSED] for c in counts), sum(c[CHECKED] for c in counts))


def share(part: int, whole: int) -> float | None:
    """Part of the whole, None of nothing."""
    return part / whole if whole else None


def figures_of(tally: Tally) -> dict[str, Any]:
    """What a shard's counts file (`ctm.pairs.milestones`) has of its kinds."""
    return {
        "asked": {sort: {"asked": a, "made": m} for sort, (a, m) in sorted(tally.asked.items())},
        "kinds": {
            kind: dict(zip(FIELDS, counts, strict=True)) for kind, counts in sorted(tally.kinds.items())
        },
    }


def training_samples(tally: Tally) -> dict[str, int]:
    """Mutants of each kind of the training split."""
    return {kind: counts[TRAINING] for kind, counts in tally.kinds.items()}


def read_rates(paths: Iterable[Path]) -> Tally:
    """The counts of several shards together. Raises ValueError for a file of another format, with its name."""
    tally = Tally()
    for path in paths:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format_version") != FORMAT_VERSION:
            raise ValueError(f"{path}: expected counts of format {FORMAT_VERSION}; run rule mutate again")
        tally.add(
            Tally(
                {kind: [counts[name] for name in FIELDS] for kind, counts in content["kinds"].items()},
                {sort: [counts["asked"], counts["made"]] for sort, counts in content["asked"].items()},
            )
        )
    return tally
