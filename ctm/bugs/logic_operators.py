"""Wrong operators, literals and bounds: code that compiles and computes something else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random

from ctm.bugs.lexemes import CLOSING
from ctm.bugs.registry import Candidate, Splice, register, replace, shuffled
from ctm.bugs.source import Source, Token

_COMPARISONS: dict[str, tuple[str, ...]] = {"<": ("<=", "<=", ">"), "<=": ("<", "<", ">="), ">": (">=",
                   ">=", "<"), ">=": (">", ">", "<="), "==": ("!=", "!=", "<="), "!=": ("==",
                   "==", "<")}  # fmt: skip
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


def _swap(token: Token, table: dict[str, tuple[str, ...]], rng: Random) -> Candidate:
    return replace(token.start, token.end, rng.choice(table[token.text]))


def _binary(source: Source, table: dict[str, tuple[str, ...]], rng: Random) -> Iterator[int]:
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
    "if n < 3:\n    go()",
    "if n <= 3:\n    go()",
    tuple(_COMPARISONS),
    places=0.32,
)
def comparison_operator(source: Source, rng: Random) -> Iterator[Candidate]:
    for token in shuffled([t for t in source.tokens if t.text in _COMPARISONS], rng):
        yield _swap(token, _COMPARISONS, rng)


@register(
    "boolean_operator",
    "logic",
    "`and` for `or` or the reverse",
    "x = a and b",
    "x = a or b",
    ("and", "or"),
    places=0.19,
)
def boolean_operator(source: Source, rng: Random) -> Iterator[Candidate]:
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
def arithmetic_operator(source: Source, rng: Random) -> Iterator[Candidate]:
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
def bitwise_operator(source: Source, rng: Random) -> Iterator[Candidate]:
    for index in _binary(source, _BITWISE, rng):
        if "None" in (t.text for t in source.tokens[index - 1 : index + 2]):
            continue  # `int | None` is a type
        yield _swap(source.tokens[index], _BITWISE, rng)


@register(
    "augmented_operator",
    "logic",
    "a wrong augmented assignment",
    "n += 1",
    "n -= 1",
    tuple(_AUGMENTED),
    places=0.2,
)
def augmented_operator(source: Source, rng: Random) -> Iterator[Candidate]:
    for token in shuffled([t for t in source.tokens if t.text in _AUGMENTED], rng):
        yield _swap(token, _AUGMENTED, rng)


@register(
    "identity_for_equality",
    "logic",
    "`is` for `==`",
    "if x == 'a':\n    go()",
    "if x is 'a':\n    go()",
    ("==", "!="),
    places=0.22,
)
def identity_for_equality(source: Source, rng: Random) -> Iterator[Candidate]:
    for token in shuffled([t for t in source.tokens if t.text in ("==", "!=")], rng):
        yield replace(token.start, token.end, "is" if token.text == "==" else "is not")


@register(
    "equality_for_assignment", "logic", "`==` where a value should be assigned", "x = 0", "x == 0", ("=",)
)
def equality_for_assignment(source: Source, rng: Random) -> Iterator[Candidate]:
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
def membership(source: Source, rng: Random) -> Iterator[Candidate]:
    for node in shuffled(source.nodes("comparison_operator"), rng):
        for child in node.children:
            site = source.site(child)
            if child.type == "not in":
                yield replace(site.start, site.end, "in")
            elif child.type == "in":
                yield replace(site.start, site.end, "not in")


@register(
    "off_by_one",
    "logic",
    "a number that is one too large or too small",
    "x = xs[0]",
    "x = xs[1]",
    places=0.48,
)
def off_by_one(source: Source, rng: Random) -> Iterator[Candidate]:
    for token in shuffled(_numbers(source), rng):
        if len(token.text) > 1 and token.text[0] == "0":
            continue
        value = int(token.text)
        yield replace(
            token.start, token.end, str(value + 1 if value == 0 or rng.random() < 0.5 else value - 1)
        )


@lru_cache(maxsize=1)  # kinds of several bugs ask again and again
def _numbers(source: Source) -> list[Token]:
    return [token for token in source.tokens if token.kind == "NUMBER" and token.text.isdigit()]


@register("bound", "logic", "a range, slice or length that is one off", "for i in range(n):\n    go(i)",
          "for i in range(n - 1):\n    go(i)", ("range", "len", "["), places=0.14)  # fmt: skip
def bound(source: Source, rng: Random) -> Iterator[Candidate]:
    tokens = source.tokens
    places: list[tuple[int, int]] = []
    for call in source.calls:
        name = tokens[call.open - 1].text
        if name == "range" and call.arguments:
            places += call.arguments[:2]
        elif name == "len":
            places.append((call.open - 1, call.close))
    for node in source.nodes("slice"):
        site = source.site(node)
        places += [
            (i, i)
            for i, t in enumerate(tokens)
            if site.start <= t.start < site.end and t.kind in ("NAME", "NUMBER")
        ]
    for first, last in shuffled(places, rng):
        follows = tokens[last + 1] if last + 1 < len(tokens) else None
        start, end = tokens[first].start, tokens[last].end
        if follows and follows.text in ("+", "-") and tokens[last + 2].text == "1":
            yield replace(end, tokens[last + 2].end, "")
        elif tokens[last].kind == "NUMBER" and first == last and tokens[last].text.isdigit():
            if tokens[last].text[0] != "0" or len(tokens[last].text) == 1:
                yield replace(start, end, str(int(tokens[last].text) + 1))
        elif follows is None or follows.text not in (".", "(", "["):
            yield replace(end, end, rng.choice((" + 1", " - 1")))
        else:
            continue


@register(
    "constant",
    "logic",
    "True for False, None for a value, or the reverse",
    "x = True",
    "x = False",
    ("True", "False", "None"),
    places=0.22,
)
def constant(source: Source, rng: Random) -> Iterator[Candidate]:
    table: dict[str, tuple[str, ...]] = {
        "True": ("False", "False", "False", "None"),
        "False": ("True", "True", "True", "None"),
        "None": ("True", "False", "[]", "0", "''"),
    }
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.text in table], rng):
        before = tokens[index - 1].text if index else ""
        annotation = before in ("->", "|", "[") or (before == ":" and tokens[index].depth > 0)
        if not annotation and before not in ("is", "not", "from"):
            yield _swap(tokens[index], table, rng)


@register(
    "negated_condition",
    "logic",
    "a condition negated",
    "if ready:\n    go()",
    "if not ready:\n    go()",
    ("if", "while", "elif"),
    places=0.49,
)
def negated_condition(source: Source, rng: Random) -> Iterator[Candidate]:
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
            yield Candidate((Splice(site.start, site.start, "not ("), Splice(site.end, site.end, ")")))
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
def dropped_not(source: Source, rng: Random) -> Iterator[Candidate]:
    for node in shuffled(source.nodes("not_operator"), rng):
        site = source.site(node)
        space = source.text[site.start + 3 : site.start + 4] == " "
        yield replace(site.start, site.start + 3 + space, "")
    for index in shuffled([i for i, t in enumerate(source.tokens) if t.text == "is"], rng):
        after = source.tokens[index + 1]
        if after.text == "not":
            yield replace(source.tokens[index].end, after.end, "")


@register(
    "dropped_condition",
    "logic",
    "one part of a condition is missing",
    "if a and b:\n    go()",
    "if a:\n    go()",
    ("and", "or"),
    places=0.19,
)
def dropped_condition(source: Source, rng: Random) -> Iterator[Candidate]:
    for node in shuffled(source.nodes("boolean_operator"), rng):
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            continue
        first, second = source.site(left), source.site(right)
        if rng.random() < 0.5 and first.end - first.start <= 80:
            yield replace(first.start, second.start, "")
        elif second.end - first.end <= 80:
            yield replace(first.end, second.end, "")
