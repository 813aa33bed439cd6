"""Brackets that are closed and were never opened: names that were run together tell where they open."""

from __future__ import annotations

import builtins
import keyword
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from ctm.repair.rewrites.broken import CLOSING, OPENING, Broken, CodeToken
from ctm.repair.rewrites.registry import rewrite

MOST = 6
"""Places that are tried, the likeliest first."""
SHORT = 2
"""Letters of a name that is too short to be told from the end of another by itself."""
_PREFIXES = frozenset({"f", "r", "b", "rb", "br", "fr", "rf"})
_VALUES = frozenset({"None", "True", "False", "lambda", "not", "await", "self", "cls"})
"""Words that a value may begin with in any text."""


_CALLS = frozenset({".", "def", "class"})
"""What stands before a name that a `(` may follow, though nothing else tells that it is called."""


@rewrite(
    -0.1,
    "total = 1\nprinttotal)",
    "total = 1\nprint(total)",
    "unmatched|does not match opening|invalid syntax|cannot assign|expected",
)
def bracket_between_names(broken: Broken) -> Iterator[str]:
    """A bracket that is closed and was never opened opens between two names that were run together."""
    found = _never_opened(broken.tokens)
    if found is None:
        return
    first, closed = found
    tokens, names, called = broken.tokens, _names(broken.tokens), _called(broken.tokens)
    places: list[tuple[float, int]] = []
    for number in range(
        first, closed
    ):  # in brackets too: one that is closed too early lets another go without
        if _may_be_two(tokens[number], names):
            around = _Around(tokens[number - 1].text if number else "", tokens[number + 1])
            far = (closed - number) / 1000
            for rank, place in _splits(tokens[number], around, names):
                head = tokens[number].text[: place - tokens[number].start]
                if tokens[closed].text != ")" or around.before in _CALLS or head in called:
                    places.append((rank + far, place))
    for _, place in sorted(places)[:MOST]:
        yield broken.spliced([(place, place, CLOSING[tokens[closed].text])])


class _Around(NamedTuple):
    before: str
    """Text of the token before a name."""
    after: CodeToken


def _never_opened(tokens: list[CodeToken]) -> tuple[int, int] | None:
    """Numbers of the first token that a bracket may hold, and of the one that closes it and was never opened.

    None where none is.
    """
    stack: list[int] = []
    statement = 0
    for number, token in enumerate(tokens):
        if token.text in OPENING:
            stack.append(number)
        elif token.text in CLOSING:
            if not stack:
                return statement, number
            if tokens[stack[-1]].text != CLOSING[token.text]:
                return stack[-1] + 1, number
            stack.pop()
        elif token.is_newline and not stack:
            statement = number + 1
    return None


def _names(tokens: list[CodeToken]) -> Counter[str]:
    """Names of a text, and how often each stands there."""
    return Counter(token.text for token in tokens if token.is_name and not keyword.iskeyword(token.text))


def _called(tokens: list[CodeToken]) -> frozenset[str]:
    """Names that are called somewhere in a text, or may be in any."""
    return _known() | {one.text for one, behind in pairwise(tokens) if one.is_name and behind.text == "("}


def _may_be_two(token: CodeToken, names: Counter[str]) -> bool:
    """Whether a token is a name that nothing else knows."""
    is_known = token.text in _known() or token.text in sys.stdlib_module_names
    return names[token.text] == 1 and not is_known


def _splits(token: CodeToken, around: _Around, names: Counter[str]) -> Iterator[tuple[float, int]]:
    """(rank, place) in a name that is two: both are known, or the longer one is, or a number follows the name.

    What is called already, or is an object whose attribute is taken, is one unless the text knows both.
    """
    is_used = around.after.text in ("(", ".")
    for length in range(1, len(token.text)):
        head, tail = token.text[:length], token.text[length:]
        place = token.start + length
        if around.after.is_string and around.after.start == token.end and tail in _PREFIXES:
            yield 0.2, place
            continue
        if not head.isidentifier() or head[-1] == "_" or not (tail.isidentifier() or tail.isdigit()):
            continue
        is_module = tail in sys.stdlib_module_names and around.after.text == "."
        is_class = tail[0].isupper() and hasattr(builtins, tail)
        knows_head = names[head] > 0 or head in (_methods() if around.before == "." else _known())
        knows_tail = names[tail] > 0 or tail in _VALUES or is_class or is_module
        if knows_head and knows_tail:
            yield 0.1, place
        elif knows_tail and len(tail) > SHORT and around.after.text != "(":
            yield 0.3, place
        elif knows_head and (len(head) > SHORT or tail.isdigit()) and tail[0] != "_" and not is_used:
            yield 0.4, place
        elif tail.isdigit() and len(head) > SHORT:
            yield 0.6, place


@cache
def _methods() -> frozenset[str]:
    """Names of what the builtin kinds of values can do."""
    return frozenset(name for kind in (str, list, dict, set, bytes) for name in dir(kind))


@cache
def _known() -> frozenset[str]:
    """Names that any text may use."""
    return _methods() | (frozenset(dir(builtins)) - {"_"})
