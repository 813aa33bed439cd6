"""Complex kinds of code that is missing: a statement, a block with its header, a guard, a branch.

Contract of all that is lost: the rest shows that something is missing, and has each word of it.
"""

# ruff: noqa: E501  (a shape is read beside its other side)
from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterator
from functools import lru_cache
from random import Random

from ctm.bugs.complex.lines import blocks_of, is_simple, length_of, span_of, word_after
from ctm.bugs.registry import Mutation, register, replace, shuffled
from ctm.bugs.static_analysis.evidence import binds, leaves, reads
from ctm.bugs.static_analysis.source import ParsedCode
from ctm.pairs.categories import LONG_EDIT

_TRY = 4  # tokens of `try:` with its line end and its indentation


def _can_be_rewritten(source: ParsedCode, first: int, last: int) -> bool:
    """Whether what is lost with the lines can be written again: each name, number and string also stands elsewhere."""
    lines, tokens = source.lines, source.tokens
    inside = range(lines[first].first, lines[last].last + 1)
    words = {t.text for t in (tokens[i] for i in inside) if t.kind in ("NAME", "NUMBER", "STRING")}
    others = {t.text for i, t in enumerate(tokens) if i not in inside}
    return all(word in others or keyword.iskeyword(word) or hasattr(builtins, word) for word in words)


def _evident(source: ParsedCode, first: int, last: int) -> bool:
    """Whether the loss of the lines shows and what is lost can be written again."""
    return _can_be_rewritten(source, first, last) and _shows(source, first, last)


def _shows(source: ParsedCode, first: int, last: int) -> bool:
    """Whether the loss of the lines shows: below, a name is read that they alone bind, or they alone read one bound above."""
    inside = range(first, last + 1)
    bound, read, parameters = _uses(source)
    lost = {name for n in inside for name in bound[n]} - parameters
    lost -= {name for n in range(first) for name in bound[n]}
    if any(not lost.isdisjoint(read[n]) for n in range(last + 1, len(source.lines))):
        return True
    above = parameters | {name for n in range(first) for name in bound[n]}
    left = {name for n in range(len(source.lines)) if n not in inside for name in read[n]}
    return any(name in above and name not in left for n in inside for name in read[n])


@lru_cache(maxsize=64)
def _uses(source: ParsedCode) -> tuple[list[frozenset[str]], list[frozenset[str]], frozenset[str]]:
    """Names that each line binds, names that each line reads (headers of functions read none), and all parameters."""
    heads = [source.tokens[line.first].text in ("def", "async") for line in source.lines]
    bound = [binds(source, n) for n in range(len(heads))]
    read = [reads(source, n) for n in range(len(heads))]
    parameters = frozenset(name for n, is_head in enumerate(heads) if is_head for name in read[n])
    return (
        bound,
        [frozenset() if is_head else names for names, is_head in zip(read, heads, strict=True)],
        parameters - {"self", "cls"},
    )


def _removed(source: ParsedCode, first: int, last: int) -> Iterator[Mutation]:
    span = span_of(source, first, last)
    lines = source.lines
    begins = not first or lines[first - 1].indent < lines[first].indent
    ends = last + 1 == len(lines) or lines[last + 1].indent < lines[first].indent
    if (
        span is not None and not (begins and ends) and length_of(source, first, last)
    ):  # else its block would be empty
        start, end = span
        if end == len(source.text) and start:
            start -= (
                source.text[end - 1] != "\n"
            )  # the last line has no line end: that of the line before goes
        yield replace(start, end, "")


@register(
    "dropped_statement",
    "complex",
    "a long statement is missing",
    "def f(a, b, key):\n    c = merge(a.items, b.items, key(a.items, b.items))\n    log(merge, a.items, b)\n    return c or key(a)",
    "def f(a, b, key):\n    log(merge, a.items, b)\n    return c or key(a)",
    places=0.03,
)
def dropped_statement(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for number in shuffled(range(len(source.lines)), rng):
        if (
            is_simple(source, number)
            and length_of(source, number, number) > LONG_EDIT
            and _evident(source, number, number)
        ):
            yield from _removed(source, number, number)


@register(
    "dropped_statements",
    "complex",
    "two statements in different places are missing",
    "def f(a):\n    n = len(a)\n    log(n)\n    total = sum(a)\n    return total / n",
    "def f(a):\n    log(n)\n    return total / n",
    places=0.2,
)
def dropped_statements(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    numbers = [
        n for n in range(len(source.lines))
        if is_simple(source, n) and 3 <= length_of(source, n, n) <= LONG_EDIT and _evident(source, n, n)
    ]  # fmt: skip
    for first in shuffled(numbers, rng):
        later = [n for n in numbers if n > first + 1]
        if later:
            parts = [*_removed(source, first, first), *_removed(source, second := rng.choice(later), second)]
            if len(parts) == 2:
                yield Mutation(parts[0].buggy + parts[1].buggy)


@register(
    "dropped_block",
    "complex",
    "a block is missing with its header",
    "def f(a, n):\n    best = max(item.price for item in a)\n    total = 0\n    for item in a:\n        if item.price > n:\n            total += item.price * n\n    return best, total",
    "def f(a, n):\n    best = max(item.price for item in a)\n    total = 0\n    return best, total",
    ("if", "for", "while", "with"),
    places=0.01,
)
def dropped_block(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for header, last in blocks_of(source, ("if", "for", "while", "with"), rng):
        if leaves(source, last) or word_after(source, header, last) in ("else", "elif"):
            continue
        if length_of(source, header.line, last) > LONG_EDIT and _evident(source, header.line, last):
            yield from _removed(source, header.line, last)


@register(
    "dropped_guard",
    "complex",
    "a check that ends the function or the round is missing",
    "def f(a, n, error):\n    if not 0 <= n < len(a):\n        raise error(n, len(a))\n    return a[0]",
    "def f(a, n, error):\n    return a[0]",
    ("raise", "return", "continue", "break"),
    places=0.002,
)
def dropped_guard(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for header, last in blocks_of(source, ("if",), rng):
        guards = leaves(source, last) and word_after(source, header, last) not in ("else", "elif")
        if (
            guards
            and length_of(source, header.line, last) > LONG_EDIT
            and _evident(source, header.line, last)
        ):
            yield from _removed(source, header.line, last)


@register(
    "dropped_branch",
    "complex",
    "a branch of `if` or `try` is missing",
    "def f(a, b, n):\n    if a.kind == 1:\n        return a.next\n    elif b.kind == 1 and b is not a:\n        return f(b.next, a, n)\n    return None",
    "def f(a, b, n):\n    if a.kind == 1:\n        return a.next\n    return None",
    ("else", "elif", "except", "finally"),
    places=0.001,
)
def dropped_branch(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for header, last in blocks_of(source, ("else", "elif", "except", "finally"), rng):
        if length_of(source, header.line, last) > LONG_EDIT and _evident(source, header.line, last):
            yield from _removed(source, header.line, last)


@register(
    "dropped_try",
    "complex",
    "an exception that nobody catches any more",
    "def f(path, log, data):\n    try:\n        return read(path)\n    except (OSError, ValueError):\n        log(path, data)\n        return data",
    "def f(path, log, data):\n    return read(path)",
    ("try",),
    places=0.001,
)
def dropped_try(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    lines, text = source.lines, source.text
    for header, last in blocks_of(source, ("try",), rng):
        end = last
        while end + 1 < len(lines) and lines[end + 1].indent >= lines[header.line].indent:
            word = source.tokens[lines[end + 1].first].text
            if lines[end + 1].indent == lines[header.line].indent and word not in (
                "except",
                "else",
                "finally",
            ):
                break
            end += 1
        span = span_of(source, header.line, end)
        body = source.block(header)
        handler = length_of(source, last + 1, end)
        if span is None or end == last or handler <= LONG_EDIT - _TRY or len(body) > 4:
            continue
        if not _evident(source, last + 1, end):
            continue
        inner, outer = lines[body[0]].indent, lines[header.line].indent
        kept = text[lines[body[0]].start : lines[last].end].split("\n")
        if all(line[:inner].strip() == "" for line in kept) and "'''" not in text and '"""' not in text:
            made = "\n".join(line[inner - outer :] for line in kept)
            yield replace(span[0], lines[end].end, made)
