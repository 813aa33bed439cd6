"""Evaluation of pairs: reading, scope, ranks, tests, and that it spends no more than it must."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctm.repair import sandbox
from ctm.repair.evaluate import (
    Evaluator,
    Item,
    ItemsError,
    delete_shortest,
    judge_item,
    out_of_scope,
    read_items,
)
from ctm.repair.metrics import report
from ctm.repair.passes import Repair

BROKEN, FIXED = "def add(a, b)\n    return a + b\n", "def add(a, b):\n    return a + b\n"


def item(buggy: str, fixed: str, name: str = "1", category: str = "syntax", test: str = "") -> Item:
    return Item(name, buggy, fixed, category, test=test)


def write(path: Path, *rows) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_items_are_read_with_optional_fields(tmp_path: Path):
    good = {"id": 7, "buggy": BROKEN, "fixed": FIXED}
    rows = [
        good,
        "",
        {**good, "id": "b", "category": "logic", "kind": "k", "test": "t", "project": "p"},
        {**good, "buggy": FIXED},
    ]
    path = write(tmp_path / "p.jsonl", *rows)
    first, second, third = read_items(path)
    assert (first.item_id, first.category, first.test) == ("7", "syntax", "")
    assert (second.category, second.kind, second.test, second.project) == ("logic", "k", "t", "p")
    assert third.category == "clean"
    assert len(read_items(path, 2)) == 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "not an object"),
        ({"id": "1", "buggy": "x"}, '"fixed" is missing'),
        ({"buggy": "x", "fixed": "y"}, '"id" is missing'),
        ({"id": "1", "buggy": 3, "fixed": "y"}, '"buggy" must be text, not int'),
        ({"id": "1", "buggy": None, "fixed": "y"}, '"buggy" must be text, not NoneType'),
        ({"id": "1", "buggy": "x", "fixed": "y", "test": ["a"]}, '"test" must be text, not list'),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(tmp_path: Path, row, message: str):
    path = write(tmp_path / "p.jsonl", {"id": "1", "buggy": "x", "fixed": "y"}, row)
    with pytest.raises(ItemsError) as caught:
        read_items(path)
    assert str(caught.value).startswith(f"{path}:2: ") and message in str(caught.value)


def test_an_empty_file_is_refused(tmp_path: Path):
    with pytest.raises(ItemsError, match="no items"):
        read_items(write(tmp_path / "p.jsonl", ""))


def test_scope(tokenizer):
    assert out_of_scope(item(BROKEN, FIXED), tokenizer) == ""
    assert out_of_scope(item("x\n" * 65, "y\n" * 65), tokenizer) == "more than 64 rows"
    far = "\n".join(f"a{i} = {i}" for i in range(0, 40, 2)), "\n".join(f"b{i} = {i}" for i in range(0, 40, 2))
    assert out_of_scope(item(*far), tokenizer) == "more than 8 edits"


def test_ranks_and_measures(fake, tokenizer):
    def suggest(state):
        if state.text == "x = (1":
            return [("x = 1", -0.1), ("x = (1)", -3.0)]
        if state.text == "y = [2":
            return [("y = [2]", -0.1)]
        return [(state.text, -0.1)]

    items = [
        item("x = (1", "x = (1)", "second"),
        item("y = [2", "y = [ 2 ]  # spacing does not count", "first"),
        item("z = = = 3", "z = 3", "never"),
        item("ok = 1", "ok = 1", "clean", "clean"),
        item("x = (1\n" * 70, "x = (1)\n" * 70, "long"),
    ]
    proposer = fake(suggest)
    results = Evaluator(proposer, tokenizer, 0.5).evaluate(items)
    assert [result.outcome.exact_rank for result in results] == [2, 1, None, 1, None]
    assert [result.item for result in results] == items
    measures = report([result.outcome for result in results])
    assert measures["all"]["exact_at_1"] == 2 / 5 and measures["all"]["exact_at_5"] == 3 / 5
    assert measures["all"]["bifi"] == 2 / 4, "of four that do not compile"
    assert measures["all"]["coverage"] == 4 / 5 and measures["in_scope"]["n"] == 4
    assert measures["all"]["false_alarm"] == 0.0
    assert measures["all"]["ticks_mean"] == 5.0
    row = results[0].as_row()
    assert json.loads(json.dumps(row))["answers"] == ["x = 1", "x = (1)"]
    assert results[4].as_row()["reason"] == "more than 64 rows" and results[4].as_row()["answers"] == []


def test_only_items_not_yet_right_get_other_answers_and_states_are_asked_once(fake, tokenizer):
    answers = {
        "x = (1": [("x = (1)", -0.1), ("x = (1, ", -2.5)],
        "y = (1": [("y = 1", -0.1), ("y = (", -0.2)],
    }
    proposer = fake(lambda state: answers.get(state.text, [(state.text, -0.1)]))
    Evaluator(proposer, tokenizer, 0.5).evaluate([item("x = (1", "x = (1)"), item("y = (1", "y = (1, 2)")])
    assert len(proposer.asked) == len(set(proposer.asked))
    assert "x = (1, " not in proposer.asked, "its first answer was right"
    assert "y = (" in proposer.asked, "another text was followed"


@pytest.mark.skipif(bool(sandbox.unavailable()), reason="no sandbox here")
def test_tests_decide_pass_at_k(fake, tokenizer):
    answers = {
        "def f(): return 1": [("def f(): return 2", -0.1), ("def f(): return 3", -1.0)],
        "def g(): return 1": [("def g(): return 3", -0.1)],
    }
    proposer = fake(lambda state: answers.get(state.text, [(state.text, -0.1)]))
    items = [
        item("def f(): return 1", "def f(): return 3", "second", "logic", "assert f() == 3"),
        item("def g(): return 1", "def g():\n    return 1 + 2", "other way", "logic", "assert g() == 3"),
        item("x = 1", "x = 1", "no test", "clean"),
    ]
    results = Evaluator(proposer, tokenizer, 0.3).evaluate(items)
    assert [result.outcome.pass_rank for result in results] == [2, 1, None]
    assert [result.outcome.exact_rank for result in results] == [2, None, 1]
    measures = report([result.outcome for result in results])
    assert measures["by_category"]["logic"]["pass_at_1"] == 1 / 2
    assert measures["by_category"]["logic"]["pass_at_10"] == 1.0
    assert measures["by_category"]["clean"]["pass_at_1"] is None


def test_tests_that_were_not_run_are_null(fake, tokenizer):
    proposer = fake(lambda state: [(state.text, -0.1)])
    evaluator = Evaluator(proposer, tokenizer, 0.5, run_tests=False)
    results = evaluator.evaluate([item("x = 1", "x = 2", category="logic", test="assert x == 2")])
    assert report([result.outcome for result in results])["all"]["pass_at_1"] is None


def answered(buggy: str, answer: str, fixed: str):
    """An item judged with this answer to it."""
    repair = Repair(answer, (), 0.9, 5, 1, "no edit", compiles=True, confidence=0.5)
    return judge_item(item(buggy, fixed), repair, "")


def test_what_answers_keep_and_lose():
    results = [
        answered("x = f(a, b", "x = f(a, b)", "x = f(a, b)"),
        answered("if a = b:\n    c()", "if a:\n    c()", "if a == b:\n    c()"),
        answered("y = (1", "y = (1)", "y = ((1))  # another"),
    ]
    rows = [result.as_row() for result in results]
    assert [row["edit_precision"] for row in rows] == [1.0, 0.5, 1.0], "'=' of '=' and 'b'"
    assert [row["collateral"] for row in rows] == [0, 1, 0] and [row["over_deleted"] for row in rows] == [
        0,
        1,
        0,
    ]
    assert [row["same_tree"] for row in rows] == [True, False, True], (
        "brackets around a number are none in a tree"
    )
    assert [row["guarded_bifi"] for row in rows] == [True, False, True]
    assert [row["bifi"] for row in rows] == [True, True, True]
    measures = report([result.outcome for result in results])["all"]
    assert measures["collateral_1"] == pytest.approx(1 / 3) and measures["guarded_bifi"] == pytest.approx(
        2 / 3
    )
    assert json.loads(json.dumps(measures)) == measures


def test_the_deletion_baseline_on_the_same_items():
    outcomes = delete_shortest(
        [
            item("f(a))", "f(a)", "right"),
            item("x = f(a b)", "x = f(a, b)", "wrong"),
            item("def f(:\n  return", "def f():\n  return", "nothing"),
            item("x = 1", "x = 1", "clean", "clean"),
            item("y = [1\n" * 70, "y = [1]\n" * 70, "beyond the grid"),
        ]
    )
    assert [outcome.exact_rank for outcome in outcomes] == [1, None, None, 1, None]
    assert [outcome.bifi for outcome in outcomes] == [True, True, False, False, False]
    assert [outcome.is_changed for outcome in outcomes] == [True, True, False, False, False]
    assert outcomes[1].harm is not None and outcomes[1].harm.collateral == 1
    assert all(outcome.in_scope for outcome in outcomes)
