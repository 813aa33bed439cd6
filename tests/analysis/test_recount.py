"""Flips, critical ticks and ends of thoughts counted again in plain loops, from raw answers."""

from __future__ import annotations

import numpy as np
import pytest

from ctm.analysis.early_exit import early_exit
from ctm.analysis.expectations import expectations
from ctm.analysis.flips import critical_figures, critical_ticks, flips
from ctm.analysis.tick_table import TickTable
from ctm.evaluation.risk_control import GRID, loss_bound
from ctm.evaluation.text_difficulty import edit_length, nesting

COST = {"encode": 1000, "tick": 10, "read": 300}
TICKS = 6


def random_table(n: int = 240, seed: int = 3) -> TickTable:
    """Answers at random, one kind a category and at least ten items of each, so that shares are plain means."""
    rng = np.random.default_rng(seed)
    category = np.array([("syntax", "logic", "clean")[i % 3] for i in range(n)])
    right = rng.random((n, TICKS)) < 0.5
    certainty = rng.random((n, TICKS)).astype(np.float32)
    asked = rng.random(n) < 0.9
    right[~asked] = False
    certainty[~asked] = np.nan
    return TickTable(category, category, [f"p{i % 11}" for i in range(n)], right, certainty, asked)


def of(table: TickTable, category: str) -> list[list[bool]]:
    return [r.tolist() for r, c in zip(table.right, table.category, strict=True) if c == category]


def test_flips_are_counted_between_neighboring_ticks() -> None:
    table = random_table()
    found = flips(table)
    for category in ("syntax", "logic", "clean"):
        rows = of(table, category)
        for tick in range(1, TICKS):
            won = sum(1 for row in rows if not row[tick - 1] and row[tick])
            lost = sum(1 for row in rows if row[tick - 1] and not row[tick])
            assert found["won"][category][tick - 1] == pytest.approx(won / len(rows))
            assert found["lost"][category][tick - 1] == pytest.approx(lost / len(rows))
    by_hand = (found["won"]["syntax"][2] + found["won"]["logic"][2]) / 2
    assert found["won"]["overall"][2] == pytest.approx(by_hand), "overall is the mean of categories but clean"


def test_critical_ticks_by_hand_and_by_loops() -> None:
    rows = [[0, 1, 1], [1, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 0]]
    found = critical_ticks(np.array(rows, dtype=bool)).tolist()
    assert found[:3] == [2, 1, 3] and np.isnan(found[3]) and np.isnan(found[4])

    table = random_table()
    figures = critical_figures(table)
    for category in ("syntax", "clean"):
        ticks, never = [], 0
        for row in of(table, category):
            never += not any(row)
            for tick in range(1, TICKS + 1):
                if all(row[tick - 1 :]):
                    ticks.append(tick)
                    break
        n = len(of(table, category))
        assert figures[category]["n"] == n
        assert figures[category]["settled"] == pytest.approx(len(ticks) / n)
        assert figures[category]["never"] == pytest.approx(never / n)
        assert figures[category]["between"] == pytest.approx(1 - (len(ticks) + never) / n)
        assert figures[category]["quantiles"][1] == np.median(ticks)
        assert figures[category]["by_tick"][-1] == pytest.approx(len(ticks) / n)


def exit_of(right: list[bool], certainty: list[float], threshold: float) -> tuple[bool, int]:
    """Whether the answer is right, and ticks thought, as the command ends a thought."""
    for tick, sure in enumerate(certainty, 1):
        if sure >= threshold:
            return right[tick - 1], tick
    return right[certainty.index(max(certainty))], len(certainty)


def test_ends_of_thoughts_in_plain_loops() -> None:
    table = random_table()
    found = early_exit(table, None, 0.8, (), 0.9, COST)
    exits = {row["exit"]: row for row in found["exits"]}
    assert found["promises"] == [] and found["items"] == int(table.has_ticks.sum())

    def counted(threshold: float) -> dict[str, float]:
        hits: dict[str, list[bool]] = {"syntax": [], "logic": [], "clean": []}
        ticks, lost, won = [], 0, 0
        for place, category in enumerate(table.category):
            if not table.has_ticks[place]:
                hits[category].append(False)
                continue
            right, certainty = table.right[place].tolist(), table.certainty[place].tolist()
            hit, taken = exit_of(right, certainty, threshold)
            whole, _ = exit_of(right, certainty, 2.0)
            hits[category].append(hit)
            ticks.append(taken)
            lost += whole and not hit
            won += hit and not whole
        means = {name: sum(values) / len(values) for name, values in hits.items()}
        mean = sum(ticks) / len(ticks)
        return {
            "ticks_mean": mean,
            "overall": (means["syntax"] + means["logic"]) / 2,
            "clean": means["clean"],
            "lost": lost / len(ticks),
            "won": won / len(ticks),
            "flops_saved": 10 * (TICKS - mean) / (1000 + 10 * TICKS + 300),
        }

    for name, threshold in (("all ticks", 2.0), ("in use", 0.8), ("first tick", 0.0)):
        for key, value in counted(threshold).items():
            assert exits[name][key] == pytest.approx(value), (name, key)
    for row in found["grid"][::7]:
        assert row["overall"] == pytest.approx(counted(row["threshold"])["overall"])


def test_oracles_are_the_best_that_ends_can_do() -> None:
    table = random_table()
    exits = {row["exit"]: row for row in early_exit(table, None, 2.0, (), 0.9, None)["exits"]}
    first, same = exits["oracle, first right tick"], exits["oracle, same answers"]
    ticks = [
        row.index(True) + 1 if any(row) else 1
        for row, asked in zip(table.right.tolist(), table.has_ticks, strict=True)
        if asked
    ]
    assert first["ticks_mean"] == pytest.approx(sum(ticks) / len(ticks)) and first["lost"] == 0
    wanted = [np.mean([any(row) for row in of(table, name)]) for name in ("syntax", "logic")]
    assert first["overall"] == pytest.approx(np.mean(wanted)), "right at some tick"
    assert same["overall"] == exits["all ticks"]["overall"] and same["lost"] == same["won"] == 0
    assert same["ticks_mean"] < TICKS and same["flops"] is None, "nothing counted, nothing told"


def test_a_promise_holds_on_the_items_it_was_made_on() -> None:
    """A model that is right where it is certain: its first tick may be taken; a random one can be promised nothing."""
    n = 600
    names = np.array(["syntax"] * n)
    projects = [f"p{i % 60}" for i in range(n)]
    sure = np.tile(np.array([0.999, 0.9995, 0.9999], dtype=np.float32), (n, 1))
    table = TickTable(names, names, projects, np.ones((n, 3), dtype=bool), sure, np.ones(n, dtype=bool))
    found = early_exit(table, table, 2.0, (0.005,), 0.9, COST)
    (promise,) = found["promises"]
    assert promise["threshold"] == min(GRID) and promise["ticks_mean"] == 1
    assert promise["bound"] == pytest.approx(1 - 0.1 ** (1 / n)), "Clopper and Pearson without a loss"
    assert promise["items_needed"] == 460
    row = next(row for row in found["exits"] if row["exit"] == "at most 0.5% lost")
    assert row["ticks_mean"] == 1 and row["overall"] == 1.0

    few = random_table(60)
    promises = early_exit(few, few, 2.0, (0.005, 0.9), 0.9, COST)["promises"]
    assert promises[0]["threshold"] is None and promises[0]["items"] == int(few.has_ticks.sum())
    assert promises[1]["threshold"] is not None, "a loss of 90 % is kept by any threshold"


def test_expectations_scale_to_the_ticks_there_are() -> None:
    n, ticks = 40, 8
    names = np.array(["syntax"] * 20 + ["logic"] * 20)
    starts = np.array([2] * 20 + [5] * 20)
    right = np.arange(1, ticks + 1) >= starts[:, None]
    table = TickTable(
        names, names, [f"p{i % 9}" for i in range(n)], right, right * np.float32(1), right.any(1)
    )
    rows = {row["category"]: row for row in expectations(table)}
    assert (
        rows["syntax"]["ticks"] == [1, 2] and rows["syntax"]["found"] == 2 and rows["syntax"]["met"] is True
    )
    assert rows["logic"]["ticks"] == [4, 6] and rows["logic"]["found"] == 5 and rows["logic"]["met"] is True
    assert rows["complex"]["met"] is None and rows["complex"]["why"] == "no item"


def test_items_of_one_project_promise_nothing_of_others() -> None:
    lost = np.zeros(1000, dtype=np.bool_)
    assert loss_bound(lost, ["a"] * 1000, 0.9) == 1.0
    assert loss_bound(lost, ["a", "b"] * 500, 0.9) == pytest.approx(1 - 0.1 ** (1 / 1000))


@pytest.mark.parametrize(
    ("projects", "last", "why"), [(5, 0, "no item is right at one"), (1, 1, "fewer than two projects")]
)
def test_the_last_quarter_is_undecided_for_the_reason_that_is_true(
    projects: int, last: int, why: str
) -> None:
    names, right = np.array(["complex"] * 20), np.zeros((20, 8), dtype=np.bool_)
    right[:5] = True
    right[5, 7] = last
    of = [f"p{i % projects}" for i in range(20)]
    table = TickTable(names, names, of, right, right * np.float32(1), np.ones(20, np.bool_))
    row = expectations(table)[-1]
    assert row["category"] == "complex" and row["met"] is None and row["why"].startswith(why)
    assert row["found"]["gain"] == pytest.approx(last / 20)


def test_edit_length_and_nesting_of_real_lines() -> None:
    assert edit_length("x = f(1\n", "x = f(1)\n") == 1, "a bracket"
    assert edit_length("x = 'a b\n", "x = 'a b'\n") == 1, "a quote, and not the words behind it"
    assert edit_length("if a = b:\n    c\n", "if a == b:\n    c\n") == 2, "one deleted, one inserted"
    assert edit_length("x", "x") == 0
    assert nesting("x = 1\n") == 0
    assert nesting("def f():\n    for a in b:\n        if a:\n            pass\n    return [\n  1]\n") == 3
