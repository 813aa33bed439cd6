"""Is an answer as often right as its score says? Calibration error, Brier score, slope, and the reliability diagram.

Expected calibration error (ECE): the mean distance between score and share of right answers over 15 bins with equally
many answers. Equal-width bins (`ece` of `ctm-repair evaluate`) leave most bins empty where scores crowd together, as
they do here (arXiv 1909.10155). Even a perfectly calibrated score has an ECE above 0, by chance; what it would have on
as many answers stands beside it. Slope and intercept (Cox, Two further applications of a model for binary regression,
1958): log-odds of being right = intercept + slope x log-odds of the score; 0 and 1 where scores are right, a slope
below 1 where they are too extreme.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from ctm.evaluation.scored import BINS, Counts, Scored, equal_mass, equal_mass_error
from ctm.repair.intervals import SEED, Floats, Interval, draw_units, farther_ends, intervals_of_means, ratios

LEAST = 50
"""Answers below which there is no calibration error: bins of three say nothing."""
LEAST_OF_EACH = 10
"""Right and wrong answers below which no curve is laid through them."""
EDGE = 0.001
"""For log-odds scores are taken to be within [EDGE, 1 - EDGE]."""
_CALIBRATED_DRAWS = 400
_NEWTON_STEPS = 12
_LARGEST = 50.0


def reliability(scored: Scored) -> dict[str, Any]:
    """ECE, Brier score, slope and intercept with 95 % intervals by project, and the bins of the diagram.

    Null where there are too few answers; `reasons` says which figures and why.
    """
    found: dict[str, Any] = {
        "brier": None, "brier_interval": None, "ece": None, "ece_interval": None, "ece_if_calibrated": None,
        "slope": None, "slope_interval": None, "intercept": None, "intercept_interval": None, "bins": [],
        "reasons": {},
    }  # fmt: skip
    if len(scored):
        losses = ((scored.score - scored.right) ** 2)[:, None]
        found["brier"] = float(brier_score_loss(scored.right.astype(int), scored.score))
        found["brier_interval"] = intervals_of_means(losses, scored.projects)[0]
    if len(scored) < LEAST:
        found["reasons"]["ece"] = f"{len(scored)} answers; a calibration error needs {LEAST}"
    else:
        found |= _calibration(scored)
    few = min(int(scored.right.sum()), int((~scored.right).sum()))
    if few < LEAST_OF_EACH:
        found["reasons"]["slope"] = (
            f"{few} answers of one sort; a slope needs {LEAST_OF_EACH} right and as many wrong"
        )
    elif np.ptp(log_odds(scored.score)) < 1e-9:
        found["reasons"]["slope"] = "all scores are equal"
    else:
        found |= _slope(scored)
    return found


def bin_table(scored: Scored) -> list[dict[str, Any]]:
    """The bins of the diagram, lowest scores first: answers, mean score, share right and its interval by project."""
    place = equal_mass(scored.score, BINS)
    used = np.unique(place)
    inside = np.where(place[:, None] == used, scored.right[:, None].astype(np.float64), np.nan)
    intervals = intervals_of_means(inside, scored.projects)
    return [
        {
            "n": int((place == number).sum()),
            "score": float(scored.score[place == number].mean()),
            "right": float(scored.right[place == number].mean()),
            "interval": ends,
        }
        for number, ends in zip(used.tolist(), intervals, strict=True)
    ]


def _calibration(scored: Scored) -> dict[str, Any]:
    place = equal_mass(scored.score, BINS)
    gaps = np.zeros((len(scored), BINS))
    gaps[np.arange(len(scored)), place] = scored.score - scored.right
    error = equal_mass_error(scored.score, scored.right)
    assert error is not None, "there are answers"
    chance = _if_calibrated(scored, place)
    return {
        "ece": error,
        "ece_interval": _error_interval(scored, gaps, error, chance["high"]) if scored.is_of_many else None,
        "ece_if_calibrated": chance,
        "bins": bin_table(scored),
    }


def _error_interval(scored: Scored, gaps: Floats, error: float, chance: float) -> Interval:
    """Of the calibration error that infinitely many answers would have in these bins.

    Chance only adds to a calibration error, and draws have the chance of the set that they are drawn from on top of
    their own: they lie too high by as much as the error itself does. So they are mirrored at it (basic bootstrap), and
    the lower end is 0 where scores that are right would give such an error once in twenty times, `chance`.
    """
    table = np.hstack([gaps, np.ones((len(scored), 1))])
    draws = [draw_units(table, np.arange(len(scored)))]
    if scored.units.max() + 1 < len(scored):
        draws.append(draw_units(table, scored.units))
    low, high = farther_ends([ratios(np.abs(sums[:, :-1]).sum(axis=1), sums[:, -1]) for sums in draws])
    return 0.0 if error <= chance else max(0.0, 2 * error - high), min(1.0, max(error, 2 * error - low))


def _if_calibrated(scored: Scored, place: Any) -> dict[str, float]:
    """ECE that as many answers with these scores have if every score is the probability of being right."""
    rng = np.random.default_rng(SEED)
    errors = []
    for _ in range(_CALIBRATED_DRAWS):
        gaps = scored.score - (rng.random(len(scored)) < scored.score)
        errors.append(np.abs(np.bincount(place, gaps, minlength=BINS)).sum() / len(scored))
    return {"mean": float(np.mean(errors)), "high": float(np.quantile(errors, 0.95))}


def log_odds(score: Floats) -> Floats:
    """log(score / (1 - score)) of scores within the edges."""
    inside = np.clip(score, EDGE, 1 - EDGE)
    return np.asarray(np.log(inside / (1 - inside)))


def _slope(scored: Scored) -> dict[str, Any]:
    """Logistic regression of right on the log-odds of the score, without a penalty."""
    x = log_odds(scored.score)
    fitted = LogisticRegression(C=np.inf, max_iter=500).fit(x[:, None], scored.right)
    found: dict[str, Any] = {"slope": float(fitted.coef_[0, 0]), "intercept": float(fitted.intercept_[0])}
    if scored.is_of_many:
        means = np.bincount(scored.levels, x) / np.bincount(scored.levels)
        lines = [fit_lines(counts, means) for counts in scored.draws]
        found["intercept_interval"] = farther_ends([line[:, 0] for line in lines])
        found["slope_interval"] = farther_ends([line[:, 1] for line in lines])
    return found


def fit_lines(counts: Counts, x: Floats) -> Floats:
    """(intercept, slope) of the logistic curve of every draw, [D, 2], by Newton's method; x: log-odds by level, [G]."""
    n, right = np.atleast_2d(counts.n), np.atleast_2d(counts.right)
    lines = np.zeros((len(n), 2))
    for _ in range(_NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(lines[:, :1] + lines[:, 1:] * x, -_LARGEST, _LARGEST)))
        missing, weight = right - n * p, n * p * (1 - p)
        gradient = np.stack([missing.sum(axis=1), missing @ x], axis=1)
        a, b, c = weight.sum(axis=1) + 1e-9, weight @ x, weight @ (x * x) + 1e-9
        step = np.stack(
            [c * gradient[:, 0] - b * gradient[:, 1], a * gradient[:, 1] - b * gradient[:, 0]], axis=1
        )
        lines = np.clip(lines + step / (a * c - b * b)[:, None], -_LARGEST, _LARGEST)
    return lines
