"""Brackets that are never closed, and commas that the compiler misses."""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from ctm.repair.rewrites.broken import CLOSING, OPENING, Broken
from ctm.repair.rewrites.registry import rewrite

_WORDS = frozenset(keyword.kwlist) - {"None", "True", "False"}
"""Words that are no value."""


@rewrite(-0.7, "a = [1, 2 3]", "a = [1, 2, 3]", "forgot a comma|invalid syntax|was never closed|unterminated")
def comma_between_two_values(broken: Broken) -> Iterator[str]:
    """Two values in brackets with nothing between them get a comma, near the error."""
    depth = 0
    found: list[int] = []
    before = None
    for token in broken.tokens:
        if token.is_newline:
            continue
        starts_value = (
            token.is_string
            or token.text[:1].isdigit()
            or (token.is_name and token.text not in _WORDS)
            or (token.text in OPENING and before is not None and before.text == "}")
        )
        ends_value = before is not None and before.is_operand and before.text not in _WORDS
        if depth and before is not None and starts_value and ends_value:
            found.append(before.end)
        depth += (token.text in OPENING) - (token.text in CLOSING)
        before = token
    near = sorted(found, key=lambda end: abs(end - broken.place))
    for end in near[:2]:
        yield broken.spliced([(end, end, ",")])
    if len(found) > 1:  # a list whose items all lack them
        yield broken.spliced([(end, end, ",") for end in found])


@rewrite(
    -1.0,
    "f(g(1)\nx = 2",
    "f(g(1))\nx = 2",
    "was never closed|unexpected EOF|expected an? |invalid syntax|forgot a comma",
)
def closing_brackets(broken: Broken) -> Iterator[str]:
    """Brackets that are never closed are closed at the end of the line that opened them, or at the end of the text."""
    stack: list[tuple[int, str]] = []
    for token in broken.tokens:
        if token.text in OPENING:
            stack.append((token.start, OPENING[token.text]))
        elif token.text in CLOSING and stack and stack[-1][1] == token.text:
            stack.pop()
    if not stack:
        return
    line = broken.line_of(stack[-1][0])
    own = "".join(closing for start, closing in reversed(stack) if broken.line_of(start) == line)
    ends = [token for token in broken.tokens if not token.is_newline]
    last = [token for token in ends if broken.line_of(token.start) == line][-1]
    if last.text in (":", ",", ";") and len(ends) > 1:
        yield broken.spliced([(last.start, last.start, own)])
    yield broken.spliced([(last.end, last.end, own)])
    if ends:
        yield broken.spliced(
            [(ends[-1].end, ends[-1].end, "".join(closing for _, closing in reversed(stack)))]
        )
