"""Swapped arguments, where the snippet or the library says in which order they come.

`print(a, b)` is as good as `print(b, a)`: of most calls nobody can tell the order from the call alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, shuffled
from ctm.bugs.static_analysis.source import Call, ParsedCode

_ORDERED = frozenset(("isinstance", "issubclass", "getattr", "hasattr", "setattr", "delattr", "map", "filter", "reduce",
                      "enumerate", "partial", "sub", "match", "search", "fullmatch", "findall", "finditer", "strftime",
                      "strptime", "insert", "relpath", "setdefault", "startswith", "pow"))  # fmt: skip
"""Functions whose arguments are of different sorts, in an order that everybody knows."""
_ANY_ORDER = frozenset(("print", "join", "debug", "info", "warning", "warn", "error", "exception", "critical", "log",
                        "min", "max", "gcd", "lcm", "zip", "chain", "Union", "add", "set", "hypot", "format", "union",
                        "intersection", "isclose", "allclose", "assertEqual", "assertNotEqual", "write"))  # fmt: skip
"""Functions of which any order may be meant, or makes no difference."""
_LONGEST = 6


@register(
    "swapped_arguments",
    "logic",
    "two arguments of a call swapped",
    "if isinstance(x, str):\n    go(x)",
    "if isinstance(str, x):\n    go(x)",
    (",",),
    places=0.28,
)
def swapped_arguments(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """Two neighboring arguments swapped.

    Contract: the order is known: the function is one of a fixed order and different sorts (`isinstance(x, str)`), or
    the first argument is `self`, or the snippet has the two in this order, as the names of parameters of one `def` or
    as arguments of another call, and nowhere the other way. Never the values of `print`, logging, `join`, `min` and
    the like, of which any order may be meant.
    """
    tokens, text = source.tokens, source.text
    orders: set[tuple[str, str]] | None = None
    for call in shuffled(source.calls, rng):
        name = tokens[call.open - 1].text
        if name in _ANY_ORDER or len(call.arguments) < 2:
            continue
        pairs = []
        for (a, b), (c, d) in pairwise(_plain(source, call)):
            one, other = text[a:b], text[c:d]
            if one == other or "for" in text[a:d].split():
                continue
            if orders is None:
                orders = _orders(source)
            first = (a, b) == _plain(source, call)[0] and (one == "self" or name in _ORDERED)
            shown = (one, other) in orders and (other, one) not in orders
            if first or shown:
                pairs.append((a, b, c, d))
        if pairs:
            a, b, c, d = rng.choice(pairs)
            yield Mutation((Splice(a, b, text[c:d]), Splice(c, d, text[a:b])))


def _plain(source: ParsedCode, call: Call) -> list[tuple[int, int]]:
    """Spans of the short positional arguments of a call."""
    tokens = source.tokens
    return [
        (tokens[first].start, tokens[last].end)
        for first, last in call.arguments
        if tokens[first].text not in ("*", "**")
        and (first == last or tokens[first + 1].text != "=")
        and last - first <= _LONGEST
    ]


def _orders(source: ParsedCode) -> set[tuple[str, str]]:
    """Pairs of neighbors, earlier and later, of parameters and of arguments that two calls or more have."""
    tokens, text = source.tokens, source.text
    orders: set[tuple[str, str]] = set()
    for header in source.headers:
        first = source.lines[header.line].first
        opening = first + 2 + (header.word == "async")
        if header.word not in ("def", "async") or opening not in source.partner:
            continue
        named = [tokens[a].text for a, _ in source.arguments_between(opening, source.partner[opening])]
        orders.update((a, b) for n, a in enumerate(named) for b in named[n + 1 :] if "*" not in (a[0], b[0]))
    seen: set[tuple[str, str]] = set()
    for call in source.calls:
        parts = _plain(source, call)
        pairs = {(text[a:b], text[c:d]) for (a, b), (c, d) in pairwise(parts)}
        orders |= pairs & seen
        seen |= pairs
    return orders
