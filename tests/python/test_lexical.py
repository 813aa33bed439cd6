import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctm.python.lexical import (
    DEDENT,
    INDENT,
    NEWLINE,
    exact_match,
    lenient_spans,
    lenient_tokens,
    lexical_tokens,
    taken_apart,
    token_distance,
)


@pytest.mark.parametrize(
    ("answer", "fixed", "same"),
    [
        ("x=1 # one", "x = 1", True),
        ("f(a,\n  b)", "f(a, b)", True),
        ("if x:\n    y", "if x:\n\ty\n\n", True),
        ("x = 1", "x = 2", False),
        ("if x:\n    y\nz", "if x:\n    y\n    z", False),
        ("print x", "print  x", True),  # tokenizes although it does not compile
        ("x = 'a", "x =  'a", False),  # does not tokenize: only equal text matches
        ("x = 'a", "x = 'a", True),
        ("x = 1 $", "x = 1  $", False),
    ],
)
def test_exact_match(answer: str, fixed: str, same: bool) -> None:
    assert exact_match(answer, fixed) is same


def test_block_structure_is_part_of_the_tokens() -> None:
    assert lexical_tokens("if x:\n  y") == (
        "if",
        "x",
        ":",
        "<newline>",
        "<indent>",
        "y",
        "<newline>",
        "<dedent>",
    )
    assert lexical_tokens("x = (") is None


@pytest.mark.parametrize(
    ("buggy", "fixed", "distance"),
    [
        (
            "print(f(a)\nx = 1\ny = 2",
            "print(f(a))\nx = 1\ny = 2",
            1,
        ),  # one bracket is one token, not a lost structure
        ("def f()\n    pass", "def f():\n    pass", 1),
        ("x = 'a\ny = 1", "x = 'a'\ny = 1", 2),
        ("print x", "print(x)", 2),
        ("if x:\ny = 1", "if x:\n    y = 1", 2),
        ("a", "b c d e f g h", 5),  # beyond the limit
    ],
)
def test_distance_of_small_repairs(buggy: str, fixed: str, distance: int) -> None:
    assert token_distance(buggy, fixed, 4) == distance


@given(st.text(max_size=200))
def test_lenient_tokens_take_any_text(text: str) -> None:
    assert token_distance(text, text, 4) == 0
    assert all(lenient_tokens(text))


@given(
    st.lists(
        st.sampled_from(["if x:", "    y = 1", "  z(", ")", "# c", "", "'a'", "\tw", "'''"]), max_size=12
    )
)
def test_indents_and_dedents_balance(lines: list[str]) -> None:
    tokens = lenient_tokens("\n".join(lines))
    assert tokens.count("<indent>") == tokens.count("<dedent>")


def test_a_missing_quote_is_one_piece() -> None:
    closed, open_ = (
        taken_apart(lenient_tokens(text)) for text in ("f(f'a {b} != 1.5')", "f(f'a {b} != 1.5)")
    )
    assert closed == ["f", "(", "f", "'", "a", "{", "b", "}", "!=", "1.5", "'", ")", NEWLINE]
    assert open_ == [*closed[:-3], ")", NEWLINE]
    assert taken_apart(['""', "'", "'''a'''"]) == list("\"\"''''a'''")


@given(st.text(alphabet="ab1'\"\\#()\n ,.é", max_size=30))
def test_spans_are_where_the_tokens_stand(text: str) -> None:
    shown = [token for token in lenient_tokens(text) if token not in (NEWLINE, INDENT, DEDENT)]
    assert [text[begin:end] for begin, end in lenient_spans(text)] == shown
