"""Words and signs of other languages, and of Python written down in haste."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from itertools import pairwise

from ctm.repair.rewrites.broken import CLOSING, OPENING, Broken, Splice
from ctm.repair.rewrites.registry import rewrite

_SIGNS = {
    ("=", ">"): (">=", "->"), ("=", "<"): ("<=",), ("=", "!"): ("!=",), ("&", "&"): (" and ",), ("|", "|"): (" or ",),
    ("==", "="): ("==", "is"), ("!=", "="): ("!=",), (">", "="): (">=",), ("<", "="): ("<=",), ("!", "="): ("!=",),
    ("+", "="): ("+=",), ("-", "="): ("-=",), ("=", "="): ("==",),
}  # fmt: skip
_DECLARED = {"var", "let", "const"}
_ELSE_IF = re.compile(r"^([ \t]*)(?:else[ \t]+if|elseif|elsif|elsi|eliff|elf)\b(?=[ \t(])", re.MULTILINE)
_FOR = re.compile(r"\bfor[ \t]+((?:[A-Za-z_]\w*[ \t]*,[ \t]*)*[A-Za-z_]\w*)[ \t]+(?!in\b|,)(?=[A-Za-z_\[({])")


@rewrite(
    -0.15,
    "if a:\n    b()\nelse if c:\n    d()",
    "if a:\n    b()\nelif c:\n    d()",
    "expected ':'|invalid syntax|for annotation",
)
def else_if(broken: Broken) -> Iterator[str]:
    """`else if` and its spellings become `elif`."""
    found = [
        m for m in _ELSE_IF.finditer(broken.text) if broken.line_of(m.start()) not in broken.string_lines
    ]
    yield broken.spliced((m.end(1), m.end(), "elif") for m in found)


@rewrite(
    -0.25,
    "if a => b && c:\n    pass",
    "if a >= b and c:\n    pass",
    "invalid syntax|expected|cannot assign|forgot",
)
def signs(broken: Broken) -> Iterator[str]:
    """Signs that Python does not have, or writes the other way round, become its own."""
    for choice in (0, 1):
        splices: list[Splice] = []
        taken = -1
        tokens = broken.tokens
        for left, right in pairwise(tokens):
            new = _SIGNS.get((left.text, right.text))
            if new is None or left.end != right.start or left.start < taken or choice >= len(new):
                continue
            spaced = new[choice] if not new[choice].startswith(" ") else new[choice].strip()
            if spaced.isalpha():
                before = "" if broken.text[left.start - 1 : left.start].isspace() else " "
                behind = "" if broken.text[right.end : right.end + 1].isspace() else " "
                spaced = f"{before}{spaced}{behind}"
            splices.append((left.start, right.end, spaced))
            taken = right.end
        if splices:
            yield broken.spliced(splices)


@rewrite(-0.2, "var x = 1", "x = 1", "invalid syntax")
def declarations(broken: Broken) -> Iterator[str]:
    """`var`, `let` and `const` before a name go."""
    tokens = broken.tokens
    yield broken.spliced(
        (left.start, right.start, "")
        for left, right in pairwise(tokens)
        if left.text in _DECLARED and right.is_name and not keyword.iskeyword(right.text)
    )


@rewrite(
    -0.5, "for k d.items():\n    pass", "for k in d.items():\n    pass", "invalid syntax|expected|forgot"
)
def missing_in(broken: Broken) -> Iterator[str]:
    """`for` gets its `in`, on the line of the error."""
    line = broken.lines[broken.line]
    start = broken.starts[broken.line]
    code = {token.start for token in broken.tokens}
    yield broken.spliced(
        (start + match.start(), start + match.end(), f"for {match[1]} in ")
        for match in _FOR.finditer(line)
        if start + match.start() in code
    )


@rewrite(
    -0.5, "if a = b:\n    pass", "if a == b:\n    pass", "invalid syntax. Maybe you meant|cannot assign to"
)
def comparison(broken: Broken) -> Iterator[str]:
    """`=` in a condition becomes `==`, up to its colon."""
    first = next((token for token in broken.tokens if token.start >= broken.starts[broken.line]), None)
    if first is None or first.text not in ("if", "elif", "while", "assert", "return", "and", "or", "not"):
        return
    end = broken.starts[broken.line] + len(broken.lines[broken.line])
    depth = 0
    splices: list[Splice] = []
    for token in broken.tokens:
        if broken.starts[broken.line] <= token.start < end:
            depth += (token.text in OPENING) - (token.text in CLOSING)
            if token.text == ":" and depth == 0:
                break
            if token.text == "=" and depth == 0:
                splices.append((token.start, token.end, "=="))
    yield broken.spliced(splices)


@rewrite(-0.4, "s = 'a' + b 'c'", "s = 'a' + b + 'c'", "invalid syntax|forgot a comma")
def plus_between_strings(broken: Broken) -> Iterator[str]:
    """Texts that are put together with `+` get the one that is missing, next to a string."""
    own = [t for t in broken.tokens if not t.is_newline and broken.line_of(t.start) == broken.line]
    joins = any(right.text == "+" and left.is_operand for left, right in pairwise(own))
    if not joins:
        return
    splices = [
        (left.end, right.start, " + ")
        for left, right in pairwise(own)
        if (left.is_string or right.is_string)
        and left.is_operand
        and right.is_operand
        and right.text not in (")", "]", "}")
        and not keyword.iskeyword(left.text)
        and not keyword.iskeyword(right.text)
        and not (left.is_name and left.end == right.start)
    ]
    if splices:
        yield broken.spliced(splices)


@rewrite(
    -0.2,
    "my_list = []\nmy list.append(1)",
    "my_list = []\nmy_list.append(1)",
    "invalid syntax|forgot a comma",
)
def name_in_two_words(broken: Broken) -> Iterator[str]:
    """A name that was written with a space gets its underscore, if the text has that name elsewhere."""
    names = {token.text for token in broken.tokens if token.is_name}
    splices: list[Splice] = []
    for left, right in pairwise(broken.tokens):
        joined = f"{left.text}_{right.text}"
        if left.is_name and right.is_name and joined in names:
            splices.append((left.start, right.end, joined))
    if splices:
        yield broken.spliced(splices)
