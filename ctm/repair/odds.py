"""How probable it is that a suggestion is right, given its strength: a monotone curve that the bundle brings.

It holds for working code under a stated prior, the share of functions that hold a bug which one edit repairs.
How it is fitted stands in ctm/evaluation/suggestions.py.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StrengthCurve:
    """Points (strength, probability), straight lines between them, level outside."""

    prior: float
    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        numbers = [self.prior, *(value for point in self.points for value in point)]
        if not self.points or not all(math.isfinite(n) and 0 <= n <= 1 for n in numbers):
            raise ValueError("prior and points must be numbers from 0 to 1, at least one point")
        if any(a[0] >= b[0] or a[1] > b[1] for a, b in zip(self.points, self.points[1:], strict=False)):
            raise ValueError("points must be sorted by strength, with probabilities that never decrease")

    def probability(self, strength: float) -> float:
        """Probability that an edit of that strength is right."""
        place = bisect_right(self.points, strength, key=lambda point: point[0])
        if place in (0, len(self.points)):
            return self.points[max(place - 1, 0)][1]
        (low, first), (high, last) = self.points[place - 1 : place + 1]
        return first + (last - first) * (strength - low) / (high - low)

    def as_dict(self) -> dict[str, Any]:
        """For YAML and JSON."""
        return {"prior": self.prior, "points": [list(point) for point in self.points]}


def read_odds(content: Any) -> StrengthCurve:
    """Odds as `as_dict` gives them. Raises ValueError."""
    try:
        prior, points = float(content["prior"]), tuple((float(s), float(p)) for s, p in content["points"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError('expected {"prior": number, "points": [[strength, probability], ...]}') from error
    return StrengthCurve(prior, points)
