"""Paired differences and McNemar's test against arithmetic by hand."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from ctm.evaluation.paired import conclusion, mcnemar, paired_difference

CATEGORY = np.repeat(["syntax", "logic", "clean"], [40, 20, 20])
KIND = np.repeat(["a", "b", "c", "clean"], [20, 20, 20, 20])
PROJECTS = [f"p{n % 10}" for n in range(80)]


def answers(*right: int) -> np.ndarray:
    """Items of each kind that are right, the first ones of it: [80]."""
    said = np.zeros(80, dtype=bool)
    for start, number in zip((0, 20, 40, 60), right, strict=True):
        said[start : start + number] = True
    return said


def test_difference_is_that_of_the_averages() -> None:
    first, second = answers(20, 10, 5, 20), answers(10, 10, 5, 10)
    found = paired_difference(CATEGORY, KIND, PROJECTS, first[:, None], second[:, None])
    by_kinds = {name: one["value"] for name, one in found["accuracy"].items()}
    assert by_kinds["syntax"] == pytest.approx((20 - 10) / 20 / 2), "the mean of its two kinds"
    assert by_kinds["logic"] == 0 and by_kinds["security"] is None and by_kinds["clean"] == pytest.approx(0.5)
    assert by_kinds["overall"] == pytest.approx(0.25 / 2), "the mean of syntax and logic"
    assert found["accuracy_by_items"]["overall"]["value"] == pytest.approx(10 / 60)
    assert found["by_seed"] == [pytest.approx(0.125)]
    low, high = found["accuracy"]["syntax"]["interval"]
    assert 0 < low < 0.25 < high < 0.5
    assert found["accuracy"]["security"]["interval"] is None


def test_pairing_makes_the_interval_narrow_where_both_fail_on_the_same_items() -> None:
    """One item apart on items half of which are too hard for both; unpaired, each accuracy is sure to 16 points."""
    first, second = answers(11, 10, 10, 20), answers(10, 10, 10, 20)
    low, high = paired_difference(CATEGORY, KIND, PROJECTS, first[:, None], second[:, None])["accuracy"][
        "syntax"
    ]["interval"]
    assert -0.01 < low <= 0 < high < 0.1


def test_whole_projects_are_drawn_and_one_says_nothing() -> None:
    first, second = answers(20, 20, 0, 0), answers(0, 0, 0, 0)
    of_two = ["p" if n < 10 else "q" for n in range(80)]
    apart = np.where(np.arange(80) < 10, first, second)  # all of the difference is one project's
    wide = paired_difference(CATEGORY, KIND, of_two, apart[:, None], second[:, None])["accuracy"]["syntax"]
    low, high = wide["interval"]
    assert (low, high) == (0, 1), (
        "in a quarter of the draws none of its items are there, in a quarter no others"
    )
    one = paired_difference(CATEGORY, KIND, ["p"] * 80, first[:, None], second[:, None])["accuracy"]["syntax"]
    assert one["value"] == 1 and one["interval"] is None


def test_equal_answers_are_no_proof_of_equal_models() -> None:
    same = answers(5, 5, 5, 5)[:, None]
    overall = paired_difference(CATEGORY, KIND, PROJECTS, same, same)["accuracy"]["overall"]
    bound = 1 - 0.025 ** (1 / 10)
    assert overall["value"] == 0 and overall["interval"] == pytest.approx((-bound, bound)), (
        "ten projects alike"
    )


def test_seeds_are_drawn_as_well() -> None:
    first = np.stack([answers(20, 20, 20, 0), answers(0, 0, 0, 0)], axis=1)
    second = np.stack([answers(10, 10, 10, 0)] * 2, axis=1)
    found = paired_difference(CATEGORY, KIND, PROJECTS, first, second)
    assert found["by_seed"] == [pytest.approx(0.5), pytest.approx(-0.5)]
    low, high = found["accuracy"]["overall"]["interval"]
    assert found["accuracy"]["overall"]["value"] == pytest.approx(0)
    assert low < -0.4 and high > 0.4, "one seed of two decides"
    with pytest.raises(ValueError, match="as many trainings"):
        paired_difference(CATEGORY, KIND, PROJECTS, first, second[:, :1])


def test_mcnemar_by_hand() -> None:
    first, second = answers(20, 0, 3, 0), answers(12, 2, 3, 0)
    found = mcnemar(CATEGORY, first, second)
    assert found["syntax"] == {"n": 40, "only_first": 8, "only_second": 2, "p": pytest.approx(p_of(8, 2))}
    assert found["logic"] == {"n": 20, "only_first": 0, "only_second": 0, "p": None}
    assert found["overall"]["n"] == 60 and found["clean"]["n"] == 20


def p_of(more: int, fewer: int) -> float:
    """Two-sided: twice the tail of tosses of a fair coin."""
    n = more + fewer
    return 2 * sum(comb(n, k) for k in range(fewer + 1)) / 2**n


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.01, 0.2), "A is ahead of B"),
        ((-0.2, -0.01), "A is behind B"),
        ((-0.01, 0.015), "match within 2%"),
        ((-0.01, 0.2), "no difference is shown"),
        (None, "too few projects"),
    ],
)
def test_what_an_interval_lets_one_say(interval: tuple[float, float] | None, words: str) -> None:
    assert words in conclusion(interval, "A", "B")
