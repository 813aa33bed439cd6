"""A category is the mean of its kinds, overall the mean of the categories tested, clean apart."""

from __future__ import annotations

import numpy as np

from ctm.evaluation.averages import averages, counts, shares

CATEGORY = np.array(["syntax"] * 6 + ["logic"] * 2 + ["clean"] * 2)
KIND = np.array(["often"] * 4 + ["rare"] * 2 + ["negated"] * 2 + ["clean"] * 2)
RIGHT = [True, True, True, True, False, False, True, False, False, False]


def test_frequent_kinds_weigh_no_more_than_rare_ones() -> None:
    shown = shares(CATEGORY, KIND, RIGHT)
    assert shown["syntax"] == 0.5, "4 of 4 and 0 of 2 are one half, not two thirds"
    assert shown["logic"] == 0.5 and shown["clean"] == 0.0
    assert shown["overall"] == 0.5, "clean code does not count"
    assert shown["security"] is None and shown["complex"] is None


def test_counts_leave_clean_out_of_overall() -> None:
    assert counts(CATEGORY) == {
        "syntax": 6, "logic": 2, "security": 0, "complex": 0, "clean": 2, "overall": 8
    }  # fmt: skip


def test_every_tick_is_averaged_by_itself() -> None:
    by_tick = np.stack([np.zeros(10), np.ones(10)], axis=1)
    assert averages(CATEGORY, KIND, by_tick)["overall"].tolist() == [0.0, 1.0]


def test_only_clean_code_has_no_overall_figure() -> None:
    clean = CATEGORY == "clean"
    assert shares(CATEGORY[clean], KIND[clean], [True, True])["overall"] is None
