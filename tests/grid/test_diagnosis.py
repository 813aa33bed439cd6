"""What the parser says of broken code: the class of its message and the cell it points to."""

from __future__ import annotations

import pytest

from ctm.grid.diagnosis import diagnose
from ctm.grid.tokenizer import CodeTokenizer
from ctm.python.messages import KINDS

# text, class, what the cell holds (None where Pythons differ)
CASES = [
    ("def f(a)\n    return a\n", "expected colon", "\n"),
    ("if x\n    pass\n", "expected colon", "\n"),
    ("x = (1,\ny = 2\n", "bracket never closed", "("),
    ("print(len(x)\n", "bracket never closed", "("),
    ("x = 1)\n", "unmatched bracket", ")"),
    ("x = [(1, 2]\n", "mismatched bracket", "]"),
    ("y = 2\ns = 'abc\n", "unterminated string", "'"),
    ('s = """abc\n', "unterminated triple-quoted string", '"""'),
    ("if x:\npass\n", "expected an indented block", "pass"),
    ("x = 1\nprint x\n", "print without parentheses", "print"),
    ("exec 'x'\n", "call without parentheses", "exec"),
    ("x = [1, 2 3]\n", "forgot a comma", "2"),
    ("return 1\n", "outside function or loop", "return"),
    ("break\n", "outside function or loop", "break"),
    ("if x = 1:\n    pass\n", "assignment or comparison", "x"),
    ("f() = 1\n", "assignment or comparison", "f"),
    ("try:\n    x\ny = 1\n", "expected except", "y"),
    ("x = 08\n", "number literal", "08"),
    ("def f(a=1, b):\n    pass\n", "arguments", None),
    ("x = 1 \\ 2\n", "after line continuation", None),
    ("x = “a”\n", "invalid character", None),
    ("x = 1 + * 2\n", "invalid syntax", "*"),
    ("else:\n    pass\n", "invalid syntax", "else"),
    ("x = 1\n    y = 2\n", "unexpected indent", None),
    ("if x:\n    y\n  z\n", "unindent does not match", None),
    ("del f()\n", "cannot delete or target", "f"),
]


def held_at(text: str, cell: int, tokenizer: CodeTokenizer) -> tuple[str, int]:
    """The whole word (or the token) at a cell, and the row it lies in."""
    ids = tokenizer.encode(text)
    end = cell + 1
    if tokenizer.is_word(ids[cell]):
        while not tokenizer.starts_word(ids[cell]):
            cell -= 1
        while end < len(ids) and tokenizer.is_word(ids[end]) and not tokenizer.starts_word(ids[end]):
            end += 1
    held = tokenizer.decode(ids[cell:end])
    return held.strip(" "), tokenizer.decode(ids[:cell]).count("\n") + 1


@pytest.mark.parametrize(("text", "kind", "held"), CASES, ids=[repr(c[0]) for c in CASES])
def test_real_errors(tokenizer: CodeTokenizer, text: str, kind: str, held: str | None) -> None:
    cell, number = diagnose(text, tokenizer)
    assert KINDS[number] == kind
    assert 0 <= cell <= len(tokenizer.encode(text))
    if held is not None:
        with pytest.raises(SyntaxError) as caught:
            compile(text, "", "exec")
        assert held_at(text, cell, tokenizer) == (held, caught.value.lineno)


def test_code_that_compiles_has_no_diagnosis(tokenizer: CodeTokenizer, functions: list[str]) -> None:
    assert KINDS[0] == "none"
    assert {diagnose(f, tokenizer) for f in functions[:100]} == {(-1, 0)}
    assert diagnose("", tokenizer) == (-1, 0)


def test_every_broken_text_has_one_inside_the_code(tokenizer: CodeTokenizer, texts: list[str]) -> None:
    """Null bytes, lone surrogates, other line ends and characters of two bytes included; END is the last cell."""
    seen = set()
    for text in texts[::3]:
        ids = tokenizer.encode(text)
        cell, kind = diagnose(text, tokenizer, ids)
        assert (cell, kind) == diagnose(text, tokenizer)
        assert (cell == -1) == (kind == 0)
        assert -1 <= cell <= len(ids)
        seen.add(KINDS[kind])
    assert len(seen) > 12


def test_the_error_behind_the_last_line_is_at_end(tokenizer: CodeTokenizer) -> None:
    text = "def f():\n"
    cell, kind = diagnose(text, tokenizer)
    assert KINDS[kind] == "expected an indented block"
    assert cell >= len(tokenizer.encode(text)) - 1


def test_columns_are_counted_in_characters(tokenizer: CodeTokenizer) -> None:
    """A line of é before the error does not move it."""
    for text in ("x = 'ééé' + * 2\n", "if ü and ö or *:\n    pass\n"):
        cell, _ = diagnose(text, tokenizer)
        assert held_at(text, cell, tokenizer)[0] == "*"
