"""Intervals hold what they promise: they cover the truth, know what a project is, and say nothing of one."""

from __future__ import annotations

import numpy as np
import pytest

from ctm.repair.intervals import draw_items, draw_units, intervals_of_means, units_of


def test_items_without_a_project_are_units_of_their_own() -> None:
    units = units_of(["a", "", "a", ""])
    assert units[0] == units[2] and len(set(units.tolist())) == 3


def test_nineteen_of_twenty_intervals_cover_the_truth() -> None:
    rng = np.random.default_rng(0)
    table = (rng.random((300, 200)) < 0.3).astype(np.float64)
    found = intervals_of_means(table, [""] * 300)
    covered = np.mean([low <= 0.3 <= high for low, high in found])
    assert 0.9 < covered < 0.99
    widths = [high - low for low, high in found]
    assert np.mean(widths) == pytest.approx(2 * 1.96 * (0.3 * 0.7 / 300) ** 0.5, rel=0.05)


def test_what_does_not_apply_is_left_out() -> None:
    values = np.array([[1.0, np.nan], [0.0, np.nan], [np.nan, 0.5], [1.0, np.nan]])
    first, second = intervals_of_means(values, [""] * 4)
    assert first is not None and first[0] < 2 / 3 < first[1]
    assert second is None, "of one item nothing can be said"
    assert intervals_of_means(np.zeros((0, 2)), []) == [None, None]


def test_none_of_a_hundred_is_not_surely_none() -> None:
    none, all_ = intervals_of_means(np.array([[0.0, 1.0]] * 100), [""] * 100)
    assert none == (0.0, pytest.approx(0.0362, abs=1e-3)) and all_ == (pytest.approx(0.9638, abs=1e-3), 1.0)


def test_projects_that_are_alike_do_not_make_it_surer_than_items_do() -> None:
    """Two projects with the same share: drawing them alone would give an interval without width."""
    values = np.array([[1.0], [0.0]] * 20)
    projects = ["a"] * 20 + ["b"] * 20
    assert intervals_of_means(values, projects) == intervals_of_means(values, [""] * 40)


def test_drawing_items_of_each_sort_is_drawing_items() -> None:
    sorts = np.eye(3)[[0] * 50 + [1] * 30 + [2] * 20]
    one, other = draw_units(sorts, np.arange(100)), draw_items(sorts.sum(axis=0))
    assert one.sum(axis=1).tolist() == other.sum(axis=1).tolist() == [100] * len(one)
    assert one.mean(axis=0) == pytest.approx(other.mean(axis=0), abs=0.5)
    assert one.std(axis=0) == pytest.approx(other.std(axis=0), rel=0.1)
