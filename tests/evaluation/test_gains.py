"""Intervals of paired gains, rank correlations and bounds of losses, against arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from ctm.evaluation.averages import gains, shares
from ctm.evaluation.rank_correlation import FEWEST, rank_correlation
from ctm.evaluation.risk_control import items_needed, loss_bound, lost


def test_a_gain_is_the_difference_of_two_shares_and_its_interval_is_paired() -> None:
    rng = np.random.default_rng(0)
    n = 400
    category = np.array(["syntax", "logic"] * (n // 2))
    kind = np.array([f"{c}-{i % 3}" for i, c in enumerate(category)])
    projects = [f"p{i % 40}" for i in range(n)]
    before = rng.random(n) < 0.5
    after = before.copy()
    after[:40] = True  # nothing is lost
    found = gains(category, kind, projects, before, after)
    a, b = shares(category, kind, before.tolist()), shares(category, kind, after.tolist())
    for name in ("syntax", "logic", "overall"):
        assert found[name]["gain"] == pytest.approx(b[name] - a[name])
        low, high = found[name]["interval"]
        assert 0 <= low < found[name]["gain"] < high < 0.12, (
            "two unpaired shares would differ by 10 points by chance"
        )
    assert found["clean"] == {"gain": None, "interval": None}
    back = gains(category, kind, projects, after, before)["overall"]
    assert back["gain"] == pytest.approx(-found["overall"]["gain"]) and back["interval"][1] <= 0


def test_no_interval_where_nothing_changes_or_one_project_speaks() -> None:
    category = np.array(["syntax"] * 20)
    right = np.array([True] * 20)
    many, one = [f"p{i}" for i in range(20)], ["p"] * 20
    assert gains(category, category, many, right, right)["syntax"] == {"gain": 0.0, "interval": None}
    changed = right.copy()
    changed[0] = False
    assert gains(category, category, one, right, changed)["syntax"]["interval"] is None


def test_rank_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 6, 200).astype(float)
    y = x + rng.normal(0, 3, 200)
    y[:10] = np.nan
    found = rank_correlation(x, y, [f"p{i % 30}" for i in range(200)])
    assert found["n"] == 190
    assert found["correlation"] == pytest.approx(spearmanr(x[10:], y[10:]).statistic)
    low, high = found["interval"]
    assert low < found["correlation"] < high and low > 0.2
    few = rank_correlation(x[: FEWEST - 1], x[: FEWEST - 1], [""] * (FEWEST - 1))
    assert few["correlation"] is None
    same = rank_correlation(np.ones(50), np.arange(50.0), [""] * 50)
    assert same["correlation"] is None and same["n"] == 50


def test_bounds_of_losses() -> None:
    none = np.zeros(460, dtype=bool)
    projects = [f"p{i}" for i in range(460)]
    assert loss_bound(none, projects, 0.9) == pytest.approx(1 - 0.1 ** (1 / 460))
    assert loss_bound(none, projects, 0.9) < 0.005 < loss_bound(none[:-1], projects[:-1], 0.9)
    assert items_needed(0.005, 0.9) == 460
    together = np.zeros(400, dtype=bool)
    together[:20] = True
    spread, clumped = [f"p{i}" for i in range(400)], [f"p{i // 20}" for i in range(400)]
    assert loss_bound(together, clumped, 0.9) > loss_bound(together, spread, 0.9), "one project lost them all"
    right = np.array([[True, False], [False, True], [True, True]])
    certainty = np.array([[0.5, 0.9], [0.8, 0.9], [0.9, 0.8]], dtype=np.float32)
    assert lost(right, certainty, 0.7).tolist() == [False, True, False]
