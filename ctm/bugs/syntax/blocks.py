"""Mistakes in block headers: colons, conditions after `else`, parameter lists."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.source import ParsedCode

_HEADERS = ("if", "elif", "else", "for", "while", "def", "class", "try", "except", "finally", "with")


@register("missing_colon", "syntax", "no colon after a block's header", "if x > 3:\n    go()",
          "if x > 3\n    go()", _HEADERS)  # fmt: skip
def missing_colon(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for header in shuffled(source.headers, rng):
        token = source.tokens[header.colon]
        yield replace(token.start, token.end, "")


@register("wrong_colon", "syntax", "another character where a header's colon belongs",
          "while go:\n    step()", "while go;\n    step()", _HEADERS)  # fmt: skip
def wrong_colon(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for header in shuffled(source.headers, rng):
        token = source.tokens[header.colon]
        yield replace(
            token.start, token.end, rng.choice((";", ";", ";", ",", ".", "::", " :-", " =", ")", "->"))
        )


@register("extra_colon", "syntax", "a colon where none belongs", "x = 3", "x = 3:")
def extra_colon(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    colons = {header.line: header.colon for header in source.headers}
    for number in shuffled(range(len(source.lines)), rng):
        line = source.lines[number]
        if number not in colons:
            yield replace(line.end, line.end, ":")
            continue
        # after the keyword: `if: x`, `for: x in y`
        word = source.tokens[line.first]
        if rng.random() < 0.5 and line.first + 1 != colons[number]:
            yield replace(word.end, word.end, ":")
        else:
            place = source.tokens[rng.randrange(line.first, colons[number])].end
            yield replace(place, place, ":")


@register("else_with_condition", "syntax", "`else` followed by a condition",
          "if a:\n    x()\nelif b:\n    y()", "if a:\n    x()\nelse b:\n    y()", ("else", "elif"),
          places=0.22)  # fmt: skip
def else_with_condition(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    conditions = [h for h in source.headers if h.word in ("if", "elif")]
    for header in shuffled(source.headers, rng):
        word = tokens[source.lines[header.line].first]
        if header.word == "elif":
            yield replace(word.start, word.end, "else")
        elif header.word == "else" and conditions:
            other = rng.choice(conditions)
            first = tokens[source.lines[other.line].first + 1]
            condition = source.text[first.start : tokens[other.colon - 1].end]
            if len(condition) <= 40 and "\n" not in condition:
                yield replace(word.end, word.end, " " + condition)


@register("missing_parameters", "syntax", "a `def` without its parentheses", "def main():\n    run()",
          "def main:\n    run()", ("def",), places=0.37)  # fmt: skip
def missing_parameters(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for header in shuffled(source.headers, rng):
        opening = source.lines[header.line].first + 2 + (header.word == "async")
        if "def" not in (header.word, tokens[opening - 2].text) or tokens[opening].text != "(":
            continue
        close = source.partner[opening]
        if close == opening + 1:
            yield replace(tokens[opening].start, tokens[close].end, "")
        elif close <= opening + 6:
            inside = source.text[tokens[opening].end : tokens[close].start]
            yield replace(tokens[opening].start, tokens[close].end, " " + inside)


@register("wrong_parameter", "syntax", "a parameter that is an attribute, a call or a literal",
          "def f(self, x):\n    pass", "def f(self, self.x):\n    pass", ("def",), places=0.23)  # fmt: skip
def wrong_parameter(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.text == "def"], rng):
        opening = index + 2
        if opening >= len(tokens) or tokens[opening].text != "(":
            continue
        for first, last in shuffled(source.arguments_between(opening, source.partner[opening]), rng):
            name = tokens[first]
            if first != last or name.kind != "NAME" or name.text in ("self", "cls"):
                continue
            sort = rng.choice(("int", "int", "str", "String"))
            new = rng.choice((f"self.{name.text}", f"self.{name.text}", f'"{name.text}"', f"{name.text}()",
                             f"{sort} {name.text}", f"{name.text}[]", f"{name.text}=",
                             f"{name.text} {name.text}"))  # fmt: skip
            yield replace(name.start, name.end, new)
            break


@register("default_before_parameter", "syntax", "a parameter with a default before one without",
          "def f(a, b=1):\n    pass", "def f(b=1, a):\n    pass", ("def",), places=0.03)  # fmt: skip
def default_before_parameter(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.text == "def"], rng):
        if index + 2 < len(tokens) and tokens[index + 2].text == "(":
            yield from _swapped(source, source.arguments_between(index + 2, source.partner[index + 2]))


@register("positional_after_keyword", "syntax", "a positional argument after a keyword argument",
          "f(a, b=1)", "f(b=1, a)", ("=",), places=0.14)  # fmt: skip
def positional_after_keyword(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for call in shuffled(source.calls, rng):
        yield from _swapped(source, list(call.arguments))


def _swapped(source: ParsedCode, arguments: list[tuple[int, int]]) -> Iterator[Mutation]:
    """The last argument without `=` and the first with one change places."""
    tokens = source.tokens
    for (a, b), (c, d) in pairwise(arguments):
        plain = tokens[a].text not in ("self", "cls") and all(tokens[i].text != "=" for i in range(a, b + 1))
        if plain and tokens[a].kind != "OP" and c + 1 < d and tokens[c + 1].text == "=":
            left = source.text[tokens[a].start : tokens[b].end]
            right = source.text[tokens[c].start : tokens[d].end]
            if len(left) + len(right) <= 60:
                yield Mutation(
                    (
                        Splice(tokens[a].start, tokens[b].end, right),
                        Splice(tokens[c].start, tokens[d].end, left),
                    )
                )


@register("branch_without_if", "syntax", "an `elif` with no `if` before it", "if a:\n    x()\nelse:\n    y()",
          "elif a:\n    x()\nelse:\n    y()", ("if",), places=0.3)  # fmt: skip
def branch_without_if(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for header in shuffled([h for h in source.headers if h.word == "if"], rng):
        word = source.tokens[source.lines[header.line].first]
        yield replace(word.start, word.end, "elif")
