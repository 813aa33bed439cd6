"""Runs of logical lines as complex kinds take them: what can be lost or moved as a whole, and be written again.

What has to be written again is bounded, so that eight edits of sixteen units make it, and holds no comment, which
nobody could guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import shuffled
from ctm.bugs.static_analysis.source import BLOCK_WORDS, Header, ParsedCode

_MOST_TOKENS = 56  # of what has to be written again
_MOST_CHARACTERS = 230


def span_of(source: ParsedCode, first: int, last: int) -> tuple[int, int] | None:
    """Characters of the logical lines first..last with the line end after them; None where a comment is in the way."""
    lines, text = source.lines, source.text
    start, end = lines[first].start, lines[last].end
    stop = text.find("\n", end)
    stop = len(text) if stop < 0 else stop
    if text[end:stop].strip() or any(start <= a < stop for a, _ in source.comments):
        return None
    return start, min(stop + 1, len(text))


def length_of(source: ParsedCode, first: int, last: int) -> int:
    """Lexical tokens of the lines; 0 where they are too many to be written again."""
    lines = source.lines
    count = lines[last].last - lines[first].first + 1
    characters = lines[last].end - lines[first].start
    return count if count <= _MOST_TOKENS and characters <= _MOST_CHARACTERS else 0


def is_simple(source: ParsedCode, number: int) -> bool:
    """Whether a line is a statement of its own that others may lack: no header, decorator, import or docstring."""
    first = source.tokens[source.lines[number].first]
    return (
        first.text not in BLOCK_WORDS and first.text not in ("@", "import", "from") and first.kind != "STRING"
    )


def blocks_of(source: ParsedCode, words: tuple[str, ...], rng: Random) -> Iterator[tuple[Header, int]]:
    """Headers of these words with the last line of their block."""
    for header in shuffled([h for h in source.headers if h.word in words], rng):
        block = source.block(header)
        if source.opens_block(header) and block:
            yield header, block[-1]


def word_after(source: ParsedCode, header: Header, last: int) -> str:
    """First word of the line after a block, where it has the header's indentation: `else`, `except`."""
    after = last + 1
    if after < len(source.lines) and source.lines[after].indent == source.lines[header.line].indent:
        return source.tokens[source.lines[after].first].text
    return ""
