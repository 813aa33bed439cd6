"""Brackets that are never closed, and commas that the compiler misses."""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from ctm.repair.rewrites.broken import CLOSING, OPENING, Broken, Splice, begins_value, inside
from ctm.repair.rewrites.registry import rewrite

_WORDS = frozenset(keyword.kwlist) - {"None", "True", "False"}
"""Words that are no value."""
MOST_PLACES = 3
"""Places where one kind of bracket may be meant, the nearest to the error first."""


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


@rewrite(-0.5, "f('a': 1, 'b': 2)", "f({'a': 1, 'b': 2})", "invalid syntax|forgot a comma")
def braces_of_a_dict(broken: Broken) -> Iterator[str]:
    """Pairs of key and value in other brackets get braces: around them in a call, in their place elsewhere."""
    tokens = broken.tokens
    made = 0
    for opening in sorted(broken.closings, key=lambda n: abs(tokens[n].start - broken.place)):
        found = inside(tokens, opening) if tokens[opening].text in ("(", "[") else None
        if found is None:
            continue
        items, closing = found
        pairs = [item for item in items if len(item) > 2 and item[1].text == ":" and item[0].text != "lambda"]
        follows = opening > 0 and tokens[opening - 1].is_operand and tokens[opening - 1].text not in _WORDS
        if not pairs or len(pairs) < len(items) or (follows and tokens[opening].text == "["):
            continue
        start, end = tokens[opening], tokens[closing]
        made += 1
        if made > MOST_PLACES:
            return
        if follows:
            yield broken.spliced([(start.end, start.end, "{"), (end.start, end.start, "}")])
        else:
            yield broken.spliced([(start.start, start.end, "{"), (end.start, end.end, "}")])


@rewrite(
    -0.5, "d = {'a' 1, 'b': 2}", "d = {'a': 1, 'b': 2}", "invalid syntax|forgot a comma|after dictionary key"
)
def colon_of_a_dict(broken: Broken) -> Iterator[str]:
    """Keys without colon get one in braces where other items have theirs, and `=` becomes one."""
    splices: list[Splice] = []
    for opening in broken.closings:
        found = inside(broken.tokens, opening) if broken.tokens[opening].text == "{" else None
        if found is None:
            continue
        items = found[0]
        equal = [item for item in items if len(item) > 2 and item[1].text == "="]
        keyed = [item for item in items if len(item) > 2 and item[1].text == ":"]
        bare = [item for item in items if len(item) > 1 and item[0].is_string and begins_value(item[1])]
        if equal and len(equal) + len(keyed) == len(items):
            splices += [(item[1].start, item[1].end, ":") for item in equal]
        elif keyed and bare and len(keyed) + len(bare) == len(items):
            splices += [(item[0].end, item[0].end, ":") for item in bare]
    if splices:
        yield broken.spliced(splices)


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
    everything = "".join(closing for _, closing in reversed(stack))
    if last.text in OPENING:  # its items are on lines of their own, and so is the end
        yield broken.spliced([(ends[-1].end, ends[-1].end, f"\n{everything}")])
    elif last.text == ",":
        yield broken.spliced([(ends[-1].end, ends[-1].end, everything)])
    if last.text in (":", ",", ";") and len(ends) > 1:
        yield broken.spliced([(last.start, last.start, own)])
    yield broken.spliced([(last.end, last.end, own)])
    yield broken.spliced([(ends[-1].end, ends[-1].end, everything)])
