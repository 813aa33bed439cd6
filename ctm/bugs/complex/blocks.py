"""Complex kinds of one long edit: a statement, block or branch lost, repeated, moved or swapped.

What has to be written again is bounded, so that eight edits of sixteen units make it, and holds no comment, which
nobody could guess. Contract of all that is lost: the rest shows that something is missing, and has each word of it.
"""

# ruff: noqa: E501  (a shape is read beside its other side)
from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterator
from functools import lru_cache
from random import Random

from ctm.bugs.registry import Candidate, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.evidence import ASSIGNS, MUTATES, binds, block_around, leaves, reads
from ctm.bugs.static_analysis.source import BLOCK_WORDS, Header, Source
from ctm.pairs.categories import LONG_EDIT

_MOST_TOKENS = 56  # of what has to be written again
_MOST_CHARACTERS = 230
_TRY = 4  # tokens of `try:` with its line end and its indentation
_REPEATS = MUTATES - {"clear", "update", "setdefault", "add", "discard", "sort", "remove"} | {
    "write",
    "writelines",
    "send",
}
"""Methods that do something else when they are called twice."""
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


def _told(source: Source, first: int, last: int) -> bool:
    """Whether what is lost with the lines can be written again: each name, number and string also stands elsewhere."""
    lines, tokens = source.lines, source.tokens
    inside = range(lines[first].first, lines[last].last + 1)
    words = {t.text for t in (tokens[i] for i in inside) if t.kind in ("NAME", "NUMBER", "STRING")}
    others = {t.text for i, t in enumerate(tokens) if i not in inside}
    return all(word in others or keyword.iskeyword(word) or hasattr(builtins, word) for word in words)


def _evident(source: Source, first: int, last: int) -> bool:
    """Whether the loss of the lines shows and what is lost can be written again."""
    return _told(source, first, last) and _shows(source, first, last)


def _shows(source: Source, first: int, last: int) -> bool:
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
def _uses(source: Source) -> tuple[list[frozenset[str]], list[frozenset[str]], frozenset[str]]:
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
    "def f(a, b, key):\n    c = merge(a.items, b.items, key(a.items, b.items))\n    log(merge, a.items, b)\n    return c or key(a)",
    "def f(a, b, key):\n    log(merge, a.items, b)\n    return c or key(a)",
    places=0.03,
)
def dropped_statement(source: Source, rng: Random) -> Iterator[Candidate]:
    for number in shuffled(range(len(source.lines)), rng):
        if (
            _simple(source, number)
            and _length(source, number, number) > LONG_EDIT
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
def dropped_statements(source: Source, rng: Random) -> Iterator[Candidate]:
    numbers = [
        n for n in range(len(source.lines))
        if _simple(source, n) and 3 <= _length(source, n, n) <= LONG_EDIT and _evident(source, n, n)
    ]  # fmt: skip
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
    "def f(a, n):\n    best = max(item.price for item in a)\n    total = 0\n    for item in a:\n        if item.price > n:\n            total += item.price * n\n    return best, total",
    "def f(a, n):\n    best = max(item.price for item in a)\n    total = 0\n    return best, total",
    ("if", "for", "while", "with"),
    places=0.01,
)
def dropped_block(source: Source, rng: Random) -> Iterator[Candidate]:
    for header, last in _blocks(source, ("if", "for", "while", "with"), rng):
        if leaves(source, last) or _follows(source, header, last) in ("else", "elif"):
            continue
        if _length(source, header.line, last) > LONG_EDIT and _evident(source, header.line, last):
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
def dropped_guard(source: Source, rng: Random) -> Iterator[Candidate]:
    for header, last in _blocks(source, ("if",), rng):
        guards = leaves(source, last) and _follows(source, header, last) not in ("else", "elif")
        if guards and _length(source, header.line, last) > LONG_EDIT and _evident(source, header.line, last):
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
def dropped_branch(source: Source, rng: Random) -> Iterator[Candidate]:
    for header, last in _blocks(source, ("else", "elif", "except", "finally"), rng):
        if _length(source, header.line, last) > LONG_EDIT and _evident(source, header.line, last):
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
        if not _evident(source, last + 1, end):
            continue
        inner, outer = lines[body[0]].indent, lines[header.line].indent
        kept = text[lines[body[0]].start : lines[last].end].split("\n")
        if all(line[:inner].strip() == "" for line in kept) and "'''" not in text and '"""' not in text:
            made = "\n".join(line[inner - outer :] for line in kept)
            yield replace(span[0], lines[end].end, made)


def _steps(source: Source, first: int, last: int) -> bool:
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
def repeated_block(source: Source, rng: Random) -> Iterator[Candidate]:
    """A statement or block twice.

    Contract: it changes something in place, so that doing it again does harm.
    """
    ranges = [(n, n) for n in range(len(source.lines)) if _simple(source, n)]
    ranges += [
        (header.line, last)
        for header, last in _blocks(source, ("if", "for", "while", "with"), rng)
        if _follows(source, header, last) not in ("else", "elif")
    ]
    for first, last in shuffled(ranges, rng):
        span = _span(source, first, last)
        if not _steps(source, first, last):
            continue
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
