"""A category is the mean of its kinds, overall the mean of the categories tested, clean apart; intervals of both."""

from __future__ import annotations

import numpy as np
import pytest

from ctm.evaluation.averages import FIGURES, accuracy, counts, rare_kinds, shares
from ctm.pairs.overall import FEWEST, averages

OFTEN, SOME = 4 * FEWEST, FEWEST
CATEGORY = np.array(["syntax"] * (OFTEN + SOME) + ["logic"] * 2 + ["clean"] * 2)
KIND = np.array(["often"] * OFTEN + ["some"] * SOME + ["negated"] * 2 + ["clean"] * 2)
RIGHT = [*[True] * OFTEN, *[False] * SOME, True, False, False, False]


def test_frequent_kinds_weigh_no_more_than_others() -> None:
    shown = shares(CATEGORY, KIND, RIGHT)
    assert shown["syntax"] == pytest.approx(0.5), "all of 40 and none of 10 are one half, not four fifths"
    assert shown["logic"] == 0.5 and shown["clean"] == 0.0
    assert shown["overall"] == pytest.approx(0.5), "clean code does not count"
    assert shown["security"] is None and shown["complex"] is None


def test_a_rare_kind_weighs_by_its_items() -> None:
    kinds = np.array(["often"] * OFTEN + ["single"])
    category = np.array(["complex"] * len(kinds))
    shown = shares(category, kinds, [False] * OFTEN + [True])
    assert shown["complex"] == pytest.approx(0.1 / 1.1), (
        "one item is a tenth of a kind, not half of the category"
    )
    assert rare_kinds(category, kinds) == {"complex": {"kinds": 2, "rare": 1, "items": 1}}
    assert rare_kinds(category[:OFTEN], kinds[:OFTEN]) == {}
    only_rare = shares(category[:4], np.array(["a", "a", "a", "b"]), [True, True, False, False])
    assert only_rare["complex"] == pytest.approx(0.5), "where all kinds are rare, items weigh alike"


def test_items_weigh_alike_in_the_other_figure() -> None:
    shown = accuracy(CATEGORY, KIND, [""] * len(KIND), RIGHT)
    assert shown["accuracy"] == shares(CATEGORY, KIND, RIGHT)
    assert shown["accuracy_by_items"]["syntax"] == 0.8
    assert shown["accuracy_by_items"]["overall"] == (OFTEN + 1) / (OFTEN + SOME + 2)
    sure = shown["intervals"]
    assert all(set(sure[name]) == set(FIGURES) for name in ("units", "accuracy", "accuracy_by_items"))
    assert sure["units"]["syntax"] == OFTEN + SOME and sure["units"]["security"] == 0
    low, high = sure["accuracy_by_items"]["syntax"]
    assert low == pytest.approx(0.8 - 1.96 * (0.8 * 0.2 / 50) ** 0.5, abs=0.03) and low < 0.8 < high
    assert sure["accuracy"]["security"] is None


def test_intervals_are_wider_where_projects_differ() -> None:
    rng = np.random.default_rng(1)
    n = 400
    projects = [f"p{place % 8}" for place in range(n)]
    right = rng.random(n) < np.array([0.1, 0.9])[np.arange(n) % 8 // 4]
    category, kind = np.array(["logic"] * n), np.array(["a", "b"])[rng.integers(2, size=n)]

    def width(of: list[str], name: str) -> float:
        low, high = accuracy(category, kind, of, right.tolist())["intervals"][name]["logic"]
        return high - low

    for name in ("accuracy", "accuracy_by_items"):
        assert width(projects, name) > 3 * width([""] * n, name), "eight projects, of which half are hard"
    one = accuracy(category, kind, ["p"] * n, right.tolist())["intervals"]
    assert one["accuracy"]["logic"] is None and one["units"]["logic"] == 1, (
        "nothing can be said from one project"
    )


def test_counts_leave_clean_out_of_overall() -> None:
    assert counts(CATEGORY) == {
        "syntax": OFTEN + SOME, "logic": 2, "security": 0, "complex": 0, "clean": 2, "overall": OFTEN + SOME + 2
    }  # fmt: skip


def test_every_tick_is_averaged_by_itself() -> None:
    by_tick = np.stack([np.zeros(len(KIND)), np.ones(len(KIND))], axis=1)
    assert averages(CATEGORY, KIND, by_tick)["overall"] == pytest.approx([0.0, 1.0])


def test_only_clean_code_has_no_overall_figure() -> None:
    clean = CATEGORY == "clean"
    assert shares(CATEGORY[clean], KIND[clean], [True, True])["overall"] is None
    assert (
        accuracy(CATEGORY[clean], KIND[clean], ["", ""], [True, True])["intervals"]["accuracy"]["overall"]
        is None
    )
