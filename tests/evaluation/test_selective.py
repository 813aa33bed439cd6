"""Risk against coverage, and the same in plain loops; an oracle, a constant and chance have what arithmetic says."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from ctm.evaluation.scored import Scored
from ctm.evaluation.selective import COVERAGES, aurc, oracle_aurc, risks, selective


def scored(scores: list[float], right: list[bool]) -> Scored:
    return Scored(np.array(scores, dtype=np.float64), np.array(right, dtype=bool), [""] * len(scores))


def area_of(order: list[bool]) -> float:
    """Mean risk of the first k answers over all k."""
    return sum(order[:k].count(False) / k for k in range(1, len(order) + 1)) / len(order)


def test_area_is_the_mean_risk_and_ties_are_the_mean_over_their_orders() -> None:
    assert aurc(scored([0.9, 0.7, 0.5, 0.3], [True, False, True, False]).counts) == pytest.approx(
        (0 + 1 / 2 + 1 / 3 + 2 / 4) / 4
    )
    tied = [True, False, False]
    orders = [area_of([True, *order, False]) for order in permutations(tied)]
    found = aurc(scored([0.9, 0.5, 0.5, 0.5, 0.1], [True, *tied, False]).counts)
    assert found == pytest.approx(np.mean(orders))


def test_an_oracle_a_constant_and_the_reverse() -> None:
    right = [True] * 60 + [False] * 40
    oracle = selective(scored([0.9] * 60 + [0.2] * 40, right))
    assert oracle["auroc"] == 1.0 and oracle["aurc_excess"] == pytest.approx(0, abs=1e-12)
    assert oracle["aurc"] == pytest.approx(area_of(right))
    constant = selective(scored([0.6] * 100, right))
    assert constant["auroc"] == 0.5 and constant["aurc"] == constant["aurc_guess"] == pytest.approx(0.4)
    assert [point["risk"] for point in constant["curve"]] == pytest.approx([0.4] * len(COVERAGES))
    reverse = selective(scored([0.2] * 60 + [0.9] * 40, right))
    assert reverse["auroc"] == 0.0 and reverse["aurc"] == pytest.approx(area_of(right[::-1]))
    assert reverse["aurc_oracle"] == oracle["aurc"]


def test_chance_has_half_within_its_interval() -> None:
    rng = np.random.default_rng(0)
    found = selective(scored(rng.random(1000).tolist(), (rng.random(1000) < 0.3).tolist()))
    low, high = found["auroc_interval"]
    assert low < 0.5 < high and high - low == pytest.approx(2 * 1.96 * 0.02, rel=0.15), (
        "about (1 / 12 n)^1/2 x ..."
    )
    low, high = found["aurc_interval"]
    assert low < found["aurc_guess"] < high


def test_risk_at_a_coverage_is_that_of_the_surest() -> None:
    counts = scored([1.0, 0.9, 0.8, 0.7], [True, True, False, True]).counts
    assert risks(counts, np.array([0.25, 0.5, 0.75, 1.0])) == pytest.approx([0, 0, 1 / 3, 1 / 4])


def test_answers_of_few_projects_have_wider_intervals_than_single_ones() -> None:
    rng = np.random.default_rng(1)
    project = rng.integers(6, size=900)
    score = rng.random(900)
    right = rng.random(900) < np.where(project < 3, score, 0.5)  # in three projects the score says nothing
    names = [f"p{number}" for number in project]
    ends = [selective(Scored(score, right, projects))["auroc_interval"] for projects in (names, [""] * 900)]
    assert ends[0][1] - ends[0][0] > 1.5 * (ends[1][1] - ends[1][0])


def test_too_few_say_nothing_and_why() -> None:
    found = selective(scored([0.5] * 26, [False] * 26))
    assert found["auroc"] is found["aurc"] is None and found["curve"] == []
    assert found["reasons"]["auroc"].startswith("0 answers of one sort")
    assert found["reasons"]["aurc"] == "26 answers; a curve of risk needs 50"
    assert oracle_aurc(scored([0.5], [True]).counts) == 0.0
