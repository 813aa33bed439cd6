"""From the share that an answer has of all that was considered to the probability that it is right.

The share is right about the texts that were considered, and knows nothing of the others. A logistic curve, fitted on
held-out errors like real ones, makes up for that; what no tool can know is a constant beside it: of real errors many
are mended by their authors in a way of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

KNOWABLE = 0.70
"""Share of real errors whose repair follows from the code. Of 48 failures on real code about 30 were the author's own
choice (another name, a rewritten line): at most .65 to .70 of all repairs can be exact."""
_EDGE = 1e-4


@dataclass(frozen=True, slots=True)
class Confidence:
    """knowable x sigmoid(intercept + slope x log(share / (1 - share))); the share itself as it stands."""

    intercept: float = 0.0
    slope: float = 1.0
    knowable: float = 1.0

    def __call__(self, share: float) -> float:
        """Probability that an answer with this share is right."""
        return self.knowable / (1.0 + math.exp(-(self.intercept + self.slope * log_odds(share))))


def log_odds(share: float) -> float:
    """log(share / (1 - share)), finite."""
    inside = min(max(share, _EDGE), 1 - _EDGE)
    return math.log(inside / (1 - inside))
