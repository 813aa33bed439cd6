"""Strings: quotes missing, of the wrong sort, unescaped, or lines and escapes that break them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.source import ParsedCode, Token

_PREFIX = re.compile(r"[rRbBuUfF]*")
_WORD = re.compile(r"[a-z]{2,}")
_APOSTROPHES = ("don't", "it's", "can't", "I'm", "isn't", "you're", "what's", "doesn't", "let's", "that's")


def _parts(token: Token) -> tuple[str, str, str]:
    """(prefix, quote, body) of a string token."""
    prefix = _PREFIX.match(token.text).group()  # type: ignore[union-attr]
    rest = token.text[len(prefix) :]
    quote = rest[:3] if rest[:3] in ('"""', "'''") else rest[:1]
    return prefix, quote, rest[len(quote) : -len(quote)]


def _strings(source: ParsedCode, rng: Random, triple: bool = False) -> Iterator[tuple[Token, str, str, str]]:
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.kind == "STRING"], rng):
        token = tokens[index]
        before = tokens[index - 1].text if index else ""
        if before == "->" or (before == ":" and tokens[source.lines[token.line].first].text == "def"):
            continue  # an annotation
        prefix, quote, body = _parts(token)
        if (len(quote) == 3) == triple and len(body) <= 400:
            yield token, prefix, quote, body


@register("unclosed_quote", "syntax", "the closing quote is missing", "print('hello')", "print('hello)")
def unclosed_quote(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token, _, _, _ in _strings(source, rng):
        yield replace(token.end - 1, token.end, "")


@register("unopened_quote", "syntax", "the opening quote is missing", "print('hello')", "print(hello')")
def unopened_quote(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token, prefix, _, _ in _strings(source, rng):
        yield replace(token.start + len(prefix), token.start + len(prefix) + 1, "")


@register(
    "mismatched_quote",
    "syntax",
    "a string opened with one quote and closed with the other",
    "x = 'abc'",
    "x = 'abc\"",
)
def mismatched_quote(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token, prefix, quote, _ in _strings(source, rng):
        other = "'" if quote == '"' else '"'
        if rng.random() < 0.6:
            yield replace(token.end - 1, token.end, other)
        else:
            start = token.start + len(prefix)
            yield replace(start, start + 1, other)


@register(
    "unquoted_string",
    "syntax",
    "a text of several words without any quotes",
    "print('Hello world')",
    "print(Hello world)",
    places=0.41,
)
def unquoted_string(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token, prefix, _, body in _strings(source, rng):
        if 2 <= len(body) <= 60 and re.search(r"\w\W+\w|\W$", body) and "\\" not in body:
            start = token.start + len(prefix)
            yield Mutation((Splice(start, start + 1, ""), Splice(token.end - 1, token.end, "")))


@register(
    "inner_quote",
    "syntax",
    "a quote inside a string ends it",
    'print("don\'t")',
    "print('don't')",
    places=0.48,
)
def inner_quote(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token, prefix, quote, body in _strings(source, rng):
        start = token.start + len(prefix)
        other = "'" if quote == '"' else '"'
        if "\\" + quote in body:
            place = start + 1 + body.index("\\" + quote)
            yield replace(place, place + 1, "")
        elif other in body and "\\" not in body:
            yield Mutation((Splice(start, start + 1, other), Splice(token.end - 1, token.end, other)))
        elif (word := _WORD.search(body)) and not prefix and "\\" not in body and "{" not in body:
            yield _apostrophe(token, quote, body, word, rng)


def _apostrophe(token: Token, quote: str, body: str, word: re.Match[str], rng: Random) -> Mutation:
    """A text with an apostrophe or quoted word: fixed in the other quotes or escaped, buggy in its own."""
    if rng.random() < 0.7:
        added, inside = rng.choice(_APOSTROPHES), "'"
        new = rng.choice((f"{body[: word.end()]} {added}{body[word.end() :]}", f"{added} {body}",
                          f"{body[: word.end()]}'s{body[word.end() :]}"))  # fmt: skip
    else:
        inside = quote if rng.random() < 0.5 else '"'
        new = f"{body[: word.start()]}{inside}{word.group()}{inside}{body[word.end() :]}"
    outer = "'" if inside == '"' else '"'
    if rng.random() < 0.25:
        right = inside + new.replace(inside, "\\" + inside) + inside
    else:
        right = outer + new + outer
    return Mutation(
        (Splice(token.start, token.end, inside + new + inside),), (Splice(token.start, token.end, right),)
    )


@register(
    "broken_string",
    "syntax",
    "a string that runs over a line's end",
    "x = 'one two'",
    "x = 'one\ntwo'",
    places=0.38,
)
def broken_string(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token, prefix, quote, body in _strings(source, rng):
        blanks = [i for i, c in enumerate(body) if c == " " and 0 < i < len(body) - 1]
        if blanks and "\\" not in body:
            place = token.start + len(prefix) + len(quote) + rng.choice(blanks)
            if rng.random() < 0.5:
                yield replace(place, place + 1, "\n")
            else:  # a text that is meant to have lines: the fix is triple quotes
                start = token.start + len(prefix)
                wide = (Splice(start, start + 1, quote * 3), Splice(token.end - 1, token.end, quote * 3))
                yield Mutation((Splice(place, place + 1, "\n"),), (*wide, Splice(place, place + 1, "\n")))


@register("wrong_triple_quote", "syntax", "a triple quote with too few or too many quotes, or left open",
          'x = """doc"""', 'x = """doc""', places=0.26)  # fmt: skip
def wrong_triple_quote(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token, prefix, quote, _ in _strings(source, rng, triple=True):
        start = token.start + len(prefix)
        choice = rng.random()
        if choice < 0.35:
            yield replace(token.end - 1, token.end, "")
        elif choice < 0.5:
            yield replace(start, start + 1, "")
        elif choice < 0.7:
            yield replace(token.end - 3, token.end, "")
        elif choice < 0.8:
            yield replace(token.end - 3, token.end, quote[0])
        elif choice < 0.9:
            yield replace(start, start + 3, quote[0])
        else:
            yield replace(start, start + 3, "")


@register(
    "doubled_quote", "syntax", "one quote too many at a string's end or start", "x = 'abc'", "x = 'abc''"
)
def doubled_quote(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token, prefix, quote, _ in _strings(source, rng):
        place = token.end if rng.random() < 0.7 else token.start + len(prefix)
        yield replace(place, place, quote if rng.random() < 0.7 else "'" if quote == '"' else '"')


@register("windows_path", "syntax", "a backslash that starts an escape or swallows the closing quote",
          "open('C:\\\\Users')", "open('C:\\Users')")  # fmt: skip
def windows_path(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token, prefix, quote, body in _strings(source, rng):
        if prefix or not 1 <= len(body) <= 30:
            continue
        stem = re.sub(r"[^A-Za-z0-9_.]+", "\\\\", body).strip("\\") or "data"
        user = rng.choice(("me", "Admin", "john", "user", "Desktop", "Public"))
        if rng.random() < 0.7:
            path = f"C:\\{rng.choice(('Users', 'Users', 'users'))}\\{user}\\{stem}"
            escaped = path.replace("\\", "\\\\")
            right = rng.choice((f"r{quote}{path}{quote}", f"{quote}{escaped}{quote}"))
            wrong = f"{quote}{path}{quote}"
        else:
            path = rng.choice(("C:\\", "D:\\", "")) + f"{stem}\\"
            right = f"{quote}{path[:-1]}\\\\{quote}"
            wrong = f"{quote}{path}{quote}"
        yield Mutation((Splice(token.start, token.end, wrong),), (Splice(token.start, token.end, right),))


@register(
    "fstring_field",
    "syntax",
    "a field of an f-string is left open, empty or has the string's own quotes",
    "f'{x}'",
    "f'{x'",
    places=0.07,
)
def fstring_field(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token, prefix, quote, body in _strings(source, rng):
        if "f" not in prefix.lower():
            continue
        start = token.start + len(prefix)
        other = "'" if quote == '"' else '"'
        braces = [start + 1 + i for i, c in enumerate(body) if c in "{}"]
        if not braces or "{{" in body or "}}" in body:
            continue
        if other in body and rng.random() < 0.7:
            yield Mutation((Splice(start, start + 1, other), Splice(token.end - 1, token.end, other)))
            continue
        place = rng.choice(braces)
        twice = rng.random() < 0.25
        yield replace(place, place + 1, source.text[place] * 2 if twice else "")
