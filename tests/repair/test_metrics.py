"""The measures on outcomes made by hand."""

from __future__ import annotations

import pytest

from ctm.repair.metrics import BINS, Outcome, calibration_error, measure, report

KEYS = [
    "n",
    "coverage",
    "exact_at_1",
    "exact_at_5",
    "exact_at_10",
    "bifi",
    "pass_at_1",
    "pass_at_10",
    "false_alarm",
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
    assert list(measures) == [*KEYS, "ece", "ticks_mean"]
    for name in ("bifi", "pass_at_1", "pass_at_10", "false_alarm", "ticks_mean"):
        assert measures[name] is None, name
    assert set(measure([]).values()) == {0, None}


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
