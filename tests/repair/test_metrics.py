"""The measures on outcomes made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.text import Text

from ctm.repair.harm import Harm
from ctm.repair.measuring import _print
from ctm.repair.metrics import BINS, Outcome, auroc, calibration_error, measure, report

KEYS = [
    "n",
    "coverage",
    "exact_at_1",
    "exact_at_5",
    "exact_at_10",
    "bifi",
    "guarded_bifi",
    "edited",
    "edit_precision",
    "edit_recall",
    "collateral_1",
    "collateral_3",
    "collateral_half",
    "over_deleted_5",
    "over_deleted_half",
    "statement_recall",
    "same_tree",
    "pass_at_1",
    "pass_at_10",
    "false_alarm",
    "ece",
    "auroc",
    "ticks_mean",
]


def outcome(**changes) -> Outcome:
    fields = {
        "category": "syntax",
        "in_scope": True,
        "is_clean": False,
        "is_broken": True,
        "exact_rank": None,
    }
    return Outcome(**(fields | changes))


def test_keys_are_those_of_the_contract_and_null_where_not_applicable():
    measures = measure([outcome(is_broken=False)])
    assert list(measures) == KEYS
    known = {"n", "coverage", "exact_at_1", "exact_at_5", "exact_at_10", "edited", "ece"}
    for name in KEYS:
        assert (measures[name] is None) == (name not in known), name
    assert set(measure([]).values()) == {0, None}
    assert list(measure([])) == KEYS


def test_exact_at_k_counts_ranks_and_out_of_scope_fails():
    items = [outcome(exact_rank=rank) for rank in (1, 2, 5, 6, 10, None)]
    items += [outcome(exact_rank=1, bifi=True, in_scope=False), outcome(exact_rank=1, bifi=True)]
    measures = report(items)
    assert measures["all"]["exact_at_1"] == 2 / 8
    assert measures["all"]["exact_at_5"] == 4 / 8
    assert measures["all"]["exact_at_10"] == 6 / 8
    assert measures["all"]["bifi"] == 1 / 8
    assert measures["all"]["coverage"] == 7 / 8
    assert measures["in_scope"]["n"] == 7 and measures["in_scope"]["coverage"] == 1.0
    assert measures["in_scope"]["exact_at_1"] == 2 / 7


def test_false_alarms_are_a_share_of_the_clean_items():
    items = [outcome(category="clean", is_clean=True, is_broken=False, exact_rank=1) for _ in range(3)]
    items.append(outcome(category="clean", is_clean=True, is_broken=False, is_changed=True))
    measures = report([*items, outcome(is_changed=True)])
    assert measures["all"]["false_alarm"] == measures["by_category"]["clean"]["false_alarm"] == 1 / 4
    assert measures["by_category"]["syntax"]["false_alarm"] is None
    assert measures["all"]["bifi"] == 0.0, "of the one that does not compile"


def test_tests_count_only_where_there_are_some_and_all_ran():
    ran = [outcome(has_test=True, test_ran=True, pass_rank=rank) for rank in (1, 4, None)]
    assert measure([*ran, outcome()])["pass_at_1"] == 1 / 3
    assert measure([*ran, outcome()])["pass_at_10"] == 2 / 3
    assert measure([*ran, outcome(has_test=True)])["pass_at_1"] is None


def test_calibration_error_by_hand():
    # one bin: mean confidence .95, half right; another: .1, all wrong
    assert calibration_error([0.95, 0.95, 0.1, 0.1], [True, False, False, False]) == pytest.approx(
        (0.45 * 2 + 0.1 * 2) / 4
    )
    assert calibration_error([1.0, 0.0], [True, False]) == 0.0
    edge = 1 / BINS
    assert calibration_error([edge, edge + 1e-9], [True, False]) == pytest.approx(
        0.5 * (1 - edge) + 0.5 * edge, abs=1e-6
    )


def harm(**changes) -> Harm:
    fields = {
        "edit_precision": 1.0, "edit_recall": 1.0, "collateral": 0, "names": 10, "over_deleted": 0, "tokens": 20,
        "statement_recall": 1.0, "same_tree": True,
    }  # fmt: skip
    return Harm(**(fields | changes))


def test_harm_is_a_share_of_the_answers_that_are_an_edit():
    items = [
        outcome(is_changed=True, harm=harm(collateral=lost, over_deleted=deleted, edit_precision=precision))
        for lost, deleted, precision in ((0, 0, 1.0), (1, 5, 0.5), (3, 6, 0.0), (6, 11, 0.1))
    ]
    items.append(
        outcome(harm=harm(edit_precision=None, edit_recall=0.0, same_tree=False, statement_recall=0.5))
    )
    measures = measure(items)
    assert measures["edited"] == 4 / 5
    assert measures["edit_precision"] == pytest.approx(1.6 / 4)
    assert measures["collateral_1"] == 3 / 4 and measures["collateral_3"] == 2 / 4
    assert measures["collateral_half"] == 1 / 4, "six of ten names; five are not over half"
    assert measures["over_deleted_5"] == 2 / 4, "more than five"
    assert measures["over_deleted_half"] == 1 / 4, "eleven of twenty tokens"
    assert measures["edit_recall"] == 4 / 5 and measures["statement_recall"] == pytest.approx(4.5 / 5)
    assert measures["same_tree"] == 4 / 5


def test_out_of_scope_fails_but_what_it_did_counts():
    lost = outcome(in_scope=False, is_changed=True, bifi=True, harm=harm(collateral=1, over_deleted=6))
    measures = measure([lost])
    assert measures["edit_recall"] == measures["same_tree"] == measures["guarded_bifi"] == 0.0
    assert measures["collateral_1"] == measures["over_deleted_5"] == measures["edit_precision"] == 1.0
    kept = outcome(in_scope=False, is_changed=True, bifi=True, harm=harm())
    assert measure([kept])["guarded_bifi"] == 1.0 and measure([kept])["bifi"] == 0.0


@pytest.mark.parametrize(
    ("changes", "guarded"),
    [
        ({}, 1.0),
        ({"collateral": 1}, 0.0),
        ({"edit_precision": 0.0}, 0.0),
        ({"edit_precision": 0.01, "over_deleted": 3}, 1.0),
    ],
)
def test_guarded_bifi_keeps_every_name_and_makes_an_edit_of_the_authors(changes, guarded: float):
    broken = outcome(bifi=True, is_changed=True, harm=harm(**changes))
    assert measure([broken])["bifi"] == 1.0
    assert measure([broken])["guarded_bifi"] == guarded
    assert measure([broken, outcome(is_broken=False)])["guarded_bifi"] == guarded, (
        "of those that do not compile"
    )
    assert measure([outcome(is_changed=True, harm=harm())])["guarded_bifi"] == 0.0, "BIFI's measure as well"


def test_auroc_by_hand():
    assert auroc([0.9, 0.8, 0.1], [True, True, False]) == 1.0
    assert auroc([0.9, 0.8, 0.1], [False, True, True]) == 0.0
    # pairs of right and wrong: .9 > .5, .9 > .1, .5 = .5 (a half), .5 > .1
    assert auroc([0.9, 0.5, 0.5, 0.1], [True, True, False, False]) == pytest.approx(3.5 / 4)
    assert auroc([0.9, 0.5], [True, True]) is None and auroc([], []) is None


def test_baselines_stand_beside_and_have_no_confidence():
    assert "baselines" not in report([outcome()])
    measures = report([outcome(exact_rank=1)], {"deletion": [outcome(bifi=True)]})
    assert list(measures) == ["all", "in_scope", "by_category", "baselines", "unreachable", "intervals"]
    sure = measures["intervals"]
    assert list(sure) == ["level", "projects", "all", "in_scope", "by_category", "baselines"]
    assert list(sure["all"]) == [name for name in KEYS if name not in ("n", "ece", "auroc", "ticks_mean")]
    beside = measures["baselines"]["deletion"]
    assert list(beside) == KEYS and beside["bifi"] == 1.0 and beside["exact_at_1"] == 0.0
    assert beside["ece"] is None and beside["auroc"] is None


def test_shares_have_an_interval_of_projects_where_those_are_known():
    right = [outcome(exact_rank=rank) for rank in (1, None) * 20]
    low, high = report(right)["intervals"]["all"]["exact_at_1"]
    assert 0.3 < low < 0.5 < high < 0.7
    alike = [replace(item, project="ab"[item.exact_rank is None]) for item in right]
    measures = report(alike)["intervals"]
    assert measures["projects"] == 2 and measures["all"]["exact_at_1"] == (0.0, 1.0), (
        "one is easy, the other hard"
    )
    assert measures["all"]["false_alarm"] is None


def test_items_that_no_search_can_get_right_are_counted_once():
    items = [
        outcome(exact_rank=1),
        outcome(in_scope=False),
        outcome(in_scope=False, fixed_compiles=False),
        outcome(fixed_compiles=False),
        outcome(fixed_compiles=False, is_clean=True),
    ]
    counted = report(items)["unreachable"]
    assert counted == {"out_of_scope": 2, "fixed_does_not_compile": 1, "share": 3 / 5}
    assert report([])["unreachable"]["share"] is None


def test_intervals_are_shown_where_the_terminal_is_wide_enough(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    measures = report([outcome(), outcome(exact_rank=1)])
    for columns, shown in (("80", True), ("60", False)):
        monkeypatch.setenv("COLUMNS", columns)
        _print(measures, Text("done"), to_stderr=False)
        said = capsys.readouterr().out
        assert ("95%" in said) == shown and "in scope" in said and said.endswith("done\n")
