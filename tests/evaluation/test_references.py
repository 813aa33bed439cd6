"""Reference points: what they do to a text, and their figures by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ctm.evaluation.compared_items import write_compared
from ctm.evaluation.first_edits import FirstEdits
from ctm.evaluation.inverse_mutation import InverseMutations, exchange, learn
from ctm.evaluation.items import write_items
from ctm.evaluation.references import answerers, judge, reference_points, single_token
from ctm.evaluation.settings import ReferenceSettings
from ctm.evaluation.suites import Case, read_suite
from ctm.evaluation.torch_proposer import TargetEdit
from ctm.grid.edits import Edit
from ctm.pipeline.suites_section import references_section
from ctm.repair.evaluate import Item

BROKEN = [("def f(x)\n    return x\n", "def f(x):\n    return x\n", False)] * 3 + [
    ("x = (1\n", "x = (1)\n", False)
] * 2
WRONG = [("if not a:\n    b()\n", "if a:\n    b()\n", True)] * 2 + [("a = b < c\n", "a = b <= c\n", True)] * 3


@pytest.mark.parametrize(
    ("buggy", "fixed", "found"),
    [
        ("f(x\n", "f(x)\n", ((), (")",))),
        ("a = b\n", "a == b\n", (("=",), ("==",))),
        ("a = b  # same\n", "a = b\n", None),
        ("a + b + c\n", "c + b + a\n", None),  # five tokens
    ],
)
def test_an_exchange_is_one_place_of_few_tokens(buggy: str, fixed: str, found: object) -> None:
    assert exchange(buggy, fixed) == found


def test_edits_are_learned_by_frequency_apart_for_broken_code() -> None:
    learned = learn([*BROKEN, *WRONG, ("a + b + c\n", "c + b + a\n", True)], 1)
    assert learned.broken == ((((), (":",)), 3),) and learned.compiling == (((("<",), ("<=",)), 3),)
    assert (learned.pairs, learned.longer) == (11, 1)
    assert InverseMutations.from_dict(json.loads(json.dumps(learned.as_dict()))) == learned


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("def g(y)\n    return y\n", "def g(y):\n    return y\n"),
        ("value = [(2\nother = 1\n", None),  # no edit of the list makes it compile
        ("z = (2\n", "z = (2)\n"),
        ("ok = a < b\n", "ok = a <= b\n"),
        ("if not ok:\n    pass\n", "if ok:\n    pass\n"),
        ("done = 1\n", None),
    ],
)
def test_the_most_frequent_edit_that_compiles_is_made(text: str, first: str | None) -> None:
    answers = learn([*BROKEN, *WRONG], 10).answers(text, 1)
    assert answers == ([] if first is None else [first])


def test_the_search_of_single_tokens_leaves_code_that_compiles() -> None:
    assert single_token("x = 1\n") == []
    assert "x = (1)\n" in single_token("x = (1\n")


def test_figures_by_hand(tmp_path: Path, pairs_of) -> None:
    """Five items: which point is right and what it changes; the model's row is that of the benchmark's answers."""
    items = [
        Item("", "def g(y)\n    return y\n", "def g(y):\n    return y\n", "syntax", "colon"),
        Item("", "def g(y):\n    return y < 1\n", "def g(y):\n    return y <= 1\n", "logic", "comparison"),
        Item("", "def g(y):\n    return y < 2\n", "def g(y):\n    return y > 2\n", "logic", "comparison"),
        Item("", "def g(y):\n    return y < 3\n", "def g(y):\n    return y < 3\n", "clean", "clean"),
        Item("", "def g(y):\n    return y\n", "def g(y):\n    return y\n", "clean", "clean"),
    ]
    train = [
        Item("", buggy, fixed, "logic" if ok else "syntax", "k") for buggy, fixed, ok in [*BROKEN, *WRONG]
    ]
    test = pairs_of(tmp_path / "test.parquet", items)
    rows = [
        {"suite": "test", "id": item.item_id, "in_scope": True, "confidence": 0.5, "answer": answer}
        for item, answer in zip(
            read_suite(test),
            (items[0].fixed, items[1].buggy, items[2].fixed, items[3].buggy, "x = 1\n"),
            strict=True,
        )
    ]
    write_items(tmp_path / "items.parquet", rows)
    tested = read_suite(test)
    colon, wrong, clean = tested[0], tested[1], tested[3]
    write_asked(tmp_path / "compared.parquet", [(colon, 1), (wrong, 1), (tested[2], 2), (clean, 0)])
    out, learned = tmp_path / "references.json", tmp_path / "learned.json"
    reference_points(
        pairs_of(tmp_path / "train.parquet", train), test, pairs_of(tmp_path / "real.parquet", []),
        tmp_path / "items.parquet", tmp_path / "compared.parquet", ReferenceSettings(edits=5), 1, out, learned,
    )  # fmt: skip
    content = json.loads(out.read_text())
    found = {name: point["measures"] for name, point in content["suites"]["test"].items()}
    assert {name: point["exact_at_1"] for name, point in found.items()} == {
        "model": 3 / 5,
        "no_edit": 2 / 5,
        "deletion": 2 / 5,
        "single_token": 3 / 5,
        "inverse_mutation": 3
        / 5,  # the colon, <= for the first comparison, and clean code without a comparison
    }
    assert {name: point["false_alarm"] for name, point in found.items()} == {
        "model": 1 / 2, "no_edit": 0, "deletion": 0, "single_token": 0, "inverse_mutation": 1 / 2,
    }  # fmt: skip
    assert found["no_edit"]["bifi"] == 0 and found["single_token"]["bifi"] == 1
    assert content["items"] == {"test": 5, "real": 0} and "real" not in content["suites"]
    assert json.loads(learned.read_text())["pairs"] == len(train)
    beside = content["one_edit"]
    assert (beside["items"], beside["left_out"]["several edits"]) == (3, 1)
    assert beside["left_out"]["not asked of the models"] == 1
    by_items = {name: point["accuracy_by_items"] for name, point in beside["points"].items()}
    assert [by_items[name]["syntax"] for name in ("first_edit", "first_tick", "trm", "no_edit")] == [
        1,
        0,
        0,
        0,
    ]
    assert [by_items[name]["clean"] for name in ("first_edit", "first_tick", "trm", "no_edit")] == [
        1,
        0,
        0,
        1,
    ]
    assert by_items["inverse_mutation"]["logic"] == 1 and by_items["first_edit"]["logic"] == 1
    block, other = references_section(content).blocks  # the report reads this very file
    assert other.title == "test: 3 items of one edit or none" and "1 several edits" in other.note
    assert block.table is not None and [cell.text[:5] for cell in block.table.rows[0][1:3]] == [
        "60.0%",
        "40.0%",
    ]


def write_asked(path: Path, asked: list[tuple[Item, int]]) -> None:
    """A CTM that is right at its second tick, the surer one, and a TRM that is never right."""
    cases = [Case(item, "", 3, edits, TargetEdit(Edit(0, 0, ()), item.fixed)) for item, edits in asked]
    names = np.array(["any"] * len(cases))
    ticks = np.tile([False, True], (len(cases), 1))
    sure = np.tile(np.float32([0.1, 0.9]), (len(cases), 1))
    ctm = FirstEdits(names, names, ticks, sure, 1.0)
    trm = FirstEdits(names, names, np.zeros_like(ticks), sure, 1.0)
    write_compared(path, cases, {"CTM": ctm, "TRM": trm})


def test_the_number_of_processes_changes_nothing(functions: list[str]) -> None:
    """Also across the borders of what one process is given at a time."""
    items = [
        Item(str(n), code.replace(":", "", 1), code, "syntax")
        for n, code in enumerate(text + f"# {round_}\n" for round_ in range(4) for text in functions[:20])
    ]
    ask = answerers(learn(BROKEN, 5))
    assert judge(items, ask, 1, 1) == judge(items, ask, 1, 2)
