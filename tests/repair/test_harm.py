"""What an answer keeps and loses, worked out by hand."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctm.python.lexical import lenient_tokens, lexical_tokens
from ctm.repair.harm import (
    measure_harm,
    names_and_literals,
    same_tree,
    split_statements,
    statement_recall,
    token_diff,
)

# --- edits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "deleted", "inserted"),
    [
        ("a b c", "a b c", [], {}),
        ("a b c", "a c", [1], {}),
        ("a b", "a b c", [], {(2, "c"): 1}),
        ("a b c", "a x c", [1], {(1, "x"): 1}),
        ("a b c", "a x y c", [1], {(1, "x"): 1, (1, "y"): 1}),
        ("f ( a", "f ( a ) )", [], {(3, ")"): 2}),
        # of equal neighbors the first
        ("( a ) ) )", "( a ) )", [2], {}),
        ("a a", "a a a", [], {(0, "a"): 1}),
        # the same deletion, with another change beside it
        ("a a b", "a b", [0], {}),
        ("a a b", "a c b", [0], {(2, "c"): 1}),
        ("x y x y z", "x y z", [0, 1], {}),
        # a token that moves is deleted and inserted
        ("x y", "y x", [1], {(0, "y"): 1}),
        ("", "a", [], {(0, "a"): 1}),
        ("a", "", [0], {}),
    ],
)
def test_edits_are_the_fewest_and_the_leftmost(old: str, new: str, deleted, inserted):
    found = token_diff(old.split(), new.split())
    assert sorted(found.deleted) == deleted
    assert found.inserted == Counter(inserted)


words = st.lists(st.sampled_from("ab("), max_size=12)


@given(words, words)
def test_edits_lead_from_one_to_the_other(old: list[str], new: list[str]):
    found = token_diff(old, new)
    assert all(0 <= place < len(old) for place in found.deleted)
    assert len(old) - len(found.deleted) + found.inserted.total() == len(new)
    kept = Counter(token for place, token in enumerate(old) if place not in found.deleted)
    assert kept + Counter(token for (_, token), n in found.inserted.items() for _ in range(n)) == Counter(new)
    assert token_diff(new, old).size == found.size, "as many the other way round"


@given(words, st.data())
def test_deleting_an_equal_neighbor_is_the_same_edit(old: list[str], data):
    at = data.draw(st.integers(0, len(old)))
    twice = [*old[:at], "x", "x", *old[at:]]
    assert token_diff(twice, [*old[:at], "x", *old[at:]]).deleted == {at}


# --- one answer -----------------------------------------------------------------------------------------------------


def test_the_authors_own_fix_has_it_all():
    harm = measure_harm("f(a\n", "f(a)\n", "f( a )  # closed\n")
    assert (harm.edit_precision, harm.edit_recall, harm.statement_recall) == (1.0, 1.0, 1.0)
    assert (harm.collateral, harm.over_deleted, harm.same_tree) == (0, 0, True)


def test_an_exact_match_that_breaks_its_lines_elsewhere_is_the_authors_fix():
    harm = measure_harm("x = f(a\n      b)\n", "x = f(a,\n      b)\n", "x = f(a, b)\n")
    assert (harm.edit_precision, harm.edit_recall, harm.over_deleted) == (1.0, 1.0, 0)


def test_half_right():
    # the author: '=' to '==' (one deleted, one inserted) and ':' inserted; the answer: ':' alone, and ')' too much
    harm = measure_harm("if a = b\n    c()\n", "if a = b):\n    c()\n", "if a == b:\n    c()\n")
    assert harm.edit_recall == pytest.approx(1 / 3)
    assert harm.edit_precision == pytest.approx(1 / 2)
    assert harm.collateral == harm.over_deleted == 0


def test_a_condition_that_is_cut_off():
    # `if a = b` becomes `if a:`; the author keeps b. Names and literals: a, b, c
    harm = measure_harm("if a = b\n    c()\n", "if a:\n    c()\n", "if a == b:\n    c()\n")
    assert (harm.collateral, harm.names) == (1, 3)
    assert harm.over_deleted == 1, "b; the author deletes '=' too"
    assert harm.tokens == 7, "if a = b c ( )"
    assert harm.edit_precision == pytest.approx(1 / 3), "'=' of '=', 'b', and a ':' that stands behind a"
    assert harm.edit_recall == pytest.approx(1 / 3), "'=' of '=', '==', and a ':' that stands behind b"
    assert not harm.loses_half_the_names and not harm.loses_half_the_text
    assert harm.statement_recall == 1 / 2, "c() of two"
    assert not harm.same_tree


def test_a_string_that_is_thrown_away_for_its_quote():
    # words within a quote that nobody closed are words: the author adds one quote, the answer deletes three tokens
    harm = measure_harm('print("hello world)\n', "print()\n", 'print("hello world")\n')
    assert (harm.edit_precision, harm.edit_recall) == (0.0, 0.0)
    assert (harm.collateral, harm.names) == (2, 3)
    assert harm.over_deleted == 3 and harm.tokens == 6
    assert harm.loses_half_the_names and not harm.loses_half_the_text, "2 of 3, and 3 of 6"


def test_the_text_is_gone():
    text = "import os\nfor x in os.listdir(p)\n    print x, 1, 2\n"
    harm = measure_harm(text, "pass\n", "import os\nfor x in os.listdir(p):\n    print(x, 1, 2)\n")
    assert harm.names == harm.collateral == 9, "os x os listdir p print x 1 2"
    assert harm.tokens == harm.over_deleted == 17, "line ends and blocks do not count"
    assert harm.loses_half_the_names and harm.loses_half_the_text
    assert harm.statement_recall == 0.0


def test_what_the_author_deletes_too_is_no_loss():
    harm = measure_harm(">>> x = 1\n", "x = 1\n", "x = 1\n")
    assert (harm.over_deleted, harm.collateral) == (0, 0)
    harm = measure_harm(">>> x = y\n", "x\n", "x = 1\n")
    assert harm.collateral == 0, "the author deletes y as well"
    assert harm.over_deleted == 1, "the author keeps '='"


def test_a_name_that_moves_is_not_lost():
    harm = measure_harm("print x if y\n", "if y: print x\n", "if y: print(x)\n")
    assert harm.collateral == 0


def test_no_answer():
    harm = measure_harm("f(a\n", "f(a\n", "f(a)\n")
    assert harm.edit_precision is None and harm.edit_recall == 0.0
    assert (harm.collateral, harm.over_deleted, harm.same_tree) == (0, 0, False)
    harm = measure_harm("f(a)\n", "f(a)\n", "f(a)\n")
    assert harm.edit_precision is None and harm.edit_recall is None and harm.same_tree


def test_an_edit_of_clean_code_is_none_of_the_authors():
    harm = measure_harm("x = a + b\n", "x = a - b\n", "x = a + b\n")
    assert (harm.edit_precision, harm.edit_recall) == (0.0, None)
    assert harm.over_deleted == 1 and harm.collateral == 0


@given(
    st.text(alphabet="ab1\"'\\#()[]:\n\t =\0\ud800é", max_size=30), st.text(max_size=20), st.text(max_size=20)
)
def test_any_text_is_measured(buggy: str, answer: str, fixed: str):
    harm = measure_harm(buggy, answer, fixed)
    for share in (harm.edit_precision, harm.edit_recall, harm.statement_recall):
        assert share is None or 0 <= share <= 1
    assert 0 <= harm.collateral <= harm.names and 0 <= harm.over_deleted <= harm.tokens


# --- its parts ------------------------------------------------------------------------------------------------------


def test_names_and_literals():
    tokens = ["if", "x", "in", "None", "1.5", ".5", "f'a {b}'", '""', "'%s'", "'", "+", "<newline>", "é"]
    assert list(names_and_literals(tokens)) == ["x", "None", "1.5", ".5", "f", "a", "b", '""', "s", "é"]
    assert list(names_and_literals(["','", "'-'"])) == ["','", "'-'"], "strings without words as they are"


def test_statements_are_heads_and_simple_statements():
    text = "if x: return 1; y = 2\nfor a in (b,\n   c):\n\n    pass  # no\n"
    assert [" ".join(statement) for statement in split_statements(lexical_tokens(text))] == [
        "if x : return 1",
        "y = 2",
        "for a in ( b , c ) :",
        "pass",
    ]
    broken = split_statements(lenient_tokens("f(\ng\n"))
    assert [" ".join(statement) for statement in broken] == ["f (", "g"], "lines"


def test_statement_recall_counts_equal_statements_as_often_as_they_stand():
    assert statement_recall("a()\nb()\n", "a()\na()\nb()\nc()\n") == 2 / 4
    assert statement_recall("a()\na()\na()\n", "a()\n") == 1.0
    assert statement_recall("a()\n", "# nothing\n") is None


def test_same_tree():
    assert same_tree("x = 1 # a\n", "x=(1)\n")
    assert not same_tree("x = 1\n", "x = 1.0\n") and not same_tree("x = 1\n", "x = True\n")
    assert not same_tree("x = a + b\n", "x = a - b\n")
    assert not same_tree("f(a)\n", "f(a, b)\n")
    assert not same_tree("x = \n", "x = \n"), "neither parses"
    assert not same_tree("(" * 200, "(" * 200)
