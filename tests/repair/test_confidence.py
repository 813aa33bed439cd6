"""From the share of an answer to the probability that it is right."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ctm.repair.confidence import ConfidenceCurve

SHARES = [0.0, 0.03, 0.2, 0.5, 0.8, 0.97, 1.0]


def test_without_a_curve_a_share_is_its_own_probability():
    assert [ConfidenceCurve()(share) for share in SHARES] == SHARES


def test_the_curve_for_real_errors_lies_over_the_one_for_made_errors():
    both = ConfidenceCurve(intercept=1.0, slope=0.5, real_intercept=-1.0, real_slope=2.0)
    assert both(0.5) == pytest.approx(ConfidenceCurve(intercept=1.0)(0.5))  # 2 x 1 - 1
    assert both.of_made_errors(0.5) == pytest.approx(ConfidenceCurve(intercept=1.0)(0.5))
    assert both(0.8) > both.of_made_errors(0.8)


def test_real_errors_are_harder_than_made_ones_and_a_greater_share_is_never_worth_less():
    curve = ConfidenceCurve(intercept=0.3, slope=0.8).of_real_errors
    values = [curve(share) for share in SHARES]
    assert all(low <= high for low, high in pairwise(values))
    assert all(curve(share) <= curve.of_made_errors(share) for share in SHARES if share >= 0.5)


@pytest.mark.parametrize("sign", [-1, 1])
def test_numbers_that_a_bundle_may_have_overflow_nothing(sign: int):
    curve = ConfidenceCurve(sign * 100.0, 100.0, sign * 100.0, 100.0)
    assert all(0.0 <= curve(share) <= 1.0 for share in SHARES)
