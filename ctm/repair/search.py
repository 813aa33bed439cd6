"""What a repair of broken code looks at next: of all texts that edits have led to so far, the most probable.

Notable: best-first search. A text's probability is the product over the edits that lead to it, so an edit that leaves
the code broken is followed for as long as it is likelier than every edit that would end the repair at once: two errors
take two edits, and a far-fetched edit that happens to compile has to wait.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

from ctm.repair.candidates import Option


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text and the edits that lead to it."""

    text: str
    path: tuple[Option, ...]
    score: float
    """Log-probability of all the edits together."""


class Frontier:
    """Texts that have not been looked at, the most probable first; of equals the one that came first."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Leaf]] = []
        self._pushed = 0

    def push(self, leaf: Leaf) -> None:
        """Add a text."""
        self._pushed += 1
        heapq.heappush(self._heap, (-leaf.score, self._pushed, leaf))

    def pop(self) -> Leaf | None:
        """Take out the most probable text; None where there is none left."""
        return heapq.heappop(self._heap)[2] if self._heap else None

    def share(self, leaf: Leaf) -> float:
        """Probability of a text that was taken out, given that it or one of those still here is right."""
        others = sum(math.exp(min(other.score - leaf.score, 700.0)) for _, _, other in self._heap)
        return 1.0 / (1.0 + others)
