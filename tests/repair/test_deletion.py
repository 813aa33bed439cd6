"""The deletion baseline: the shortest run, of equals the nearest to the error, and nothing where nothing helps."""

from __future__ import annotations

import pytest

from ctm.repair import deletion
from ctm.repair.deletion import LONGEST, shortest_deletion


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("f(a))\n", "f(a)\n"),
        ("x = = 1\n", "x =  1\n"),
        ("x = (1 +)\ny = 2\n", "x = (1 )\ny = 2\n"),
        ("é = = 1\n", "é =  1\n"),
        ("x y\nz\n", "x \nz\n"),
        ("x = f(a, b\ny = 1\n", "x = fa, b\ny = 1\n"),  # the parser complains about the bracket
        ("a = 1\nif a\n    b()\n", "a = 1\n()\n"),  # `if a b`, with the line end and the block between
    ],
)
def test_the_shortest_run_near_the_error(text: str, wanted: str):
    assert shortest_deletion(text) == wanted


def test_short_runs_first_then_near_ones_then_early_ones():
    spans = [(0, 1), (2, 3), (4, 5), (6, 7)]
    found = list(deletion._runs(spans, 4))
    assert found[:4] == [(4, 5), (2, 3), (6, 7), (0, 1)]
    assert found[4:7] == [(2, 5), (4, 7), (0, 3)]
    assert found[7:] == [(0, 5), (2, 7), (0, 7)]


@pytest.mark.parametrize(
    "text", ["def f(:\n  return 1\n", "a b c d e f g h i j k\n", "x = 1\n", "", "\0", "(" * 200]
)
def test_nothing_where_no_run_helps_or_nothing_is_wrong(text: str):
    assert shortest_deletion(text) is None


def test_runs_have_at_most_four_tokens():
    assert LONGEST == 4
    assert shortest_deletion("1 2 3 4 5\n") is not None
    assert shortest_deletion("1 2 3 4 5 6\n") is None


def test_of_a_long_text_only_the_nearest_runs_are_tried(monkeypatch: pytest.MonkeyPatch):
    tried: list[str] = []

    def compiles(text: str) -> bool:
        tried.append(text)
        return False

    monkeypatch.setattr(deletion, "compiles", compiles)
    assert shortest_deletion("x = [" + "1, " * 500 + "2 3, " + "1, " * 500 + "\n") is None
    assert len(tried) == LONGEST * deletion.MAX_RUNS
