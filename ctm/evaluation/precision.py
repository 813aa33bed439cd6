"""Confidence from which on so many answers to broken code are right: thresholds of abstention, chosen on validation.

Asked is the lowest confidence at which a lower bound of the precision of the answers given is at least what is asked.
Twenty confidences are looked at, and the lowest that holds is taken, which would be too good by luck. So the bound is
one of 99 %, and it has to hold at every step on the way down from one of five coverages that were fixed beforehand:
fixed sequence testing (Angelopoulos and others, Learn then test, arXiv 2110.01052), by which the precision is below
what was asked in at most 5 % of the validation sets that might have been drawn. The bound is the lower one of the
exact binomial bound and of drawing projects (where answers have one).

The answers are those that the curve of the confidence was fitted on. That does no harm here: a curve with a positive
slope does not change which answers come first, so any curve leads to the same answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from ctm.evaluation.repairs import CaseResult
from ctm.evaluation.scored import Scored
from ctm.repair.confidence import ConfidenceCurve
from ctm.repair.intervals import draw_units, ratios

PRECISIONS = (0.90, 0.95)
STEPS = 20
STARTS = (1, 2, 4, 6, 8)
"""Steps from which the way down begins, of STEPS: at 5, 10, 20, 30 and 40 % of the answers."""
LEVEL = 1 - 0.05 / len(STARTS)


@dataclass(frozen=True)
class PrecisionThreshold:
    """What a confidence gives on broken code of the validation split."""

    precision: float
    """What is asked."""
    confidence: float | None
    """Answers of this confidence and above are given (the one that `ctm-repair` shows); None: not shown to hold."""
    answers: int
    """Answers of at least that confidence; without one, all."""
    coverage: float | None
    """Their share of all broken items."""
    found: float | None
    """Share of them that are right."""
    low: float | None
    """Lower bound of that."""
    items: int
    """Broken items of the validation split, with an answer or not."""
    reason: str = ""
    """Why there is no threshold."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON and YAML."""
        return asdict(self)


def choose_precision(judged: Sequence[CaseResult], curve: ConfidenceCurve) -> list[PrecisionThreshold]:
    """A threshold for each of PRECISIONS, from repairs of broken code whose confidence is still their share.

    curve: makes of a share the confidence that a user is shown.
    """
    answered = [item for item in judged if item.evaluated.answers and item.evaluated.answers[0].edited]
    outcomes = [item.evaluated.outcome for item in answered]
    scored = Scored(
        np.array([curve(outcome.confidence) for outcome in outcomes], dtype=np.float64),
        np.array([outcome.is_right for outcome in outcomes], dtype=bool),
        [outcome.project for outcome in outcomes],
    )
    return [lowest_confidence(scored, asked, len(judged)) for asked in PRECISIONS]


def lowest_confidence(scored: Scored, asked: float, items: int) -> PrecisionThreshold:
    """The lowest confidence from which on at least `asked` of the answers are right; items: with those unanswered."""
    steps = [scored.score >= cut for cut in _cuts(scored)]
    bounds = [lower_bound(scored, given) for given in steps]
    reached = -1
    for start in STARTS:
        for step in range(start - 1, len(steps)):
            bound = bounds[step]
            if bound is None or bound < asked:
                break
            reached = max(reached, step)
    if reached < 0:
        return PrecisionThreshold(
            asked, None, len(scored), None, None, None, items, _why_none(scored, steps, bounds, asked)
        )
    given = steps[reached]
    return PrecisionThreshold(
        asked,
        float(scored.score[given].min()),
        int(given.sum()),
        float(given.sum() / items),
        float(scored.right[given].mean()),
        bounds[reached],
        items,
    )


def lower_bound(scored: Scored, given: NDArray[np.bool_]) -> float | None:
    """Bound of the precision of the `given` answers [n], one-sided; None where they are not of two projects."""
    units = scored.units[given]
    if not given.any() or len(np.unique(units)) < 2:
        return None
    right = scored.right[given]
    exact = binomtest(int(right.sum()), len(right), alternative="greater").proportion_ci(
        LEVEL, method="exact"
    )
    places = np.unique(units, return_inverse=True)[1]
    if places.max() + 1 == len(right):
        return float(exact.low)
    sums = draw_units(np.stack([right, np.ones(len(right))], axis=1), places)
    return float(min(exact.low, np.quantile(ratios(sums[:, 0], sums[:, 1]), 1 - LEVEL)))


def _cuts(scored: Scored) -> list[float]:
    """Confidence of the last answer of each step, the surest first; equal ones are given together."""
    ordered = np.sort(scored.score)[::-1]
    places = [-(-len(ordered) * step // STEPS) - 1 for step in range(1, STEPS + 1)]
    return [float(ordered[place]) for place in places] if len(ordered) else []


def _why_none(
    scored: Scored, steps: Sequence[NDArray[np.bool_]], bounds: Sequence[float | None], asked: float
) -> str:
    if not steps:
        return "no answer to broken code of the validation split"
    if all(bound is None for bound in bounds):
        return "answers of one project only: no bound can be given"
    best, given = max(
        ((bound, given) for bound, given in zip(bounds, steps, strict=True) if bound is not None),
        key=lambda pair: pair[0],
    )
    return (
        f"best are the {int(given.sum())} surest of {len(scored)} answers: {scored.right[given].mean():.1%} right, "
        f"lower bound {best:.1%}, "
        + (
            f"which is below {asked:.0%}"
            if best < asked
            else f"but none of the {len(STARTS)} coverages that the way down begins at reaches {asked:.0%}"
        )
    )
