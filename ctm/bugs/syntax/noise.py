"""One random token deleted, inserted, replaced, swapped or doubled: the slips that no named kind foresees."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.source import ParsedCode, Token

_TOKENS = ("(", ")", "[", "]", "{", "}", ",", ":", ":", ".", "=", "==", "+", "-", "*", "/", "%", "'", '"',
           ";", "if", "in", "for", "is", "not", "and", "or", "def", "else", "return", "import", "1", "0",
           "x", "<", ">", "!=", "'a'", "as", "print", "i")  # fmt: skip


def _tokens(source: ParsedCode, rng: Random) -> Iterator[Token]:
    """Tokens in random order; names and values, which nobody could guess back, seldom."""
    kept = [t for t in source.tokens if t.kind in ("OP", "KEYWORD") or rng.random() < 0.2]
    return shuffled(kept, rng)


def _another(source: ParsedCode, rng: Random) -> str:
    """A token of the snippet itself, or one of a common few."""
    if rng.random() < 0.5:
        text = rng.choice(source.tokens).text
        if len(text) <= 24 and "\n" not in text:
            return text
    return rng.choice(_TOKENS)


@register("token_deleted", "syntax", "a random token deleted", "x = f(a)", "x = f a)")
def token_deleted(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in _tokens(source, rng):
        yield replace(token.start, token.end, "")


@register("token_inserted", "syntax", "a random token inserted", "x = f(a)", "x = f(a else)")
def token_inserted(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in shuffled(source.tokens, rng):
        new = _another(source, rng)
        space = " " if new[0].isalnum() or new[0] in "'\"_" else ""
        yield replace(token.end, token.end, space + new)


@register("token_replaced", "syntax", "a random token replaced by another", "x = f(a)", "x = f(a]")
def token_replaced(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in _tokens(source, rng):
        new = _another(source, rng)
        if new != token.text:
            yield replace(token.start, token.end, new)


@register("tokens_swapped", "syntax", "two neighboring tokens swapped", "x = f(a)", "x = f)a(")
def tokens_swapped(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled(range(len(tokens) - 1), rng):
        first, second = tokens[index], tokens[index + 1]
        if first.line == second.line and first.text != second.text:
            yield Mutation(
                (Splice(first.start, first.end, second.text), Splice(second.start, second.end, first.text))
            )


@register("token_doubled", "syntax", "a random token written twice", "x = f(a)", "x = f((a)")
def token_doubled(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in shuffled(source.tokens, rng):
        if len(token.text) <= 24 and "\n" not in token.text:
            space = " " if token.kind != "OP" else ""
            yield replace(token.end, token.end, space + token.text)


@register(
    "character_deleted",
    "syntax",
    "a character of a keyword or sign deleted, or two swapped",
    "import os",
    "mport os",
)
def character_deleted(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in shuffled(source.tokens, rng):
        if token.kind in ("STRING", "NAME", "NUMBER"):
            continue  # a shorter name is no syntax error
        place = rng.randrange(token.start, token.end)
        if rng.random() < 0.3 and place + 1 < token.end:
            yield replace(place, place + 2, source.text[place + 1] + source.text[place])
        else:
            yield replace(place, place + 1, "")
