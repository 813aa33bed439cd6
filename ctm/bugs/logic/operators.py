"""Wrong operators and conditions: code that compiles and computes something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.comparisons import bound_shows, direction_shows
from ctm.bugs.static_analysis.evidence import binds, loop_around
from ctm.bugs.static_analysis.lexemes import CLOSING
from ctm.bugs.static_analysis.source import ParsedCode, Token

_COMPARISONS = {"<": (">", "<="), "<=": (">=", "<"), ">": ("<", ">="), ">=": ("<=", ">"), "==": ("!=", ""),
                "!=": ("==", "")}  # fmt: skip
"""Of each comparison: what turns it round, and what differs from it at the bound alone."""
_ARITHMETIC = {
    "+": ("-", "-", "*"),
    "-": ("+", "+", "*"),
    "*": ("+", "/", "**"),
    "/": ("//", "*"),
    "//": ("/", "/", "%"),
    "%": ("//", "/", "*"),
    "**": ("*",),
}
_BITWISE = {"&": ("|", "|", "^"), "|": ("&", "&", "^"), "^": ("&", "|"), "<<": (">>",), ">>": ("<<",)}
_AUGMENTED = {"+=": ("-=", "-=", "=", "="), "-=": ("+=", "+=", "="), "*=": ("/=", "+="), "/=": ("*=",
              "//="), "|=": ("&=", "="), "&=": ("|=",), "//=": ("/=",), "<<=": (">>=",), ">>=": ("<<=",),
              "%=": ("/=",)}  # fmt: skip
_OPERANDS = ("NAME", "NUMBER", "STRING")


def _swap(token: Token, table: dict[str, tuple[str, ...]], rng: Random) -> Mutation:
    return replace(token.start, token.end, rng.choice(table[token.text]))


def _binary(source: ParsedCode, table: dict[str, tuple[str, ...]], rng: Random) -> Iterator[int]:
    """Tokens of the table that stand between two operands (so no sign and no `*args`)."""
    tokens = source.tokens
    found = [
        index
        for index in range(1, len(tokens))
        if tokens[index].text in table
        and (tokens[index - 1].kind in _OPERANDS or tokens[index - 1].text in CLOSING)
        and tokens[index - 1].text != "print"
    ]
    return shuffled(found, rng)


@register(
    "comparison_operator",
    "logic",
    "a wrong comparison",
    "while i < len(xs):\n    go(xs[i])\n    i += 1",
    "while i <= len(xs):\n    go(xs[i])\n    i += 1",
    tuple(_COMPARISONS),
    places=0.04,
)
def comparison_operator(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A comparison that points the wrong way, or reaches one too far.

    Contract: `>` for `<` only where the way shows: the loop's block counts towards the bound; a length is compared
    with 0 or with an index that is used; the condition compares the value with another bound too; the block keeps a
    `max` or `min`, or raises an error that names the fault ("too long"). `!=` for `==` where the condition or chain
    compares the same value with other literals, the value is `__name__`, a test asserts a literal, the block uses or
    sets what is compared with None, or raises over a length, a shape or a return code. `<=` for `<` and the like are a
    matter of one value, which shows only where an index is compared with a length and used (`i < len(xs)` and
    `xs[i]`), where a length is compared with 0, or where the condition compares another value in the same way with
    the same bound.
    """
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.text in _COMPARISONS], rng):
        token = tokens[index]
        opposite, close = _COMPARISONS[token.text]
        if close and bound_shows(source, index) and rng.random() < 0.75:
            yield replace(token.start, token.end, close)
        elif direction_shows(source, index):
            yield replace(token.start, token.end, opposite)


@register(
    "boolean_operator",
    "logic",
    "`and` for `or` or the reverse",
    "x = a and b",
    "x = a or b",
    ("and", "or"),
    places=0.19,
)
def boolean_operator(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in shuffled([t for t in source.tokens if t.text in ("and", "or")], rng):
        yield replace(token.start, token.end, "or" if token.text == "and" else "and")


@register(
    "arithmetic_operator",
    "logic",
    "a wrong arithmetic operator",
    "x = a + b",
    "x = a - b",
    tuple(_ARITHMETIC),
    places=0.15,
)
def arithmetic_operator(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in _binary(source, _ARITHMETIC, rng):
        # `-` between texts or formatting a text with `+` is no mistake that anybody keeps
        if "STRING" not in (tokens[index - 1].kind, tokens[index + 1].kind):
            yield _swap(tokens[index], _ARITHMETIC, rng)


@register(
    "bitwise_operator",
    "logic",
    "a wrong bitwise operator",
    "x = a & b",
    "x = a | b",
    tuple(_BITWISE),
    places=0.01,
)
def bitwise_operator(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in _binary(source, _BITWISE, rng):
        if "None" in (t.text for t in source.tokens[index - 1 : index + 2]):
            continue  # `int | None` is a type
        yield _swap(source.tokens[index], _BITWISE, rng)


@register(
    "augmented_operator",
    "logic",
    "a wrong augmented assignment",
    "n = 0\nfor x in xs:\n    n += x",
    "n = 0\nfor x in xs:\n    n -= x",
    tuple(_AUGMENTED),
    places=0.03,
)
def augmented_operator(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A wrong sign before the `=`, or none.

    Contract: in a loop, of a name that the snippet sets before the loop, so that what is collected or counted shows.
    """
    for token in shuffled([t for t in source.tokens if t.text in _AUGMENTED], rng):
        if _collects(source, token):
            yield replace(token.start, token.end, rng.choice(_AUGMENTED[token.text]))


def _collects(source: ParsedCode, token: Token) -> bool:
    """Whether an augmented assignment stands in a loop and its name is set before that."""
    loop = loop_around(source, token.line)
    if loop is None:
        return False
    names = binds(source, token.line)
    return bool(names) and any(not names.isdisjoint(binds(source, n)) for n in range(loop.line))


@register(
    "identity_for_equality",
    "logic",
    "`is` for `==`",
    "if x == 'a':\n    go()",
    "if x is 'a':\n    go()",
    ("==", "!="),
    places=0.13,
)
def identity_for_equality(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """Identity where equality is meant.

    Contract: one side is a text, a number, a display or a length, which nobody compares by identity.
    """
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.text in ("==", "!=")], rng):
        left, right = tokens[index - 1], tokens[index + 1]
        literal = "STRING" in (left.kind, right.kind) or "NUMBER" in (left.kind, right.kind)
        if literal or right.text in ("[", "{", "len", "-"):
            token = tokens[index]
            yield replace(token.start, token.end, "is" if token.text == "==" else "is not")


@register(
    "equality_for_assignment", "logic", "`==` where a value should be assigned", "x = 0", "x == 0", ("=",)
)
def equality_for_assignment(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for line in shuffled(source.lines, rng):
        equals = [t for t in tokens[line.first : line.last] if t.text == "=" and t.depth == 0]
        if len(equals) == 1:
            yield replace(equals[0].start, equals[0].end, "==")


@register(
    "membership",
    "logic",
    "`in` for `not in`, or the reverse",
    "if x not in y:\n    go()",
    "if x in y:\n    go()",
    ("in",),
    places=0.14,
)
def membership(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for node in shuffled(source.nodes("comparison_operator"), rng):
        for child in node.children:
            site = source.site(child)
            if child.type == "not in":
                yield replace(site.start, site.end, "in")
            elif child.type == "in":
                yield replace(site.start, site.end, "not in")


@register(
    "negated_condition",
    "logic",
    "a condition negated",
    "if ready:\n    go()",
    "if not ready:\n    go()",
    ("if", "while", "elif"),
    places=0.49,
)
def negated_condition(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for node in shuffled(
        source.nodes("if_statement", "elif_clause", "while_statement", "conditional_expression"), rng
    ):
        condition = node.child_by_field_name("condition")
        if condition is None:
            parts = [child for child in node.children if child.is_named]
            condition = parts[1] if node.type == "conditional_expression" and len(parts) == 3 else None
        if condition is None or condition.type == "not_operator":
            continue
        site = source.site(condition)
        if condition.type in ("boolean_operator", "conditional_expression", "named_expression", "lambda"):
            yield Mutation((Splice(site.start, site.start, "not ("), Splice(site.end, site.end, ")")))
        else:
            yield replace(site.start, site.start, "not ")


@register(
    "dropped_not",
    "logic",
    "a `not` is missing",
    "if not ready:\n    go()",
    "if ready:\n    go()",
    ("not",),
    places=0.18,
)
def dropped_not(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A condition the wrong way round.

    Contract: not in an `assert` of a name alone, which may be either.
    """
    for node in shuffled(source.nodes("not_operator"), rng):
        site = source.site(node)
        if source.text[site.start - 7 : site.start] == "assert " and node.children[-1].type == "identifier":
            continue
        space = source.text[site.start + 3 : site.start + 4] == " "
        yield replace(site.start, site.start + 3 + space, "")
    for index in shuffled([i for i, t in enumerate(source.tokens) if t.text == "is"], rng):
        after = source.tokens[index + 1]
        if after.text == "not":
            yield replace(source.tokens[index].end, after.end, "")


@register(
    "dropped_condition",
    "logic",
    "the part of a condition that guards the rest is missing",
    "if i < len(xs) and xs[i] > 0:\n    go()",
    "if xs[i] > 0:\n    go()",
    ("and", "or"),
    places=0.001,
)
def dropped_condition(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A guard left out before what it guards.

    Contract: it is `i < len(x)` before `x[i]`, `k in x` before `x[k]`, or, of a name that is None somewhere in the
    snippet, `x is not None` (with `or`: `x is None`) before an attribute or item of `x`.
    """
    for node in shuffled(source.nodes("boolean_operator"), rng):
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            continue
        first, second = source.site(left), source.site(right)
        word = source.text[first.end : second.start].strip()
        if _guards(source, source.of(left), word, source.of(right)):
            yield replace(first.start, second.start, "")


def _guards(source: ParsedCode, left: str, word: str, right: str) -> bool:
    if word == "and" and (match := re.fullmatch(r"(\w+) < len\((\w+)\)|(\w+|'\w+'|\"\w+\") in (\w+)", left)):
        item, whole = match[1] or match[3], match[2] or match[4]
        return f"{whole}[{item}]" in right
    match = re.fullmatch(r"(\w+) is not None" if word == "and" else r"(\w+) is None", left)
    used = match and re.search(rf"(?<![\w.]){match[1]}[.\[]", right)
    return bool(match and used and re.search(rf"(?<![\w.]){match[1]}\b[^=\n]*= *None\b", source.text))
