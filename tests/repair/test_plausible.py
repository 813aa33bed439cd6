"""Signs that an answer is another than its author meant."""

from __future__ import annotations

import pytest

from ctm.repair.plausible import NO_COSTS, Costs, Signs, changed_lines, signs
from ctm.repair.text_loss import text_loss


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("print x", "print(x)", Signs(1, 0, 0, 0, 0)),
        ("f(a b, c d, e)", "f(a, b, c, d, e)", Signs(2, 0, 0, 0, 0)),
        ("import web as", "import web as hasattr", Signs(1, 0, 0, 0, 0)),  # a builtin is no new name
        ("import web as", "import web as other", Signs(1, 1, 0, 0, 0)),
        ("x = web.", "x = web.x", Signs(1, 0, 0, 0, 0)),
        ("print x", "print, x", Signs(1, 0, 1, 0, 0)),
        ("a = b c", "a = b; c", Signs(1, 0, 1, 0, 0)),
        ("x = (a b", "x = (a,)", Signs(1, 0, 0, 1, 0)),
        ("x = 3 (4", "x = 3(4)", Signs(1, 0, 0, 0, 1)),
        ("x = {[1]: 2", "x = {[1]: 2}", Signs(1, 0, 0, 0, 1)),
        ("x = {{1}", "x = {{1}}", Signs(1, 0, 0, 0, 1)),
        ("x = 10.f(", "x = 10 .f()", Signs(2, 0, 0, 0, 1)),
        (
            'def f():\n    """Adds.""',
            'def f():\n    """Adds."""',
            Signs(1, 0, 0, 0, 0),
        ),  # documents, if nothing else
        ("x == 3\nprint y", "x == 3\nprint(y)", Signs(1, 0, 0, 0, 0)),  # what the author has stays out of it
    ],
)
def test_signs_are_counted_where_the_text_was_changed(before: str, after: str, expected: Signs):
    assert signs(before, after) == expected


def test_each_sign_costs_what_is_set_for_it_and_the_first_edit_and_place_nothing():
    before, after = "f(a b, c d, e)\nx", "f(a, b, c, d, new)\nx"
    lost = text_loss(before, after)
    assert NO_COSTS(before, after, 3, lost) == 0
    costs = Costs(further_edit=1, further_place=10, lost_word=100, swallowed=0, new_name=1000)
    assert costs(before, after, 3, lost) == 2 + 20 + 100 + 1000
    assert Costs()("print x", "print(x)", 1, text_loss("print x", "print(x)")) == 0


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a\nb\nc", "a\nx\nc", (2, 2)),
        ("a\nb", "a\nx\ny\nb", (2, 3)),
        ("a\nb", "a", (2, 1)),
        ("a", "b", (1, 1)),
    ],
)
def test_changed_lines(before: str, after: str, expected: tuple[int, int]):
    assert changed_lines(before, after) == expected
