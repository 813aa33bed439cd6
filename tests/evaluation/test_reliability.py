"""Calibration: figures are those of a hand's arithmetic, intervals hold what they promise, too few say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from ctm.evaluation.reliability import LEAST, bin_table, fit_lines, log_odds, reliability
from ctm.evaluation.scored import BINS, Counts, Scored, equal_mass, equal_mass_error


def scored(scores: list[float], right: list[bool], projects: list[str] | None = None) -> Scored:
    return Scored(
        np.array(scores, dtype=np.float64), np.array(right, dtype=bool), projects or [""] * len(scores)
    )


def drawn(n: int, seed: int, exponent: float = 1.0) -> Scored:
    """Answers that are right with probability score ** exponent: calibrated at 1."""
    rng = np.random.default_rng(seed)
    score = rng.beta(2, 1, n)
    return Scored(score, rng.random(n) < score**exponent, [""] * n)


def test_bins_hold_as_many_answers_each_and_equal_scores_together() -> None:
    places = equal_mass(np.random.default_rng(0).permutation(60) / 60, BINS)
    assert np.bincount(places).tolist() == [4] * BINS
    tied = equal_mass(np.array([0.5] * 30 + [0.1, 0.9] * 15), 3)
    assert [set(tied[part].tolist()) for part in (slice(30), slice(30, None, 2), slice(31, None, 2))] == [
        {1},
        {0},
        {2},
    ]


def test_error_by_hand_and_of_nothing() -> None:
    confidence = np.array([0.9, 0.85, 0.8, 0.7, 0.5, 0.4])
    right = np.array([1, 1, 1, 0, 1, 0], dtype=bool)
    # three bins of two, least certain first: |.45 - .5|, |.75 - .5|, |.875 - 1|
    assert equal_mass_error(confidence, right, 3) == pytest.approx((0.05 + 0.25 + 0.125) / 3)
    assert equal_mass_error(confidence[:0], right[:0]) is None


def test_one_error_for_both_pages_whatever_the_order_of_equal_scores() -> None:
    """The error beside the TRM and the one of the certainty section are one figure, ties included.

    Forty answers of .9, 20 right, and twenty of .2, 10 right, in three bins: the .9 are one bin in any order, so
    (40 x .4 + 20 x .3) / 60. Bins that divide them in the order of the file would say another thing for each order.
    """
    score = np.array([0.9] * 40 + [0.2] * 20)
    right = np.array([True] * 20 + [False] * 20 + [True] * 10 + [False] * 10)
    other = np.concatenate([right[39::-1], right[40:]])
    assert equal_mass_error(score, right, 3) == pytest.approx((40 * 0.4 + 20 * 0.3) / 60)
    assert equal_mass_error(score, other, 3) == pytest.approx(equal_mass_error(score, right, 3))
    assert equal_mass_error(score, right) == pytest.approx(
        reliability(Scored(score, right, [""] * 60))["ece"]
    )


def test_error_of_two_levels_by_hand() -> None:
    """Thirty answers of score .5, 21 right, and thirty of .9, 24 right: (30 x .2 + 30 x .1) / 60."""
    found = reliability(
        scored([0.5] * 30 + [0.9] * 30, [True] * 21 + [False] * 9 + [True] * 24 + [False] * 6)
    )
    assert found["ece"] == pytest.approx(0.15)
    assert found["brier"] == pytest.approx((21 * 0.25 + 9 * 0.25 + 24 * 0.01 + 6 * 0.81) / 60)
    assert [(one["n"], one["score"], one["right"]) for one in found["bins"]] == [
        (30, pytest.approx(0.5), pytest.approx(0.7)), (30, pytest.approx(0.9), pytest.approx(0.8))
    ]  # fmt: skip
    line = np.polyfit(log_odds(np.array([0.5, 0.9])), log_odds(np.array([0.7, 0.8])), 1)
    assert (found["slope"], found["intercept"]) == pytest.approx(line, abs=1e-3), (
        "through two points goes one curve"
    )


def test_a_constant_at_its_accuracy_is_calibrated_and_has_no_slope() -> None:
    found = reliability(scored([0.6] * 100, [True] * 60 + [False] * 40))
    assert found["ece"] == pytest.approx(0) and found["brier"] == pytest.approx(0.24)
    assert len(found["bins"]) == 1 and found["slope"] is None
    assert found["reasons"]["slope"] == "all scores are equal"


def test_an_oracle_that_knows_has_no_error() -> None:
    found = reliability(scored([1.0] * 40 + [0.0] * 60, [True] * 40 + [False] * 60))
    assert found["ece"] == found["brier"] == 0.0 and found["ece_interval"][0] == 0.0


def test_who_is_always_sure_errs_as_often_as_answers_are_wrong() -> None:
    found = reliability(scored([1.0] * 200, [True] * 150 + [False] * 50))
    assert found["ece"] == found["brier"] == 0.25
    low, high = found["ece_interval"]
    assert 0.18 < low < 0.25 < high < 0.32


def test_too_few_answers_say_nothing_and_why() -> None:
    found = reliability(scored([0.4] * (LEAST - 1), [False] * (LEAST - 1)))
    assert found["ece"] is found["ece_interval"] is found["slope"] is None and found["bins"] == []
    assert found["reasons"] == {
        "ece": "49 answers; a calibration error needs 50",
        "slope": "0 answers of one sort; a slope needs 10 right and as many wrong",
    }
    assert found["brier"] == pytest.approx(0.16), "a mean over items can be had"
    alike = reliability(scored([0.4] * 30, [True, False] * 15))
    assert set(alike["reasons"]) == {"ece", "slope"}, "one reason does not replace another"
    none = reliability(scored([], []))
    assert none["brier"] is none["ece"] is None


def test_intervals_of_the_error_cover_the_truth_also_where_it_is_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A plain bootstrap never covers 0: chance only adds to a calibration error."""
    monkeypatch.setattr("ctm.repair.intervals.DRAWS", 200)
    covered = []
    for seed in range(20):
        low, high = reliability(drawn(400, seed))["ece_interval"]
        covered.append(low <= 0.0 <= high)
    assert np.mean(covered) > 0.85
    found = reliability(drawn(2000, 0, exponent=2.0))
    assert found["ece_interval"][0] > 0.05 and found["ece"] > 4 * found["ece_if_calibrated"]["mean"]
    calibrated = reliability(drawn(2000, 1))
    assert calibrated["ece"] < 1.5 * calibrated["ece_if_calibrated"]["high"]


def test_one_project_has_figures_but_no_intervals() -> None:
    some = drawn(200, 3)
    found = reliability(Scored(some.score, some.right, ["a"] * 200))
    assert found["ece"] is not None and found["ece_interval"] is found["brier_interval"] is None
    assert all(one["interval"] is None for one in bin_table(Scored(some.score, some.right, ["a"] * 200)))


def test_projects_that_differ_make_wider_intervals() -> None:
    some = drawn(400, 4)
    good = np.arange(400) < 200
    right = np.where(good, True, some.right & (np.arange(400) % 2 == 0))
    alone, together = (
        reliability(Scored(some.score, right, projects))["brier_interval"]
        for projects in ([""] * 400, ["a" if one else f"b{place % 3}" for place, one in enumerate(good)])
    )
    assert together[1] - together[0] > 1.5 * (alone[1] - alone[0])


def test_slopes_of_draws_are_those_of_the_library() -> None:
    some = drawn(600, 5, exponent=1.4)
    found = reliability(some)
    x, place = np.unique(log_odds(some.score), return_inverse=True)
    n = np.bincount(place).astype(np.float64)
    line = fit_lines(Counts(n, np.bincount(place, some.right.astype(float))), x)[0]
    assert (found["intercept"], found["slope"]) == pytest.approx(tuple(line), abs=1e-3)
    for name in ("slope", "intercept"):
        low, high = found[f"{name}_interval"]
        assert low < found[name] < high


def test_scores_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        scored([0.5, float("nan")], [True, False])
