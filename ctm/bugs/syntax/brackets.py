"""Brackets and commas: missing, extra, mismatched, misplaced."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.lexemes import CLOSING, OPENING
from ctm.bugs.static_analysis.source import ParsedCode

_ANY = ("(", "[", "{")
_BEFORE_VALUES = ("=", "return", "if", "in", "and", "or", "(", ",")
# what stands where the closing bracket belongs, by frequency
_CONFUSED = {"]": ")))}[", "}": "]]])", ")": "]]}("}


def _closings(source: ParsedCode) -> list[int]:
    return [index for index, token in enumerate(source.tokens) if token.text in CLOSING]


def _ends_line(source: ParsedCode, index: int) -> bool:
    """Whether only closing brackets, a colon or nothing follow in the logical line."""
    last = source.lines[source.tokens[index].line].last
    return all(source.tokens[i].text in (")", "]", "}", ":") for i in range(index + 1, last + 1))


def _ends_run(source: ParsedCode, index: int) -> bool:
    """Whether a closing bracket of another sort comes next, so that which one is missing can be seen."""
    after = source.tokens[index + 1].text if index + 1 < len(source.tokens) else ""
    return after in CLOSING and after != source.tokens[index].text


@register("unclosed_bracket", "syntax", "the bracket that should close at the end of the line is missing",
          "print(f(x))", "print(f(x)", _ANY)  # fmt: skip
def unclosed_bracket(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in shuffled([i for i in _closings(source) if _ends_line(source, i)], rng):
        # with `))` it is the last of the run that people forget
        last = source.lines[source.tokens[index].line].last
        while index < last and source.tokens[index + 1].text in CLOSING:
            index += 1
        token = source.tokens[index]
        if token.text != ")" or rng.random() < 0.7:  # data are left open more often than there are data
            yield replace(token.start, token.end, "")


@register("unclosed_inner_bracket", "syntax",
          "a closing bracket in the middle of a line, or before one of another sort, is missing",
          "y = f(a) + g(b)", "y = f(a + g(b)", _ANY, places=0.5)  # fmt: skip
def unclosed_inner_bracket(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    places = [i for i in _closings(source) if _ends_run(source, i) or not _ends_line(source, i)]
    for index in shuffled(places, rng):
        token = source.tokens[index]
        yield replace(token.start, token.end, "")


@register("unclosed_several", "syntax", "two or more closing brackets are missing at the end of a line",
          "x = int(input(y))", "x = int(input(y", _ANY, places=0.32)  # fmt: skip
def unclosed_several(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled(_closings(source), rng):
        before, token = tokens[index - 1], tokens[index]
        if before.text in CLOSING and before.end == token.start and _ends_line(source, index):
            yield replace(before.start, token.end, "")


@register("extra_closing", "syntax", "a closing bracket too many", "print(len(x))", "print(len(x)))")
def extra_closing(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in shuffled(_closings(source), rng):
        token = source.tokens[index]
        if token.text != ")" or rng.random() < 0.5:  # the most frequent, but not so often doubled
            yield replace(token.end, token.end, token.text if rng.random() < 0.85 else rng.choice(")]}"))
    for line in shuffled(source.lines, rng):
        end = source.tokens[line.last]
        place = end.start if end.text == ":" else end.end
        yield replace(place, place, rng.choice("))))]]}"))


@register(
    "mismatched_closing",
    "syntax",
    "a closing bracket of the wrong sort",
    "xs = [1, 2, 3]",
    "xs = [1, 2, 3)",
    _ANY,
)
def mismatched_closing(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in shuffled(_closings(source), rng):
        token = source.tokens[index]
        if token.text != ")" or rng.random() < 0.1:
            yield replace(token.start, token.end, rng.choice(_CONFUSED[token.text]))


@register(
    "mismatched_opening",
    "syntax",
    "an opening bracket of the wrong sort",
    "xs = [1, 2, 3]",
    "xs = (1, 2, 3]",
    _ANY,
)
def mismatched_opening(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in shuffled(_closings(source), rng):
        token = source.tokens[source.partner[index]]
        yield replace(token.start, token.end, rng.choice([c for c in "([{" if c != token.text]))


@register(
    "missing_opening", "syntax", "an opening bracket is missing", "x = int(input())", "x = intinput())", _ANY
)
def missing_opening(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in shuffled(_closings(source), rng):
        token = source.tokens[source.partner[index]]
        if token.text != "(" or rng.random() < 0.5:
            yield replace(token.start, token.end, " " if rng.random() < 0.3 else "")


@register("extra_opening", "syntax", "an opening bracket too many", "x = f(a)", "x = (f(a)")
def extra_opening(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled(range(len(tokens)), rng):
        token = tokens[index]
        if token.text in OPENING:
            if token.text != "(" or rng.random() < 0.5:
                yield replace(token.start, token.start, token.text)
        elif index and tokens[index - 1].text in _BEFORE_VALUES and rng.random() < 0.4:
            yield replace(token.start, token.start, "(")


@register(
    "call_without_parentheses",
    "syntax",
    "a call written without its parentheses",
    "exit(1)",
    "exit 1",
    ("(",),
)
def call_without_parentheses(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for call in shuffled(source.calls, rng):
        if call.arguments and call.close - call.open <= 8 and tokens[call.open - 1].text != "print":
            opening, close = tokens[call.open], tokens[call.close]
            yield Mutation((Splice(opening.start, opening.end, " "), Splice(close.start, close.end, "")))


@register("missing_pair", "syntax", "both brackets round a tuple, list, dictionary or generator are missing",
          "f({'a': 1})", "f('a': 1)", _ANY)  # fmt: skip
def missing_pair(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled(_closings(source), rng):
        first = source.partner[index]
        before = tokens[first - 1] if first else None
        if before and (before.kind == "NAME" or before.text in CLOSING):
            continue  # of a call or subscript
        inside = {token.text for token in tokens[first + 1 : index] if token.depth == tokens[first].depth + 1}
        if tokens[first].text == "{" and ":" not in inside:
            continue  # a set, which a list may stand for as well
        if not inside.isdisjoint((",", ":", "for")):
            opening, close = tokens[first], tokens[index]
            yield Mutation((Splice(opening.start, opening.end, ""), Splice(close.start, close.end, "")))


def _commas(source: ParsedCode) -> list[int]:
    """Commas between two items of a bracket (no trailing ones)."""
    tokens = source.tokens
    return [
        index
        for index, token in enumerate(tokens)
        if token.text == "," and token.depth and tokens[index + 1].text not in CLOSING
    ]


@register("missing_comma", "syntax", "no comma between two items or arguments", "f(a, b)", "f(a b)", (",",))
def missing_comma(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in shuffled(_commas(source), rng):
        token, after = source.tokens[index], source.tokens[index + 1]
        glued = token.end == after.start
        yield replace(token.start, token.end, " " if glued else "")


@register("extra_comma", "syntax", "a comma too many", "f(a, b)", "f(a,, b)", (",", "(", "["))
def extra_comma(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled(_commas(source), rng):
        yield replace(tokens[index].end, tokens[index].end, rng.choice((",", " ,")))
    for call in shuffled(source.calls, rng):
        if call.arguments:
            place = tokens[call.open].end
            yield replace(place, place, ", ")


@register("wrong_comma", "syntax", "another character where a comma belongs", "f(a, b)", "f(a; b)", (",",))
def wrong_comma(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in shuffled(_commas(source), rng):
        token = source.tokens[index]
        yield replace(token.start, token.end, rng.choice((".", ".", ";", ":", ":", " and", " =")))


@register("misplaced_bracket", "syntax", "a closing bracket on the wrong side of an operator or comma",
          "int(a) + b", "int(a + ) b", ("(",))  # fmt: skip
def misplaced_bracket(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled(_closings(source), rng):
        if index + 1 < len(tokens) and tokens[index + 1].text in (
            "+",
            "-",
            "*",
            "/",
            "%",
            ",",
            "==",
            "<",
            ">",
            "in",
            ":",
        ):
            token, after = tokens[index], tokens[index + 1]
            if token.line == after.line and after.depth == token.depth:
                moved = source.text[token.end : after.end]
                yield replace(token.start, after.end, moved + token.text)


@register("missing_dict_colon", "syntax", "no colon, or another character, between a key and its value",
          "d = {'a': 1}", "d = {'a' 1}", ("{",), places=0.05)  # fmt: skip
def missing_dict_colon(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    sign = rng.choice(("", "", " =", " =", ",", ";", "::", " =>"))  # who writes `=` once writes it again
    for opening in shuffled([i for i, t in enumerate(tokens) if t.text == "{"], rng):
        depth = tokens[opening].depth + 1
        colons = [
            i
            for i in range(opening, source.partner[opening])
            if tokens[i].text == ":" and tokens[i].depth == depth
        ]
        for index in shuffled(colons, rng):
            yield replace(tokens[index].start, tokens[index].end, sign)
