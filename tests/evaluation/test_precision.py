"""Thresholds of precision: the lowest that holds, none where none holds, and wrong in at most one of twenty sets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from ctm.evaluation.precision import LEVEL, PRECISIONS, choose_precision, lower_bound, lowest_confidence
from ctm.evaluation.repairs import CaseResult
from ctm.evaluation.scored import Scored
from ctm.evaluation.suites import Case
from ctm.repair.confidence import ConfidenceCurve
from ctm.repair.evaluate import Item, judge_item
from ctm.repair.passes import REPAIRED, Repair


def test_the_bound_is_the_exact_binomial_one() -> None:
    right = np.arange(100) < 97
    found = lower_bound(Scored(np.ones(100), right, [""] * 100), np.ones(100, dtype=bool))
    assert found == pytest.approx(beta.ppf(1 - LEVEL, 97, 4))


def test_a_project_that_is_worse_lowers_the_bound() -> None:
    right = np.arange(400) >= 24  # the first project has all the wrong answers
    given = np.ones(400, dtype=bool)
    alone = lower_bound(Scored(np.ones(400), right, [""] * 400), given)
    together = lower_bound(Scored(np.ones(400), right, ["bad"] * 60 + ["a", "b", "c", "d"] * 85), given)
    assert alone is not None and together is not None and together < alone - 0.1
    assert lower_bound(Scored(np.ones(400), right, ["bad"] * 400), given) is None


def test_the_lowest_confidence_that_holds_is_chosen() -> None:
    """Above .5 all are right, below none is: nine tenths are right down to where a tenth of the given is wrong."""
    score = np.linspace(1, 0, 1000)
    chosen = lowest_confidence(Scored(score, score > 0.5, [""] * 1000), 0.9, 1250)
    assert chosen.confidence == pytest.approx(0.5, abs=0.051) and chosen.low is not None and chosen.low >= 0.9
    assert chosen.answers == (score >= chosen.confidence).sum() and chosen.coverage == chosen.answers / 1250
    higher = lowest_confidence(Scored(score, score > 0.5, [""] * 1000), 0.95, 1250)
    assert higher.confidence is not None and higher.confidence >= chosen.confidence


def test_none_holds_and_the_reason_has_the_figures() -> None:
    rng = np.random.default_rng(0)
    chosen = lowest_confidence(Scored(rng.random(300), rng.random(300) < 0.6, [""] * 300), 0.9, 300)
    assert chosen.confidence is chosen.found is chosen.coverage is None
    assert "of 300 answers" in chosen.reason and "below 90%" in chosen.reason
    few = lowest_confidence(Scored(np.linspace(0, 1, 20), np.ones(20, dtype=bool), [""] * 20), 0.9, 20)
    assert few.confidence is None, "twenty right answers do not show that nine of ten are"
    assert lowest_confidence(Scored(np.zeros(0), np.zeros(0, dtype=bool), []), 0.9, 9).reason.startswith(
        "no answer"
    )
    one = lowest_confidence(Scored(np.ones(300), np.ones(300, dtype=bool), ["a"] * 300), 0.9, 300)
    assert one.reason.startswith("answers of one project only")


def test_a_bound_that_holds_but_is_reached_from_no_start_is_not_called_too_low() -> None:
    """94 % right at any confidence: 300 answers show nine tenths, the first 120 of them do not."""
    right = np.arange(400) % 17 > 0
    chosen = lowest_confidence(Scored(np.linspace(1, 0, 400), right, [""] * 400), 0.9, 400)
    given = np.ones(400, dtype=bool)
    bound = lower_bound(Scored(np.ones(400), right, [""] * 400), given)
    assert chosen.confidence is None and bound is not None and bound >= 0.9
    assert "lower bound 90" in chosen.reason and "below 90%" not in chosen.reason


def test_what_is_promised_holds_in_nineteen_of_twenty_validation_sets() -> None:
    """Looking at twenty confidences and taking the lowest that looks good must not break the promise."""
    broken = found = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        score = rng.random(1500)
        right = rng.random(1500) < 0.55 + 0.45 * score
        chosen = lowest_confidence(Scored(score, right, [""] * 1500), 0.9, 1500)
        if chosen.confidence is not None:
            found += 1
            broken += 0.55 + 0.45 * (1 + chosen.confidence) / 2 < 0.9  # precision of all answers above it
    assert found > 60 and broken <= 5


def test_users_are_told_the_confidence_that_they_are_shown() -> None:
    """The curve moves the threshold and leaves the answers as they are; items without an answer count in coverage."""
    judged = [_judged(share, share > 0.4) for share in np.linspace(0.05, 0.95, 300)] + [
        _judged(None, False)
    ] * 100
    curve = ConfidenceCurve(0.2, 0.8).of_real_errors
    plain, shown = choose_precision(judged, ConfidenceCurve()), choose_precision(judged, curve)
    assert [one.precision for one in shown] == list(PRECISIONS)
    for one, other in zip(plain, shown, strict=True):
        assert one.confidence is not None and other.confidence == pytest.approx(curve(one.confidence))
        assert one.answers == other.answers and other.coverage == pytest.approx(one.answers / 400)


def _judged(share: float | None, is_right: bool) -> CaseResult:
    item = Item("x", "def f(:", "def f():", "syntax")
    edit = object()
    repair = Repair(
        "def f():" if is_right else "f()", () if share is None else (edit,), 0.5, 1, 1, REPAIRED, share is not None,
        share or 0.0,
    )  # type: ignore[arg-type]  # fmt: skip
    return CaseResult(Case(item, "", 3, 1, None), judge_item(item, repair, ""), None)
