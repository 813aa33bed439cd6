"""Lists and dictionaries as people type and cut them: wrong brackets, no last line, no braces, items left out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.lexemes import CLOSING
from ctm.bugs.static_analysis.source import ParsedCode


def _brackets(source: ParsedCode, rng: Random, signs: str) -> Iterator[tuple[int, int, bool]]:
    """Bracket pairs of these opening signs: both token indices, and whether it is that of a call or subscript."""
    tokens = source.tokens
    for first in shuffled([i for i, t in enumerate(tokens) if t.text in signs and i in source.partner], rng):
        before = tokens[first - 1] if first else None
        called = before is not None and (before.kind in ("NAME", "STRING") or before.text in CLOSING)
        yield first, source.partner[first], called


def _has(source: ParsedCode, first: int, last: int, sign: str) -> int:
    """How many of the sign stand directly inside a bracket pair."""
    tokens = source.tokens
    return sum(t.text == sign and t.depth == tokens[first].depth + 1 for t in tokens[first + 1 : last])


@register("wrong_pair", "syntax", "both brackets of the wrong sort round key and value or round a slice",
          "d = {'a': 1}", "d = ['a': 1]", ("{", "["), places=0.09)  # fmt: skip
def wrong_pair(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for first, last, called in _brackets(source, rng, "{["):
        opening, close = source.tokens[first], source.tokens[last]
        if called != (opening.text == "[") or not _has(source, first, last, ":"):
            continue
        loop = bool(_has(source, first, last, "for"))
        chance = rng.random()
        if called or chance < 0.2:
            left, right = "()"
        else:
            left, right = ("dict(", ")") if loop and chance < 0.5 else ("[", "]")
        yield Mutation((Splice(opening.start, opening.end, left), Splice(close.start, close.end, right)))


@register("missing_last_line", "syntax", "the line of the closing bracket is missing",
          "xs = [\n    1,\n    2\n]", "xs = [\n    1,\n    2", ("(", "[", "{"), places=0.08)  # fmt: skip
def missing_last_line(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    text = source.text
    places = []
    for token in source.tokens:
        if token.text not in CLOSING:
            continue
        start = text.rfind("\n", 0, token.start)
        end = text.find("\n", token.start)
        end = len(text) if end < 0 else end
        if start > 0 and not text[start:end].strip(" \t\n)]},"):
            places.append((start, end))
    places = list(dict.fromkeys(places))  # a line may have several brackets
    for start, end in shuffled(places, rng):
        chance = 0.4 if text[end:].strip() else 1.0  # most such texts were cut short
        if not text[start:end].strip(" \t\n),"):
            chance *= 0.4  # of a call, not of data
        if rng.random() < chance:
            yield replace(start, end, "")


@register("missing_braces", "syntax", "the items of a dictionary without anything round them",
          "d = {'a': 1, 'b': 2}", "'a': 1, 'b': 2", ("{",), places=0.06)  # fmt: skip
def missing_braces(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """Both sides are the items alone, as a fragment of a settings file is posted."""
    for first, last, _ in _brackets(source, rng, "{"):
        if not _has(source, first, last, ":") or _has(source, first, last, "for"):
            continue
        inside = source.text[source.tokens[first].end : source.tokens[last].start]
        items = textwrap.dedent(inside.strip("\n")).rstrip()
        around = "{\n", "\n}"
        if "\n" not in items:
            items, around = items.strip(), ("{", "}")
        whole = 0, len(source.text)
        if len(items) <= 600:
            yield Mutation((Splice(*whole, items),), (Splice(*whole, items.join(around)),))


_DOTS = (", ..", ", ..", ",..", ", . . .", " ...", " ...", ", ....", ", ... .", " ..")
_WORDS = (", etc.", " etc", ", ... etc", "... etc", ", etc...", " and so on", ", etc etc", ",...etc")


@register("elided_items", "syntax", "items left out with two dots, dots without a comma, or words",
          "xs = [1, 2, 3]", "xs = [1, 2, 3, ..]", ("[", "("), places=0.22)  # fmt: skip
def elided_items(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """Dots become `...` on the fixed side, words go."""
    for first, last, called in _brackets(source, rng, "[({"):
        end = source.tokens[last - 1].end
        if called or not _has(source, first, last, ",") or _has(source, first, last, "for"):
            continue
        if source.tokens[last - 1].text == ",":
            continue
        if rng.random() < 0.6 and not _has(source, first, last, ":"):
            yield Mutation((Splice(end, end, rng.choice(_DOTS)),), (Splice(end, end, ", ..."),))
        else:
            yield replace(end, end, rng.choice(_WORDS))
