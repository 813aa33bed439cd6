"""Parts of a statement that are missing and that the rest tells: `=`, dots, loop variables, `lambda x:`; and blanks."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.lexemes import CLOSING, OPENING
from ctm.bugs.static_analysis.source import Header, ParsedCode


@register("missing_assignment", "syntax", "no `=` between a name and its value", "x = 3", "x 3", ("=",))
def missing_assignment(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens, text = source.tokens, source.text
    for index in shuffled([i for i, t in enumerate(tokens) if t.text == "="], rng):
        before, token, after = tokens[index - 1], tokens[index], tokens[index + 1]
        if after.text in ("(", "[", "-", "+", "*", "..."):
            continue  # reads as a call, a subscript or a sum
        if token.depth and rng.random() < 0.6:
            continue
        if not text[before.end : token.start].strip(" ") and not text[token.end : after.start].strip(" "):
            yield replace(before.end, after.start, " ")


def _enclosing(source: ParsedCode, index: int) -> int:
    """Token index of the bracket that a token stands in; -1 outside of all."""
    depth = source.tokens[index].depth
    while index >= 0 and not (
        source.tokens[index].text in OPENING and source.tokens[index].depth == depth - 1
    ):
        index -= 1
    return index


def _unknown(source: ParsedCode, first: int, last: int, loop: str) -> set[str]:
    """Names that tokens first..last read, but for those that are called or stand elsewhere: what `loop` must bind."""
    tokens = source.tokens
    read = {
        tokens[i].text
        for i in range(first, last + 1)
        if tokens[i].kind == "NAME"
        and tokens[i - 1].text != "."
        and (i + 1 == len(tokens) or tokens[i + 1].text not in ("(", "="))
    }
    return read - {t.text for i, t in enumerate(tokens) if not first <= i <= last and t.text != loop}


@register("missing_loop_part", "syntax", "a loop or comprehension without its variable or element",
          "ys = [x for x in xs]", "ys = [for x in xs]", ("for",), places=0.09)  # fmt: skip
def missing_loop_part(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """Only what the rest tells: the element where it is the variable, the variable where the element reads it."""
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens[:-2]) if t.text == "for"], rng):
        word, name, after = tokens[index], tokens[index + 1], tokens[index + 2]
        if name.kind != "NAME" or after.text != "in":
            continue
        if not word.depth:
            line = source.lines[word.line]
            block = source.block(Header(word.line, "for", line.last))
            last = source.lines[block[-1]].last if block else line.last
            known = any(t.text == name.text for t in tokens[:index])
            told = _unknown(source, line.last + 1, last, name.text) == {name.text}
            if told and not known and rng.random() < 0.5:
                yield replace(name.start, after.start, "")
            continue
        opening = _enclosing(source, index)
        element = tokens[opening + 1 : index]
        close = source.partner[opening]
        tested = any(t.text == "if" and t.depth == word.depth for t in tokens[index:close])
        alone = len(element) == 1 and element[0].text == name.text
        told = _unknown(source, opening + 1, index - 1, name.text) == {name.text}
        ways = [(name.start, after.start)] if told else []
        if alone:
            ways.append((element[0].start, word.start))
        if alone and tested:
            ways += [(word.start, after.start)] * 2
        if ways:
            yield replace(*rng.choice(ways), "")


_LAMBDAS = ("lamda", "lambada", "labmda", "lambd", "lamba", "lamdba", "lmabda", "Lambda", "lambda:")


@register("wrong_lambda", "syntax", "a lambda with `return`, brackets round its parameter, no head, or misspelt",
          "f = lambda x: x + 1", "f = lambda x: return x + 1", ("lambda",), places=0.03)  # fmt: skip
def wrong_lambda(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.text == "lambda"], rng):
        word = tokens[index]
        colon = next(
            (i for i in range(index, len(tokens)) if tokens[i].text == ":" and tokens[i].depth == word.depth),
            len(tokens),
        )
        if colon + 1 >= len(tokens):
            continue
        body, one = tokens[colon + 1], colon == index + 2 and tokens[index + 1].kind == "NAME"
        way = rng.random()
        if way < 0.35:
            yield replace(body.start, body.start, "return ")
        elif way < 0.65:
            yield replace(word.start, word.end, rng.choice(_LAMBDAS))
        elif one and way < 0.75:
            name = tokens[index + 1]
            yield Mutation((Splice(name.start, name.start, "("), Splice(name.end, name.end, ")")))
        elif one and body.text == tokens[index + 1].text and way < 0.9:
            yield replace(tokens[index + 1].start, body.start, "")  # `lambda x[1]`
        else:
            yield replace(tokens[colon].start, tokens[colon].end, "")


_STATEMENTS = frozenset(("return", "import", "raise", "del", "global", "assert", "not", "await"))
"""Glued to a name these are mostly another name, and no error."""


@register("glued_words", "syntax", "a keyword without the space before or after it",
          "def f(x):\n    pass", "deff(x):\n    pass", ("def", "for", "in", "class", "if", "while"))  # fmt: skip
def glued_words(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.kind == "KEYWORD"], rng):
        for left in rng.sample((index - 1, index), 2):
            if not 0 <= left < len(tokens) - 1:
                continue
            first, second = tokens[left], tokens[left + 1]
            words = {first.kind, second.kind} <= {"NAME", "KEYWORD"} and first.text not in _STATEMENTS
            if words and source.text[first.end : second.start] == " ":
                yield replace(first.end, second.start, "")
                break


@register("missing_dot", "syntax", "no dot between an object and its attribute", "xs.append(x)", "xs append(x)",
          (".",), places=0.46)  # fmt: skip
def missing_dot(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.text == "." and i], rng):
        token, before = tokens[index], tokens[index - 1]
        ends = before.kind == "STRING" or before.text in CLOSING
        called = before.kind == "NAME" and index + 2 < len(tokens) and tokens[index + 2].text == "("
        if before.line == token.line and (ends or (called and rng.random() < 0.4)):
            yield replace(token.start, token.end, "" if ends and rng.random() < 0.5 else " ")


@register("empty_subscript", "syntax", "brackets behind the name of a list, as where other languages declare it",
          "rows = []", "rows[] = []", ("[", "append"), places=0.14)  # fmt: skip
def empty_subscript(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for line in shuffled(source.lines, rng):
        first, rest = tokens[line.first], tokens[line.first + 1 : line.last + 1]
        if first.kind != "NAME" or len(rest) < 3:
            continue
        if [token.text for token in rest] == ["=", "[", "]"] and rng.random() < 0.5:
            yield replace(first.end, line.end, "[]")
        elif [token.text for token in rest[:2]] in (["=", "["], [".", "append"]):
            yield replace(first.end, first.end, "[]")


@register("placeholder", "syntax", "a name in angle brackets, as where a text says what to put in",
          "f(file_name)", "f(<file name>)", ("(", "="))  # fmt: skip
def placeholder(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """Contract: the name stands in the brackets, in words."""
    tokens = source.tokens
    for index in shuffled(range(1, len(tokens)), rng):
        token, before = tokens[index], tokens[index - 1]
        after = tokens[index + 1] if index + 1 < len(tokens) else None
        ends = after is None or after.line != token.line or after.text in (")", ",", "]")
        if token.kind != "NAME" or not ends or before.text not in ("(", ",", "="):
            continue
        defined = tokens[source.lines[token.line].first].text in (
            "def",
            "class",
            "async",
            "@",
            "from",
            "import",
        )
        if not defined and len(token.text) > 2 and token.text.strip("_") == token.text != "self":
            words = token.text.replace("_", " ") if rng.random() < 0.6 else token.text
            yield replace(token.start, token.end, f"<{words}>")
