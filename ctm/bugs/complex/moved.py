"""Complex kinds of code that is all there, but not where or how often it belongs: repeated, moved or swapped."""

# ruff: noqa: E501  (a shape is read beside its other side)
from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.complex.lines import blocks_of, is_simple, length_of, span_of, word_after
from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.evidence import ASSIGNS, MUTATES, binds, block_around, leaves, reads
from ctm.bugs.static_analysis.source import ParsedCode
from ctm.pairs.categories import LONG_EDIT

_REPEATS = MUTATES - {"clear", "update", "setdefault", "add", "discard", "sort", "remove"} | {
    "write",
    "writelines",
    "send",
}
"""Methods that do something else when they are called twice."""
_CLAUSES = frozenset(("else", "elif", "except", "finally", "case"))


def _steps(source: ParsedCode, first: int, last: int) -> bool:
    """Whether doing the lines twice is not the same as once: they count, collect or take out in place."""
    tokens = source.tokens
    for index in range(source.lines[first].first, source.lines[last].last + 1):
        text, after = tokens[index].text, tokens[min(index + 1, len(tokens) - 1)].text
        if text in ASSIGNS and text not in ("=", ":="):
            return True
        if text in _REPEATS and tokens[index - 1].text == "." and after == "(":
            return True
    return False


@register(
    "repeated_block",
    "complex",
    "a statement or block stands there twice",
    "def f(a, total):\n    for item in a.items():\n        total += item.price * item.count - item.rebate\n    return total",
    "def f(a, total):\n    for item in a.items():\n        total += item.price * item.count - item.rebate\n"
    "    for item in a.items():\n        total += item.price * item.count - item.rebate\n    return total",
)
def repeated_block(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A statement or block twice.

    Contract: it changes something in place, so that doing it again does harm.
    """
    ranges = [(n, n) for n in range(len(source.lines)) if is_simple(source, n)]
    ranges += [
        (header.line, last)
        for header, last in blocks_of(source, ("if", "for", "while", "with"), rng)
        if word_after(source, header, last) not in ("else", "elif")
    ]
    for first, last in shuffled(ranges, rng):
        span = span_of(source, first, last)
        if not _steps(source, first, last):
            continue
        if span and length_of(source, first, last) > LONG_EDIT and not leaves(source, last):
            copy = source.text[span[0] : span[1]]
            yield replace(span[0], span[0], copy if copy.endswith("\n") else copy + "\n")


@register(
    "moved_statement",
    "complex",
    "a statement stands some lines too early or too late",
    "def f(a):\n    total = 0\n    for item in a.items():\n        total += item.price * item.count\n    log(total, len(a))\n    return total",
    "def f(a):\n    log(total, len(a))\n    total = 0\n    for item in a.items():\n        total += item.price * item.count\n    return total",
)
def moved_statement(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A statement moved within its block, past three lines or more.

    Contract: it is moved up past the line before it, which binds a name that it reads, or down past the line after
    it, which reads a name that it binds. So the move shows, and the statement belongs right behind or before that line.
    """
    lines, text = source.lines, source.text
    for number in shuffled(range(len(lines)), rng):
        span = span_of(source, number, number)
        if span is None or not is_simple(source, number) or not length_of(source, number, number):
            continue
        moved = text[span[0] : span[1]]
        block = block_around(source, number)
        up = number > 0 and not binds(source, number - 1).isdisjoint(reads(source, number))
        down = number + 1 < len(lines) and not binds(source, number).isdisjoint(reads(source, number + 1))
        same = [
            n
            for n in range(len(lines))
            if ((up and n < number - 2) or (down and n > number + 2))
            and lines[n].indent == lines[number].indent and block_around(source, n) == block
            and source.tokens[lines[n].first].kind != "STRING" and source.tokens[lines[n].first].text not in _CLAUSES
        ]  # fmt: skip
        if same and moved.endswith("\n") and lines[number].last - lines[number].first >= 2:
            at = lines[rng.choice(same)].start
            yield Mutation((Splice(span[0], span[1], ""), Splice(at, at, moved)))


@register(
    "swapped_branches",
    "complex",
    "the bodies of `if` and `else` the wrong way round",
    "def f(a):\n    if a.ready and a.count > 0:\n        a.start(a.count)\n        log('started')\n        run = True\n"
    "    else:\n        wait(a.lock, timeout=1)\n        run = None\n        return a.next\n    return run",
    "def f(a):\n    if a.ready and a.count > 0:\n        wait(a.lock, timeout=1)\n        run = None\n        return a.next\n"
    "    else:\n        a.start(a.count)\n        log('started')\n        run = True\n    return run",
    ("else",),
    places=0.1,
)
def swapped_branches(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    lines, text = source.lines, source.text
    for header, last in blocks_of(source, ("if", "elif"), rng):
        if word_after(source, header, last) != "else":
            continue
        other = next(h for h in source.headers if h.line == last + 1)
        block = source.block(other)
        if not source.opens_block(other) or not block:
            continue
        first, second = (
            (lines[header.line + 1].start, lines[last].end),
            (lines[block[0]].start, lines[block[-1]].end),
        )
        long = length_of(source, header.line + 1, last) and length_of(source, block[0], block[-1])
        if long and not any(first[0] <= a < second[1] for a, _ in source.comments):
            yield Mutation((Splice(*first, text[slice(*second)]), Splice(*second, text[slice(*first)])))
