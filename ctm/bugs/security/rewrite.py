"""Code patterns with holes: `requests.$verb($$a, timeout=$t)` found in a snippet and turned into another pattern.

A pattern is lexed like code. `$name` stands for one expression (no comma outside brackets), `$$name` for any run of
tokens inside brackets, none included, `$var` for an expression that does not begin with a literal text, and `$verb`
and other names of `CHOICES` for one of those words. Only what
differs between two patterns is spliced, so that the layout of a call that spans lines stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from ctm.bugs.registry import Splice
from ctm.bugs.static_analysis.lexemes import CLOSING, OPENING
from ctm.bugs.static_analysis.source import ParsedCode

CHOICES: dict[str, tuple[str, ...]] = {
    "verb": ("get", "post", "put", "delete", "head", "patch"),
    "process": ("run", "call", "check_call", "check_output", "Popen"),
    "parse": ("parse", "fromstring", "iterparse"),
}
"""Holes that stand for one of a few words."""

_HOLE = re.compile(r"(\$\$?)([a-z]+)")
_LONGEST = 60  # tokens that one hole may stand for


class Element(NamedTuple):
    """A token of a pattern: "word" (itself), "choice", "one" or "many"; `gap` is the white space before it."""

    role: str
    text: str
    gap: str


class Match(NamedTuple):
    """Where a pattern was found: the span in characters of each element, and what each hole stands for."""

    spans: tuple[tuple[int, int], ...]
    holes: dict[str, str]


@lru_cache(maxsize=1024)
def pattern(text: str) -> tuple[Element, ...]:
    """The elements of a pattern. Raises nothing: what is no hole is a word."""
    elements: list[Element] = []
    gap, at = "", 0
    for hole in [*_HOLE.finditer(text), None]:
        between = text[at : hole.start() if hole else len(text)]
        end = 0
        for token in ParsedCode(between).tokens:
            elements.append(Element("word", token.text, gap + between[end : token.start]))
            gap, end = "", token.end
        gap += between[end:]
        if hole:
            role = "many" if len(hole[1]) == 2 else "choice" if hole[2] in CHOICES else "one"
            elements.append(Element(role, hole[2], gap))
            gap, at = "", hole.end()
    return tuple(elements)


@lru_cache(maxsize=1024)
def words_of(text: str) -> frozenset[str]:
    """Words without which a pattern cannot be found."""
    return frozenset(element.text for element in pattern(text) if element.role == "word")


@dataclass(frozen=True)
class SecurityPattern:
    """A secure pattern and what it becomes.

    `reversible` says that the insecure one, found in code, is surely so repaired.
    `condition` tells whether a match is a place where the snippet shows that; None where each is.
    """

    secure: str
    insecure: str
    reversible: bool = False
    condition: Callable[[ParsedCode, Match], bool] | None = None


def found(source: ParsedCode, wanted: tuple[Element, ...]) -> Iterator[Match]:
    """Places of a pattern, in order of the text."""
    first = wanted[0]
    for index, token in enumerate(source.tokens):
        if token.text != first.text:
            continue
        before = source.tokens[index - 1].text if index else ""
        if before in ("def", "class") or (token.kind == "NAME" and before == "."):
            continue
        match = _match(source, wanted, 0, index, (), {})
        if match is not None:
            yield match


def _match(
    source: ParsedCode,
    wanted: tuple[Element, ...],
    at: int,
    index: int,
    spans: tuple[tuple[int, int], ...],
    holes: dict[str, str],
) -> Match | None:
    if at == len(wanted):
        return Match(spans, holes)
    element, tokens = wanted[at], source.tokens
    if element.role in ("word", "choice"):
        if index >= len(tokens):
            return None
        if tokens[index].text == "," and element.text in CLOSING and index + 1 < len(tokens):
            index += 1  # a comma after the last argument changes nothing
        token = tokens[index]
        if element.role == "word":
            if token.text != element.text:
                return None
        elif token.text not in CHOICES[element.text]:
            return None
        else:
            holes = {**holes, element.text: token.text}
        return _match(source, wanted, at + 1, index + 1, (*spans, (token.start, token.end)), holes)
    many = element.role == "many"
    runs = list(_runs(source, index, many))
    for end in runs if many else reversed(runs):
        span = (
            (tokens[index].start, tokens[end - 1].end)
            if end > index
            else (tokens[index - 1].end, tokens[index - 1].end)
        )
        text = source.text[span[0] : span[1]]
        if holes.get(element.text, text) != text or (element.text == "var" and text[:1] in "'\""):
            continue
        match = _match(source, wanted, at + 1, end, (*spans, span), {**holes, element.text: text})
        if match is not None:
            return match
    return None


def _runs(source: ParsedCode, index: int, many: bool) -> Iterator[int]:
    """Ends of the balanced runs of tokens from `index` on, shortest first."""
    tokens, end = source.tokens, index
    line = tokens[index - 1].line
    if many:
        yield end
    while end < len(tokens) and end - index < _LONGEST:
        token = tokens[end]
        if token.text in CLOSING or token.line != line or (not many and token.text in (",", "=", ":")):
            return
        end = source.partner.get(end, end) + 1 if token.text in OPENING else end + 1
        yield end


def splices(match: Match, wanted: tuple[Element, ...], target: tuple[Element, ...]) -> tuple[Splice, ...]:
    """What turns a place of `wanted` into `target`."""
    made = []
    old = [(element.role, element.text) for element in wanted]
    new = [(element.role, element.text) for element in target]
    for code in Levenshtein.opcodes(old, new):
        if code.tag == "equal":
            continue
        parts = target[code.dest_start : code.dest_end]
        text = "".join(part.gap + _filled(part, match.holes) for part in parts)
        spans = match.spans
        if code.tag == "replace":
            start, end = spans[code.src_start][0], spans[code.src_end - 1][1]
            text = text[len(parts[0].gap) :]
        elif code.tag == "delete":
            start, end = spans[code.src_start][0], spans[code.src_end - 1][1]
        else:  # what is inserted follows the element before it
            start = end = spans[code.src_start - 1][1] if code.src_start else spans[0][0]
        made.append(Splice(start, end, text))
    return tuple(_joined(made))


def _joined(parts: list[Splice]) -> Iterator[Splice]:
    """Splices that touch as one, so that their order is beyond doubt."""
    pending: Splice | None = None
    for part in parts:
        if pending is not None and part.start <= pending.end:
            pending = Splice(pending.start, part.end, pending.text + part.text)
            continue
        if pending is not None:
            yield pending
        pending = part
    if pending is not None:
        yield pending


def _filled(element: Element, holes: dict[str, str]) -> str:
    return element.text if element.role == "word" else holes[element.text]


def filled(template: str, values: dict[str, str]) -> str:
    """A template's text with its holes filled. Raises KeyError for a hole without a value."""
    return _HOLE.sub(lambda match: values[match[2]], template)


@lru_cache(maxsize=4096)
def holes_of(*templates: str) -> tuple[str, ...]:
    """Names of the holes of templates, in order of first use."""
    return tuple(dict.fromkeys(match[2] for text in templates for match in _HOLE.finditer(text)))


def chosen(name: str, pool: tuple[str, ...], rng: Random) -> str:
    """A word for a hole."""
    return rng.choice(CHOICES.get(name) or pool)
