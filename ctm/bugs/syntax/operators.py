"""Operators and operands: `=` for `==`, reversed, split, doubled or foreign operators, missing operands."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.lexemes import KEYWORDS
from ctm.bugs.static_analysis.source import ParsedCode

_BINARY = frozenset(
    [
        "+",
        "-",
        "*",
        "/",
        "%",
        "**",
        "//",
        "==",
        "!=",
        "<",
        ">",
        "<=",
        ">=",
        "and",
        "or",
        "in",
        "is",
        "|",
        "&",
        "^",
        "<<",
        ">>",
        "@",
    ]
)
_SPLITTABLE = frozenset(
    ["==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "**", "//", "->", ":=", "<<", ">>", "%=", "|=", "&="]
)
_OPERAND_ENDS = frozenset((")", "]", "}", "True", "False", "None"))


def _binaries(source: ParsedCode) -> list[int]:
    """Binary operators that stand between two operands of one line."""
    tokens = source.tokens
    found = []
    for index in range(1, len(tokens) - 1):
        token, before = tokens[index], tokens[index - 1]
        if token.text not in _BINARY or not before.line == token.line == tokens[index + 1].line:
            continue
        if before.kind in ("NAME", "NUMBER", "STRING") or before.text in _OPERAND_ENDS:
            found.append(index)
    return found


@register(
    "assignment_in_condition",
    "syntax",
    "`=` where `==` belongs",
    "if x == 3:\n    go()",
    "if x = 3:\n    go()",
    ("==",),
    places=0.18,
)
def assignment_in_condition(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in shuffled([t for t in source.tokens if t.text == "=="], rng):
        yield replace(token.start, token.end, "=")


@register(
    "wrong_assignment",
    "syntax",
    "a wrong sign for an assignment or a default",
    "x = 3",
    "x := 3",
    ("=", "+=", "-="),
)
def wrong_assignment(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in shuffled([t for t in source.tokens if t.text in ("=", "+=", "-=")], rng):
        if token.text == "=":
            signs: tuple[str, ...] = (":=", ":=", "=:", "= =", "<-", "=>", "->", "===", ": =")
            if token.depth:  # of a keyword argument
                signs = (":", ":", ":", " :", ": ", "==>", ":=", "= =")
        else:
            signs = (token.text[::-1] + "=", "=" + token.text, token.text[0] + " =", ":" + token.text)
        yield replace(token.start, token.end, rng.choice(signs))


@register("reversed_operator", "syntax", "the characters of an operator the wrong way round",
          "if a >= b:\n    go()", "if a => b:\n    go()", ("<=", ">=", "!=", "*="), places=0.14)  # fmt: skip
def reversed_operator(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in shuffled([t for t in source.tokens if t.text in ("<=", ">=", "!=", "*=")], rng):
        yield replace(token.start, token.end, token.text[::-1])


@register("split_operator", "syntax", "a space inside an operator", "if a != b:\n    go()",
          "if a ! = b:\n    go()", tuple(_SPLITTABLE), places=0.47)  # fmt: skip
def split_operator(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in shuffled([t for t in source.tokens if t.text in _SPLITTABLE], rng):
        yield replace(token.start, token.end, f"{token.text[0]} {token.text[1:]}")


_FOREIGN = {
    "and": ("&&", "&&", "AND", "And"),
    "or": ("||", "||", "OR", "Or"),
    "not": ("!", "!", "NOT", "Not"),
    "==": ("===", "===", "=== "),
    "!=": ("<>", "<>", "!==", "=/=", "not ="),
    "<=": ("=<", "≤"),
    ">=": ("=>", "≥"),
    "in": ("of", "IN"),
    "is": ("IS", "is is"),
}


@register("foreign_operator", "syntax", "an operator of another language", "if a and not b:\n    go()",
          "if a && not b:\n    go()", tuple(_FOREIGN), places=0.44)  # fmt: skip
def foreign_operator(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled(
        [i for i, t in enumerate(tokens) if t.text in _FOREIGN and (t.text != "in" or i > 1)], rng
    ):
        token = tokens[index]
        new = rng.choice(_FOREIGN[token.text])
        if token.text == "in" and "for" in source.words:
            continue  # `for x of xs` is foreign_keyword
        end = token.end
        if token.text == "not":
            if index + 1 < len(tokens) and tokens[index + 1].text == "in":
                new, end = "!", token.end + 1
            elif new == "!" and source.text[end : end + 1] == " " and rng.random() < 0.8:
                end += 1  # `!x`, seldom `! x`
        yield replace(token.start, end, new)


@register("increment", "syntax", "`i++` or `i--`", "i += 1", "i++", ("+=", "-="), places=0.19)
def increment(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.text in ("+=", "-=")], rng):
        if index + 1 < len(tokens) and tokens[index + 1].text == "1":
            before, sign = tokens[index - 1], tokens[index].text[0] * 2
            yield replace(before.end, tokens[index + 1].end, sign if rng.random() < 0.85 else sign + ";")


@register(
    "c_conditional",
    "syntax",
    "`c ? a : b` for `a if c else b`",
    "x = a if c else b",
    "x = c ? a : b",
    ("else",),
    places=0.03,
)
def c_conditional(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for node in shuffled(source.nodes("conditional_expression"), rng):
        parts = [child for child in node.children if child.is_named and child.type != "comment"]
        site = source.site(node)
        if len(parts) == 3 and site.end - site.start <= 80:
            yes, condition, no = (source.of(part) for part in parts)
            yield replace(site.start, site.end, f"{condition} ? {yes} : {no}")


@register(
    "missing_operator",
    "syntax",
    "nothing between two operands",
    "print('a' + b)",
    "print('a' b)",
    tuple(_BINARY),
)
def missing_operator(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in shuffled(_binaries(source), rng):
        token = source.tokens[index]
        blank = source.text[token.end : token.end + 1] == " "
        yield replace(token.start, token.end + blank, "" if blank else " ")


@register("missing_operand", "syntax", "an operator, `=` or comparison without its right side", "x = a + b",
          "x = a +", (*sorted(_BINARY), "="))  # fmt: skip
def missing_operand(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    # what an empty right side should be nobody can tell: seldom
    equals = [i for i, t in enumerate(tokens) if t.text == "=" and i + 1 < len(tokens) and rng.random() < 0.3]
    for index in shuffled(_binaries(source) + equals, rng):
        operand = tokens[index + 1]
        if operand.kind in ("NAME", "NUMBER", "STRING") or operand.text in ("True", "False", "None"):
            follows = tokens[index + 2] if index + 2 < len(tokens) else None
            if follows is None or follows.text not in (".", "(", "[") or follows.line != operand.line:
                glued = source.text[operand.start - 1] == " "
                yield replace(operand.start - glued, operand.end, "")


@register("doubled_operator", "syntax", "an operator or dot written twice, or two different ones",
          "x = a + b", "x = a +* b", (*sorted(_BINARY), "=", "."))  # fmt: skip
def doubled_operator(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    places = _binaries(source) + [i for i, t in enumerate(tokens) if t.text in ("=", ".")]
    for index in shuffled(places, rng):
        token = tokens[index]
        if token.text in ("+", "-", "*", "/") and not token.depth and rng.random() < 0.3:
            new = token.text + "="  # `x = x += 1`
        elif token.text == "." or rng.random() < 0.5:
            new = token.text + ("" if token.text in (".", "=") and rng.random() < 0.7 else " ") + token.text
        else:
            new = token.text + " " + rng.choice(("==", "*", "=", "/", "and", "%", "<", "or", "in"))
        yield replace(token.start, token.end, new.replace(". .", ".."))


@register(
    "stray_dot", "syntax", "a dot without a name on one of its sides", "x = data.size", "x = data.size."
)
def stray_dot(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.kind == "NAME" or t.text in (")", "]")], rng):
        token = tokens[index]
        if index and tokens[index - 1].text == "." and rng.random() < 0.15:
            yield replace(token.start, token.end, "")
        else:
            yield replace(token.end, token.end, ".")


@register(
    "assignment_to_expression", "syntax", "the two sides of an assignment swapped", "x = 5", "5 = x", ("=",)
)
def assignment_to_expression(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for line in shuffled(source.lines, rng):
        equals = [i for i in range(line.first, line.last) if tokens[i].text == "=" and tokens[i].depth == 0]
        if len(equals) != 1 or line.last - line.first > 14 or tokens[line.first].text in KEYWORDS:
            continue
        middle = equals[0]
        if (
            rng.random() < 0.35 and middle == line.first + 1
        ):  # `int(x) = y`, `"x" = y`: something is left over
            name = tokens[line.first]
            new = rng.choice((f"{name.text}()", f'"{name.text}"', f"int({name.text})", f"str({name.text})"))
            yield replace(name.start, name.end, new)
            continue
        left = (tokens[line.first].start, tokens[middle - 1].end)
        right = (tokens[middle + 1].start, tokens[line.last].end)
        if right[1] - right[0] <= 60:
            yield Mutation(
                (Splice(*left, source.text[slice(*right)]), Splice(*right, source.text[slice(*left)]))
            )
