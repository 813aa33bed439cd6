"""Calibrates confidence: from a repair's share of the search to the probability that it is right.

The share is right about the texts that were considered, and knows nothing of the others. A logistic curve, fitted in
each run on held-out made errors like real ones, makes up for that. Real errors are harder: many are mended by their
authors in a way of their own. How much harder was measured once, and is a second curve over the first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

REAL = (-0.85, 0.7)
"""Intercept and slope from the log-odds that an answer to a made error is right to those of a real one. Fitted on half
of a suite of real errors (1,622, fixed sides whose SHA-256 is even); what it does
to the others: docs/log/2026-11-plausible.md."""
EDGE = 0.02
"""Shares are taken to be within [EDGE, 1 - EDGE]: smaller ones say no more than that nothing spoke for any answer."""
_MOST = 100.0


@dataclass(frozen=True, slots=True)
class ConfidenceCurve:
    """sigmoid(real_intercept + real_slope x (intercept + slope x log(share / (1 - share)))); by default the share."""

    intercept: float = 0.0
    slope: float = 1.0
    real_intercept: float = 0.0
    real_slope: float = 1.0
    knowable: float = 1.0
    """A factor of bundles from before there was a curve for real errors."""

    def __call__(self, share: float) -> float:
        """Probability that an answer with this share is right."""
        if self == _NO_CURVE:
            return share
        made = self.intercept + self.slope * log_odds(share)
        real = self.real_intercept + self.real_slope * made
        return self.knowable / (1.0 + math.exp(min(max(-real, -_MOST), _MOST)))

    @property
    def of_made_errors(self) -> ConfidenceCurve:
        """The curve for errors that were made, which have one right repair."""
        return ConfidenceCurve(self.intercept, self.slope)

    @property
    def of_real_errors(self) -> ConfidenceCurve:
        """The curve for real errors."""
        return replace(self, real_intercept=REAL[0], real_slope=REAL[1])


def log_odds(share: float) -> float:
    """log(share / (1 - share)) of a share within the edges."""
    inside = min(max(share, EDGE), 1 - EDGE)
    return math.log(inside / (1 - inside))


_NO_CURVE = ConfidenceCurve()
