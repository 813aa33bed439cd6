import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctm.python import lexical
from ctm.python.lexical import (
    DEDENT,
    INDENT,
    NEWLINE,
    exact_match,
    lenient_matches,
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


PARTS = ['"', "'", '"""', "'''", "\\", '\\"', "\\'", "\n", "\\\n", "rb", "f", "a", " ", "#", "1.5", "é"]
ONE_PATTERN = re.compile(
    rf"""
      (?P<space>[ \t\f\v\r]+|\\\r?(?=\n)|\#[^\n]*)
    | (?P<newline>\n)
    | (?P<token>
        (?:[rRbBuUfF]{{1,2}})?(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''
                             |\"(?:[^\\\"\n]|\\.)*\"|'(?:[^\\'\n]|\\.)*')
      | {lexical._PIECE}
      | .
      )
    """,
    re.VERBOSE | re.DOTALL,
)
"""What is a token, said in one pattern. It looks from every quote to the end of its line or of the text."""


@settings(max_examples=400)
@given(st.lists(st.sampled_from(PARTS), max_size=30).map("".join))
def test_tokens_are_those_of_one_pattern(text: str) -> None:
    """That a quote without an end is remembered changes the time and nothing else."""
    found, wanted = (
        [(match.span(), match.lastgroup) for match in matches]
        for matches in (lenient_matches(text), ONE_PATTERN.finditer(text))
    )
    assert found == wanted


@pytest.mark.parametrize("part", ['\\"', "\\'", "\\'''a", '\\"""a'])
def test_a_line_of_quotes_without_an_end_takes_no_minutes(part: str) -> None:
    """Looking from each to the end of the text took two minutes for 50,000, in which `ctm-repair` said nothing."""
    text = part[1:] + 50_000 * part
    assert sum(match.end() - match.start() for match in lenient_matches(text)) == len(text)
