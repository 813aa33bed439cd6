"""Complex kinds of one long edit: a statement, block or branch lost, repeated, moved or swapped.

What has to be written again is bounded, so that eight edits of sixteen units make it, and holds no comment, which
nobody could guess.
"""

# ruff: noqa: E501  (a shape is read beside its other side)
from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.evidence import binds, block_around, leaves, reads
from ctm.bugs.registry import Candidate, Splice, register, replace, shuffled
from ctm.bugs.source import BLOCK_WORDS, Header, Source
from ctm.pairs.categories import LONG_EDIT

_MOST_TOKENS = 56  # of what has to be written again
_MOST_CHARACTERS = 230
_TRY = 4  # tokens of `try:` with its line end and its indentation
_CLAUSES = frozenset(("else", "elif", "except", "finally", "case"))


def _span(source: Source, first: int, last: int) -> tuple[int, int] | None:
    """Characters of the logical lines first..last with the line end after them; None where a comment is in the way."""
    lines, text = source.lines, source.text
    start, end = lines[first].start, lines[last].end
    stop = text.find("\n", end)
    stop = len(text) if stop < 0 else stop
    if text[end:stop].strip() or any(start <= a < stop for a, _ in source.comments):
        return None
    return start, min(stop + 1, len(text))


def _length(source: Source, first: int, last: int) -> int:
    """Lexical tokens of the lines; 0 where they are too many to be written again."""
    lines = source.lines
    count = lines[last].last - lines[first].first + 1
    characters = lines[last].end - lines[first].start
    return count if count <= _MOST_TOKENS and characters <= _MOST_CHARACTERS else 0


def _simple(source: Source, number: int) -> bool:
    """Whether a line is a statement of its own that others may lack: no header, decorator, import or docstring."""
    first = source.tokens[source.lines[number].first]
    return (
        first.text not in BLOCK_WORDS and first.text not in ("@", "import", "from") and first.kind != "STRING"
    )


def _blocks(source: Source, words: tuple[str, ...], rng: Random) -> Iterator[tuple[Header, int]]:
    """Headers of these words with the last line of their block."""
    for header in shuffled([h for h in source.headers if h.word in words], rng):
        block = source.block(header)
        if source.opens_block(header) and block:
            yield header, block[-1]


def _follows(source: Source, header: Header, last: int) -> str:
    """First word of the line after a block, where it has the header's indentation: `else`, `except`."""
    after = last + 1
    if after < len(source.lines) and source.lines[after].indent == source.lines[header.line].indent:
        return source.tokens[source.lines[after].first].text
    return ""


def _removed(source: Source, first: int, last: int) -> Iterator[Candidate]:
    span = _span(source, first, last)
    lines = source.lines
    begins = not first or lines[first - 1].indent < lines[first].indent
    ends = last + 1 == len(lines) or lines[last + 1].indent < lines[first].indent
    if (
        span is not None and not (begins and ends) and _length(source, first, last)
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
    "def f(a, b):\n    c = merge(a.items, b.items, key=lambda x: x.name, default=None)\n    return c or a",
    "def f(a, b):\n    return c or a",
    places=0.3,
)
def dropped_statement(source: Source, rng: Random) -> Iterator[Candidate]:
    for number in shuffled(range(len(source.lines)), rng):
        if _simple(source, number) and _length(source, number, number) > LONG_EDIT:
            yield from _removed(source, number, number)


@register(
    "dropped_statements",
    "complex",
    "two statements in different places are missing",
    "def f(a):\n    n = len(a)\n    total = sum(a.values()) / max(n, 1)\n    log(n)\n    return total",
    "def f(a):\n    total = sum(a.values()) / max(n, 1)\n    return total",
)
def dropped_statements(source: Source, rng: Random) -> Iterator[Candidate]:
    numbers = [
        n for n in range(len(source.lines)) if _simple(source, n) and 3 <= _length(source, n, n) <= LONG_EDIT
    ]
    for first in shuffled(numbers, rng):
        later = [n for n in numbers if n > first + 1]
        if later:
            parts = [*_removed(source, first, first), *_removed(source, second := rng.choice(later), second)]
            if len(parts) == 2:
                yield Candidate(parts[0].buggy + parts[1].buggy)


@register(
    "dropped_block",
    "complex",
    "a block is missing with its header",
    "def f(a):\n    total = 0\n    for item in a.items():\n        if item.price is not None:\n            total += item.price * item.count\n    return total",
    "def f(a):\n    total = 0\n    return total",
    ("if", "for", "while", "with"),
    places=0.4,
)
def dropped_block(source: Source, rng: Random) -> Iterator[Candidate]:
    for header, last in _blocks(source, ("if", "for", "while", "with"), rng):
        if leaves(source, last) or _follows(source, header, last) in ("else", "elif"):
            continue
        if _length(source, header.line, last) > LONG_EDIT:
            yield from _removed(source, header.line, last)


@register(
    "dropped_guard",
    "complex",
    "a check that ends the function or the round is missing",
    "def f(a, n):\n    if not 0 <= n < len(a):\n        raise IndexError('no item %d of %d' % (n, len(a)))\n    return a[n]",
    "def f(a, n):\n    return a[n]",
    ("raise", "return", "continue", "break"),
    places=0.25,
)
def dropped_guard(source: Source, rng: Random) -> Iterator[Candidate]:
    for header, last in _blocks(source, ("if",), rng):
        guards = leaves(source, last) and _follows(source, header, last) not in ("else", "elif")
        if guards and _length(source, header.line, last) > LONG_EDIT:
            yield from _removed(source, header.line, last)


@register(
    "dropped_branch",
    "complex",
    "a branch of `if` or `try` is missing",
    "def f(a):\n    if a.kind == 1:\n        return a\n    elif a.kind == 2 and a.next is not None:\n        return f(a.next) + a.count\n    return None",
    "def f(a):\n    if a.kind == 1:\n        return a\n    return None",
    ("else", "elif", "except", "finally"),
    places=0.2,
)
def dropped_branch(source: Source, rng: Random) -> Iterator[Candidate]:
    for header, last in _blocks(source, ("else", "elif", "except", "finally"), rng):
        if _length(source, header.line, last) > LONG_EDIT:
            yield from _removed(source, header.line, last)


@register(
    "dropped_try",
    "complex",
    "an exception that nobody catches any more",
    "def f(path):\n    try:\n        data = read(path)\n    except (OSError, ValueError) as error:\n        log.warning('no %s: %s', path, error)\n        data = None\n    return data",
    "def f(path):\n    data = read(path)\n    return data",
    ("try",),
    places=0.1,
)
def dropped_try(source: Source, rng: Random) -> Iterator[Candidate]:
    lines, text = source.lines, source.text
    for header, last in _blocks(source, ("try",), rng):
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
        span = _span(source, header.line, end)
        body = source.block(header)
        handler = _length(source, last + 1, end)
        if span is None or end == last or handler <= LONG_EDIT - _TRY or len(body) > 4:
            continue
        inner, outer = lines[body[0]].indent, lines[header.line].indent
        kept = text[lines[body[0]].start : lines[last].end].split("\n")
        if all(line[:inner].strip() == "" for line in kept) and "'''" not in text and '"""' not in text:
            made = "\n".join(line[inner - outer :] for line in kept)
            yield replace(span[0], lines[end].end, made)


@register(
    "repeated_block",
    "complex",
    "a statement or block stands there twice",
    "def f(a, total):\n    for item in a.items():\n        total += item.price * item.count - item.rebate\n    return total",
    "def f(a, total):\n    for item in a.items():\n        total += item.price * item.count - item.rebate\n"
    "    for item in a.items():\n        total += item.price * item.count - item.rebate\n    return total",
)
def repeated_block(source: Source, rng: Random) -> Iterator[Candidate]:
    ranges = [(n, n) for n in range(len(source.lines)) if _simple(source, n)]
    ranges += [
        (header.line, last)
        for header, last in _blocks(source, ("if", "for", "while", "with"), rng)
        if _follows(source, header, last) not in ("else", "elif")
    ]
    for first, last in shuffled(ranges, rng):
        span = _span(source, first, last)
        if span and _length(source, first, last) > LONG_EDIT and not leaves(source, last):
            copy = source.text[span[0] : span[1]]
            yield replace(span[0], span[0], copy if copy.endswith("\n") else copy + "\n")


@register(
    "moved_statement",
    "complex",
    "a statement stands some lines too early or too late",
    "def f(a):\n    total = 0\n    for item in a.items():\n        total += item.price * item.count\n    log(total, len(a))\n    return total",
    "def f(a):\n    log(total, len(a))\n    total = 0\n    for item in a.items():\n        total += item.price * item.count\n    return total",
)
def moved_statement(source: Source, rng: Random) -> Iterator[Candidate]:
    """A statement moved within its block, past three lines or more.

    Contract: it is moved up past the line before it, which binds a name that it reads, or down past the line after
    it, which reads a name that it binds. So the move shows, and the statement belongs right behind or before that line.
    """
    lines, text = source.lines, source.text
    for number in shuffled(range(len(lines)), rng):
        span = _span(source, number, number)
        if span is None or not _simple(source, number) or not _length(source, number, number):
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
            yield Candidate((Splice(span[0], span[1], ""), Splice(at, at, moved)))


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
def swapped_branches(source: Source, rng: Random) -> Iterator[Candidate]:
    lines, text = source.lines, source.text
    for header, last in _blocks(source, ("if", "elif"), rng):
        if _follows(source, header, last) != "else":
            continue
        other = next(h for h in source.headers if h.line == last + 1)
        block = source.block(other)
        if not source.opens_block(other) or not block:
            continue
        first, second = (
            (lines[header.line + 1].start, lines[last].end),
            (lines[block[0]].start, lines[block[-1]].end),
        )
        long = _length(source, header.line + 1, last) and _length(source, block[0], block[-1])
        if long and not any(first[0] <= a < second[1] for a, _ in source.comments):
            yield Candidate((Splice(*first, text[slice(*second)]), Splice(*second, text[slice(*first)])))
