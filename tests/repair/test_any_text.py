"""Rewrites of any text whatever: none is too odd or too long, and how a text is seen loses nothing of it."""

from __future__ import annotations

import tokenize
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ctm.python.compiling import compile_error
from ctm.repair.rewrites.broken import Broken, CodeToken, indentation, inside, width
from ctm.repair.rewrites.registry import registry, rewritten

MOST_TEXTS = 8
"""Texts of one rewrite: the compiler is asked about each."""

LINES = [line for item in registry().values() for line in item.broken.split("\n")]
PIECES = [
    *"()[]{}=,:;.'\"\\`#%!?<>|&@~$ \t\n\r\x0c\x00éß“”、\u00a0\u200b\U0001f600\ud800",
    *('"""', "'''", "f'", 'f"{', "rb'", "\n    ", "\n\t", "\\\n", "\\ \n", ">>> ", "... ", "In [1]: ", "```\n"),
    *("<<<<<<< a\n", "=======\n", ">>>>>>> b\n", "||||||| c\n", "%time", "1", "0777", "10L", "1.", "2)", "ur'", "²"),
    *("print", "exec ", "raise ", "except ", "lambda ", "def f(", "dict(", "global x", "for ", "in ", "else if "),
    *("if ", "async ", "await ", "a", "b=", "**", "*", "print >>", "try:", "return ", "class A:", "import a", "var "),
]  # fmt: skip
TEXTS = st.lists(st.sampled_from([*PIECES, *LINES]) | st.text(max_size=3), max_size=25).map("".join)
MESSAGES = sorted(
    {error.msg for item in registry().values() if (error := compile_error(item.broken)) is not None}
    | {"keyword argument repeated: a", "name 'x' is used prior to global declaration", "'await' outside async function"}
    | {"f-string expression part cannot include a backslash", "expected an indented block after 'if' on line 99"}
)  # fmt: skip


@given(text=TEXTS)
@example(text="1)\n2)")
@example(text="def f():\r    a = x\r    global x")
@settings(max_examples=200, deadline=None)
def test_no_text_is_too_odd(text: str):
    error = compile_error(text)
    if error is not None:
        rewritten(text, error)


@given(
    text=TEXTS,
    message=st.sampled_from(MESSAGES),
    line=st.none() | st.integers(-1, 30),
    offset=st.none() | st.integers(-1, 80),
)
@example(text="dict(1=2, =)", message="cannot contain assignment", line=1, offset=6)
@example(text="x = '" + " " * 99_999 + "y", message="unterminated string literal", line=1, offset=5)
@settings(max_examples=300, deadline=None)
def test_no_message_is_too_odd_and_texts_are_new_and_few(text, message, line, offset):
    error = SyntaxError(message, ("", line, offset, ""))
    found = rewritten(text, error)
    assert all(item.text != text for item in found)
    assert len({item.text for item in found}) == len(found)
    assert max(Counter(item.name for item in found).values(), default=0) <= MOST_TEXTS


class Counted(list[CodeToken]):
    """A list that counts how many of its items are looked at."""

    looks = 0

    def __iter__(self):
        for item in super().__iter__():
            self.looks += 1
            yield item

    def __getitem__(self, place):
        self.looks += 1 if isinstance(place, int) else len(range(*place.indices(len(self))))
        return super().__getitem__(place)


@pytest.mark.parametrize(
    "line", ["x = f(a, [1, 'b'], c=2)", "if a: f(g(", "print f(a=1, b), 'c' # d", "async def f(a=1, b)  '"]
)
def test_a_long_text_takes_no_more_than_its_length_times_a_constant(line: str):
    known = {length: seen("\n".join([line] * length)).tokens for length in (500, 2000)}
    for message in MESSAGES:
        looks = []
        for length, tokens in known.items():
            broken = Broken("\n".join([line] * length), SyntaxError(message, ("", length // 2, 5, "")))
            counted = broken.__dict__["tokens"] = Counted(tokens)
            made = [
                new
                for item in registry().values()
                if item.message is None or item.message.search(message)
                for new in item.make(broken)
            ]
            assert len(made) <= 3 * MOST_TEXTS
            looks.append(counted.looks / len(counted))
        assert looks[1] <= 1.5 * looks[0] + 1, f"{message}: four times the text is about four times the work"


# --- how a text is seen ---------------------------------------------------------------------------------------------


def seen(text: str, line: int | None = None, offset: int | None = None) -> Broken:
    return Broken(text, SyntaxError("", ("", line, offset, "")))


@given(text=TEXTS)
@settings(max_examples=100, deadline=None)
def test_tokens_and_what_lies_between_are_the_text(text: str):
    broken = seen(text)
    assert broken.spliced([]) == broken.with_lines({}) == text
    assert broken.spliced((t.start, t.end, t.text) for t in broken.tokens) == text
    between = broken.spliced((t.start, t.end, "\n") for t in broken.tokens)
    assert all(not line.strip(" \t\f\v\r\\") or "#" in line for line in between.split("\n"))
    told = [token for statement in broken.statements() for token in statement]
    assert told == [token for token in broken.tokens if not token.is_newline], (
        "each token is in one statement"
    )


@given(text=TEXTS, data=st.data())
@settings(max_examples=200, deadline=None)
def test_lines_and_places_are_each_others_inverse(text: str, data):
    broken = seen(text)
    line = data.draw(st.integers(0, len(broken.lines) - 1))
    column = data.draw(st.integers(0, len(broken.lines[line])))
    at = seen(text, line + 1, column + 1)
    assert (at.line, at.place - at.starts[at.line]) == (line, column)
    assert at.line_of(at.place) == line
    first = broken.lines[line]
    assert indentation(first) + first.lstrip(" \t") == first and width(first) >= len(indentation(first))


def test_lines_inside_strings_are_those_of_the_tokenizer():
    text = Path(tokenize.__file__).read_text(encoding="utf-8")
    inside_strings = {
        line - 1: token.start[0] - 1
        for token in tokenize.generate_tokens(StringIO(text).readline)
        if token.type == tokenize.STRING
        for line in range(token.start[0] + 1, token.end[0] + 1)
    }
    assert len(inside_strings) > 50
    assert seen(text).string_lines == inside_strings


def test_items_of_a_bracket():
    broken = seen("f(a, g(b, c)[1, 2], d=(\n3,), *e,)")
    found = inside(broken.tokens, 1)
    assert found is not None
    items, closing = found
    parts = [broken.text[item[0].start : item[-1].end] for item in items]
    assert parts == ["a", "g(b, c)[1, 2]", "d=(\n3,)", "*e"] and closing == len(broken.tokens) - 1
    assert inside(seen("f(a, (b)").tokens, 1) is None
