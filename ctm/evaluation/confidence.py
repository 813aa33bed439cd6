"""Fits the confidence curve (Platt scaling) on held-out broken code that resembles real code (real_like.py).

Platt, Probabilistic outputs for support vector machines, 1999; by Newton's method, a little ridge on the slope.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.evaluation.repairs import CaseResult
from ctm.repair.confidence import ConfidenceCurve, log_odds
from ctm.repair.metrics import calibration_error

log = logging.getLogger(__name__)
RIDGE = 1.0
STEPS = 50
LEAST = 50
"""Answers below which nothing is fitted: a share is then as good as a curve."""


@dataclass(frozen=True)
class ConfidenceChoice:
    """A fitted curve, and what it does on the items that it was fitted on (made errors have one right repair)."""

    curve: ConfidenceCurve
    items: int
    error_before: float | None
    """Calibration error of the shares themselves."""
    error: float | None
    """Of the curve for made errors."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def choose_confidence(judged: Sequence[CaseResult]) -> ConfidenceChoice:
    """Fit the curve on repairs whose confidence is their share; those without an answer are left out."""
    answered = [item for item in judged if item.evaluated.answers and item.evaluated.answers[0].edited]
    share = np.array([item.evaluated.outcome.confidence for item in answered], dtype=np.float64)
    right = np.array(
        [item.evaluated.outcome.in_scope and item.evaluated.outcome.exact_rank == 1 for item in answered]
    )
    if len(answered) < LEAST or right.all() or not right.any():
        return ConfidenceChoice(ConfidenceCurve().of_real_errors, len(answered), None, None)
    intercept, slope = fit(share, right.astype(np.float64))
    curve = ConfidenceCurve(intercept, slope)
    before = calibration_error(share.tolist(), right.tolist())
    after = calibration_error([curve(value) for value in share.tolist()], right.tolist())
    log.info(
        "confidence: calibration error %.3f as shares, %.3f as fitted on %d", before, after, len(answered)
    )
    return ConfidenceChoice(curve.of_real_errors, len(answered), before, after)


def fit(share: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[float, float]:
    """(intercept, slope) of a logistic curve over the log-odds of shares [n], for outcomes 0 or 1 [n]."""
    x = np.stack([np.ones_like(share), np.array([log_odds(value) for value in share.tolist()])], axis=1)
    weights = np.zeros(2)
    ridge = np.diag([0.0, RIDGE])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-(x @ weights)))
        gradient = x.T @ (p - right) + ridge @ weights
        hessian = (x * (p * (1 - p))[:, None]).T @ x + ridge
        weights -= np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient)
    return float(weights[0]), max(float(weights[1]), 0.0)
