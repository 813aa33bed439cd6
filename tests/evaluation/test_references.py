"""Reference points: what they do to a text, and their figures by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctm.evaluation.inverse_mutation import InverseMutations, exchange, learn
from ctm.evaluation.items import write_items
from ctm.evaluation.references import answerers, judge, read_mutations, reference_points, single_token
from ctm.evaluation.settings import ReferenceSettings
from ctm.evaluation.suites import read_suite
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
    out, learned = tmp_path / "references.json", tmp_path / "learned.json"
    reference_points(
        pairs_of(tmp_path / "train.parquet", train), test, pairs_of(tmp_path / "real.parquet", []),
        tmp_path / "items.parquet", ReferenceSettings(edits=5), 1, out, learned,
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
    assert read_mutations(learned).pairs == len(train)
    (block,) = references_section(content).blocks  # the report reads this very file
    assert block.table is not None and [cell.text[:5] for cell in block.table.rows[0][1:3]] == [
        "60.0%",
        "40.0%",
    ]


def test_the_number_of_processes_changes_nothing(functions: list[str]) -> None:
    """Also across the borders of what one process is given at a time."""
    items = [
        Item(str(n), code.replace(":", "", 1), code, "syntax")
        for n, code in enumerate(text + f"# {round_}\n" for round_ in range(4) for text in functions[:20])
    ]
    ask = answerers(learn(BROKEN, 5))
    assert judge(items, ask, 1, 1) == judge(items, ask, 1, 2)
