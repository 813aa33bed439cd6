"""Security samples of one snippet: which kinds have a place in it, how many are asked of it, and which have failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from ctm.bugs.generation.mix import SORTS, BugMix
from ctm.bugs.generation.rates import DRAWN, Tally
from ctm.bugs.registry import Kind
from ctm.bugs.security.write import with_own
from ctm.bugs.settings import MutationSettings, Shares
from ctm.bugs.static_analysis.lazy import lazy
from ctm.bugs.static_analysis.source import ParsedCode

MOST_ASKED = 0.5
"""Largest share of a snippet's samples that are asked to be security ones, where it has a place for them."""
Make = Callable[[Kind], bool]
"""Makes a mutant of a kind, and says whether it could."""


class SecurityPlaces:
    """What one snippet is for security kinds, and what they have given in it so far."""

    def __init__(self, source: ParsedCode, mix: BugMix, settings: MutationSettings, held_out: bool) -> None:
        self.source, self.mix, self.settings, self.held_out = source, mix, settings, held_out
        self.given: Counter[str] = Counter()  # samples of each kind
        self.failed: set[str] = set()  # kinds that gave nothing

    @lazy
    def kinds(self) -> list[Kind]:
        """Security kinds for which the snippet has a place."""
        may = with_own(self.source)
        return [k for k in self.mix.kinds("security") if k.name in may and k.own and k.own(self.source)]

    def weights(self, shares: Shares) -> list[float]:
        """Weights of the sorts of samples: security ones are asked of the snippets that have a place for them."""
        weights = [float(getattr(shares, sort)) for sort in SORTS]
        if self.mix.hosting is None or not (shares.security and self.mix.kinds("security")):
            return weights
        times = self.mix.hosting if self.kinds else 0.0
        asked = min(MOST_ASKED, times * shares.security / sum(weights))
        others = sum(weights) - shares.security
        if others:
            weights[SORTS.index("security")] = asked / (1 - asked) * others
        return weights

    def sample(self, rng: Random, tally: Tally, make: Make) -> bool:
        """Make one security sample; False where no place is left."""
        most = 2 if self.held_out else self.settings.kind_per_snippet
        left = [kind for kind in self.kinds if self.given[kind.name] < most and kind.name not in self.failed]
        while left:
            kind = self.mix.draw("security", self.held_out, rng, left)
            if kind is None:
                break
            left.remove(kind)
            tally.of(kind.name)[DRAWN] += 1
            if make(kind):
                self.given[kind.name] += 1
                return True
            self.failed.add(kind.name)
        return False
