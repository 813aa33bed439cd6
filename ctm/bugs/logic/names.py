"""Wrong names: another variable in scope, swapped operands, a misspelt name, a lost `self.`."""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.evidence import ASSIGNS, TYPES, block_around, sorts_of
from ctm.bugs.static_analysis.source import ParsedCode, Token


@register(
    "variable_misuse",
    "logic",
    "another variable in scope",
    "def f(a, b):\n    return a + b",
    "def f(a, b):\n    return a + a",
    traced=True,
)
def variable_misuse(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A variable where another one belongs.

    Contract: the next line does not overwrite what the line sets, so that the repair has an effect, and the right
    variable is not visibly of a type that lacks the attribute that is asked of it.
    """
    for read in shuffled(source.variables.reads, rng):
        index = source.token_at(read.start)
        if read.others and not _overwritten(source, index) and not _lacks_attribute(source, index):
            yield replace(read.start, read.end, rng.choice(read.others))


def _overwritten(source: ParsedCode, index: int) -> bool:
    """Whether the line of token `index` sets what the next one sets again without a look at it."""
    number = source.tokens[index].line
    if number + 1 >= len(source.lines) or source.lines[number].indent != source.lines[number + 1].indent:
        return False
    (target, equals), (again, _) = _target(source, number), _target(source, number + 1)
    names = re.findall(r"[^\W\d]\w*", target)
    rest = source.lines[number + 1]
    value = source.text[source.tokens[rest.first].start + len(again) : rest.end]
    return bool(target) and index > equals and again == target and names[-1] not in re.findall(r"\w+", value)


def _target(source: ParsedCode, number: int) -> tuple[str, int]:
    """What stands before the only `=` of line `number`, and that token; ("", 0) where there is none."""
    tokens, line = source.tokens, source.lines[number]
    equals = [i for i in range(line.first, line.last) if tokens[i].text in ASSIGNS and tokens[i].depth == 0]
    if len(equals) != 1 or tokens[equals[0]].text != "=":
        return "", 0
    return source.text[tokens[line.first].start : tokens[equals[0] - 1].end], equals[0]


def _lacks_attribute(source: ParsedCode, index: int) -> bool:
    """Whether token `index` is asked for an attribute that no value has that the snippet gives it."""
    tokens = source.tokens
    if index + 2 >= len(tokens) or tokens[index + 1].text != ".":
        return False
    sorts = sorts_of(source, tokens[index].text)
    return bool(sorts) and all(
        sort in TYPES and not hasattr(TYPES[sort], tokens[index + 2].text) for sort in sorts
    )


@register("swapped_operands", "logic", "the two sides of an operator that does not commute swapped",
          "x = a - b", "x = b - a", ("-", "/", "//", "%", "<", ">", "<=", ">=", "in", "**"),
          places=0.31)  # fmt: skip
def swapped_operands(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    signs = ("-", "/", "//", "%", "<", ">", "<=", ">=", "in", "**", "<<", ">>", "not in")
    for node in shuffled(source.nodes("binary_operator", "comparison_operator"), rng):
        parts = node.children
        if len(parts) != 3 or parts[1].type not in signs or "string" in parts[0].type:
            continue
        left, right = source.site(parts[0]), source.site(parts[2])
        a, b = source.text[left.start : left.end], source.text[right.start : right.end]
        if a != b and len(a) + len(b) <= 60:
            yield Mutation((Splice(left.start, left.end, b), Splice(right.start, right.end, a)))


@lru_cache(maxsize=1)
def _names(source: ParsedCode) -> tuple[list[Token], Counter[str]]:
    """Names of more than three letters, and how often each token stands in the text."""
    names = [token for token in source.tokens if token.kind == "NAME" and len(token.text) > 3]
    return names, Counter(token.text for token in source.tokens)


@register(
    "misspelt_name",
    "logic",
    "a name misspelt in one place",
    "total = 1\nprint(total)",
    "total = 1\nprint(totl)",
)
def misspelt_name(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    names, count = _names(source)
    for token in shuffled(names, rng):
        if count[token.text] < 2:
            continue
        name, place = token.text, rng.randrange(1, len(token.text) - 1)
        choice = rng.random()
        if choice < 0.35:
            new = name[:place] + name[place + 1] + name[place] + name[place + 2 :]
        elif choice < 0.65:
            new = name[:place] + name[place + 1 :]
        elif choice < 0.8:
            new = name[:-1] if name.endswith("s") else name + "s"
        elif choice < 0.9:
            new = name.replace("_", "") if "_" in name[1:] else name[0].swapcase() + name[1:]
        else:
            new = name[:place] + name[place] + name[place:]
        if new != name and new not in source.words and not keyword.iskeyword(new):
            yield replace(token.start, token.end, new)


@register(
    "dropped_self",
    "logic",
    "`self.` is missing",
    "self.n = self.n + 1",
    "self.n = n + 1",
    ("self", "cls"),
    places=0.14,
)
def dropped_self(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """`n` for `self.n`.

    Contract: the snippet has `self.n` elsewhere, and `n` alone is neither a builtin nor anywhere in it, but as the
    keyword of a call or the name of a method, so that `n` can be nothing else.
    """
    tokens = source.tokens
    found = [
        i for i in range(len(tokens) - 2) if tokens[i].text in ("self", "cls") and tokens[i + 1].text == "."
    ]
    count = Counter((tokens[i].text, tokens[i + 2].text) for i in found)
    alone = _alone(source) if found else frozenset()
    for index in shuffled(found, rng):
        name = tokens[index + 2].text
        if count[tokens[index].text, name] > 1 and name not in alone and not hasattr(builtins, name):
            yield replace(tokens[index].start, tokens[index + 1].end, "")


@lru_cache(maxsize=1)
def _alone(source: ParsedCode) -> frozenset[str]:
    """Names that stand somewhere without a dot before them, as a variable, parameter, function or field of a text."""
    tokens, found = source.tokens, set()
    for index, token in enumerate(tokens):
        before = tokens[index - 1].text if index else ""
        if token.kind == "STRING" and "{" in token.text:
            found.update(re.findall(r"(?<![\w.])[^\W\d]\w*", token.text))
        if token.kind != "NAME" or before == ".":
            continue
        line = source.lines[token.line]
        called = tokens[line.first].text not in ("def", "async", "class") and before in ("(", ",")
        if called and token.depth and index + 1 < len(tokens) and tokens[index + 1].text == "=":
            continue  # a keyword
        around = block_around(source, token.line)
        method = before == "def" and around >= 0 and tokens[source.lines[around].first].text == "class"
        if not method:
            found.add(token.text)
    return frozenset(found)


@register("missing_self_parameter", "logic", "a method without `self`",
          "class A:\n    def f(self, x):\n        return x", "class A:\n    def f(x):\n        return x",
          ("self",), places=0.32, traced=True)  # fmt: skip
def missing_self_parameter(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    found = [i for i in range(len(tokens) - 4) if tokens[i].text == "def" and tokens[i + 3].text == "self"]
    for index in shuffled(found, rng):
        comma = tokens[index + 4].text == ","
        end = tokens[index + 5].start if comma else tokens[index + 3].end
        yield replace(tokens[index + 3].start, end, "")


@register(
    "missing_call",
    "logic",
    "a method or function named, not called",
    "x = s.strip()",
    "x = s.strip",
    ("(",),
    places=0.3,
)
def missing_call(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for call in shuffled(source.calls, rng):
        raised = (
            tokens[source.lines[tokens[call.open].line].first].text == "raise"
        )  # a class is raised as well
        if not call.arguments and call.close == call.open + 1 and not raised:
            yield replace(tokens[call.open].start, tokens[call.close].end, "")
