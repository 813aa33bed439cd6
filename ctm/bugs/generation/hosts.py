"""Security samples of one snippet: which kinds find a host in it, how many are asked of it, and which have failed.

A host is what the bug is made in: the snippet's own code, a statement written in where it fits, or one written in where
it does not (`ctm.bugs.registry.HOSTS`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

from ctm.bugs.generation.mix import SORTS, Mix
from ctm.bugs.generation.rates import DRAWN, Tally
from ctm.bugs.registry import HOSTS, Kind
from ctm.bugs.security.hosts import fitting
from ctm.bugs.security.write import with_own
from ctm.bugs.settings import MutationSettings, Shares
from ctm.bugs.static_analysis.lazy import lazy
from ctm.bugs.static_analysis.source import Source

MOST_ASKED = 0.5
"""Largest share of a snippet's samples that are asked to be security ones, where it is a good host."""
_MOST_FAILED = 4  # security kinds that find no host in a snippet before it is taken for none

Make = Callable[[Kind, str], bool]
"""Makes a mutant of a kind in a sort of host, and says whether it could."""


class SecurityHosts:
    """What one snippet is for security kinds, and what they have given in it so far."""

    def __init__(self, source: Source, mix: Mix, settings: MutationSettings, uniform: bool) -> None:
        self.source, self.mix, self.settings, self.uniform = source, mix, settings, uniform
        self.given: Counter[str] = Counter()  # samples of each kind
        self.failed: set[tuple[str, str]] = set()  # kinds that gave nothing in a sort of host
        self.barren = False  # whether all of them are used up

    @lazy
    def kinds(self) -> dict[str, list[Kind]]:
        """Security kinds by what the snippet may be for them, by its own code and its names."""
        source, kinds = self.source, self.mix.kinds("security")
        may = with_own(source)
        own = [kind for kind in kinds if kind.name in may and kind.own and kind.own(source)]
        names = fitting(source)
        fit = [kind for kind in kinds if kind.name in names]
        return dict(zip(HOSTS, (own, fit, kinds), strict=True))

    @lazy
    def best(self) -> str:
        """The best sort of host that the snippet is."""
        return next((sort for sort in HOSTS if self.kinds[sort]), HOSTS[-1])

    def weights(self, shares: Shares) -> list[float]:
        """Weights of the sorts of samples: security ones are asked of the snippets that have a place for them."""
        weights = [float(getattr(shares, sort)) for sort in SORTS]
        if not (self.mix.hosts and shares.security and self.mix.kinds("security")):
            return weights
        asked = min(MOST_ASKED, self.mix.hosts.get(self.best, 1.0) * shares.security / sum(weights))
        others = sum(weights) - shares.security
        if others:
            weights[SORTS.index("security")] = asked / (1 - asked) * others
        return weights

    def survey(self, make: Make) -> tuple[str, Sequence[Kind]]:
        """The best sort of host that the snippet proves to be, and the kinds that it gives there."""
        for sort in HOSTS[:-1]:
            if found := [kind for kind in self.kinds[sort] if make(kind, sort)]:
                return sort, found
        return HOSTS[-1], self.kinds[HOSTS[-1]]

    def sample(self, rng: Random, tally: Tally, make: Make) -> bool:
        """One security sample in the best host that the snippet is; where all are asked alike, in any."""
        if self.barren:
            return False
        sorts: Sequence[str] = HOSTS
        if self.mix.hosts:
            sorts = HOSTS[-1:] if self.best == HOSTS[-1] else HOSTS[:-1]
        for sort in sorts:
            most = 2 if self.uniform else self.settings.kind_per_snippet
            left = [
                kind
                for kind in self.kinds[sort]
                if self.given[kind.name] < most and (sort, kind.name) not in self.failed
            ]
            while left:
                kind = self.mix.draw("security", self.uniform, rng, left)
                if kind is None:
                    break
                left.remove(kind)
                tally.of(kind.name)[DRAWN] += 1
                if make(kind, sort):
                    self.given[kind.name] += 1
                    tally.host(sort, not self.uniform)
                    return True
                self.failed.add((sort, kind.name))
                if sort == "fit" and self.mix.hosts and not self.uniform and len(self.failed) >= _MOST_FAILED:
                    break
        self.barren = bool(self.mix.hosts)
        return False
