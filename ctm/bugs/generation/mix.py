"""The mix that mutants are drawn from: kinds with their weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from random import Random

from ctm.bugs.registry import Kind, registry
from ctm.strict_yaml import read_mapping

SORTS = ("syntax", "logic", "clean", "security", "complex")
"""Sorts of samples, in the order in which they are dealt."""


class BugMix:
    """Kinds with their weights; kinds that are not named have weight 0.

    Raises ValueError for a kind that does not exist or a weight below zero.
    """

    def __init__(self, weights: Mapping[str, float], hosting: float | None = None) -> None:
        """hosting: how many times the share of security samples a snippet with a place for one is asked for, the others
        being asked for none; without it all are asked alike.
        """
        self.hosting = hosting
        known = registry()
        for name, weight in weights.items():
            if name not in known:
                raise ValueError(f"bug mix: no kind {name!r}; kinds are {', '.join(known)}")
            if not weight >= 0:
                raise ValueError(f"bug mix: {name} has weight {weight}, which must be 0 or more")
        self.weights = {name: float(weight) for name, weight in weights.items() if weight > 0}
        self._tables: dict[tuple[str, bool], tuple[list[Kind], list[float]]] = {}
        for category in SORTS:
            kinds = [
                known[name] for name in known if name in self.weights and known[name].category == category
            ]
            self._tables[category, False] = kinds, list(accumulate(self.weights[kind.name] for kind in kinds))
            self._tables[category, True] = kinds, list(accumulate(kind.heldout_weight for kind in kinds))

    def kinds(self, category: str) -> list[Kind]:
        """Kinds of the category with a weight."""
        return self._tables[category, False][0]

    def draw(self, category: str, uniform: bool, rng: Random, among: Sequence[Kind] = ()) -> Kind | None:
        """One kind of the category, by weight or (held out) as evenly as places allow; None without any.

        `among` narrows the choice to these kinds.
        """
        kinds, sums = self._tables[category, uniform]
        if among:
            kinds, sums = (
                list(among),
                list(accumulate(1.0 if uniform else self.weights[kind.name] for kind in among)),
            )
        return kinds[_pick(sums, rng)] if kinds else None


def load_mix(path: Path) -> BugMix:
    """The mix of a YAML file `kind: weight`. Raises ValueError with file and line for anything else."""
    document = read_mapping(path)
    for kind, weight in document.values.items():
        number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
        if not number or not 0 <= weight < math.inf:
            raise ValueError(
                f"{document.at((kind,))}: {kind}: expected a weight, a number of at least 0 such as "
                f"`missing_colon: 7`, not {weight!r}"
            )
    try:
        return BugMix(document.values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _pick(sums: Sequence[float], rng: Random) -> int:
    """Place of one of the weights with these running sums, drawn in proportion, half against half.

    One draw over all sums would come out otherwise wherever the many weights before a place have moved a little; of
    halves, only those that have moved count.
    """
    low, high, before = 0, len(sums), 0.0
    while high - low > 1:
        middle = (low + high) // 2
        if rng.random() * (sums[high - 1] - before) < sums[middle - 1] - before:
            high = middle
        else:
            low, before = middle, sums[middle - 1]
    return low
