"""Evidence in a snippet: names that a line binds and reads, types of variables, and loops around a line.

A made bug is only a true pair where a reader can tell from the snippet that it is wrong and what is right. The kinds
ask here, on tokens and lines alone, so that a place that shows nothing is left out at the cost of a look.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ctm.bugs.static_analysis.source import Header, Line, ParsedCode

ASSIGNS = frozenset(
    ("=", "+=", "-=", "*=", "/=", "//=", "%=", "**=", "|=", "&=", "^=", "<<=", ">>=", "@=", ":=")
)
"""Tokens that bind or change what stands before them."""

MUTATES = frozenset(("append", "extend", "insert", "remove", "pop", "popitem", "clear", "update", "setdefault", "add",
                     "discard", "sort", "reverse", "popleft", "appendleft"))  # fmt: skip
"""Methods of lists, dictionaries and sets that change them."""

TYPES: dict[str, type] = {"list": list, "set": set, "dict": dict, "str": str, "bytes": bytes, "number": int}
"""Of each sort of literal: the type that has its attributes."""

_FIELD = re.compile(r"[^\W\d]\w*")
_OWNERS = ("self", "cls")


def _plain(source: ParsedCode, index: int) -> str:
    """The variable that a token names, `self.x` for an attribute of `self`; "" for another attribute or a keyword."""
    tokens = source.tokens
    token = tokens[index]
    before = tokens[index - 1].text if index else ""
    if token.kind != "NAME" or before == ".":
        return ""
    after = tokens[index + 1].text if index + 1 < len(tokens) else ""
    if after == "=" and token.depth and tokens[source.lines[token.line].first].text not in ("def", "async"):
        return ""
    if token.text in _OWNERS:
        named = after == "." and index + 2 < len(tokens)
        return f"{token.text}.{tokens[index + 2].text}" if named else ""
    return token.text


@lru_cache(maxsize=64)
def binds(source: ParsedCode, number: int) -> frozenset[str]:
    """Variables, and attributes of `self`, that logical line `number` assigns."""
    line = source.lines[number]
    tokens = source.tokens
    last = line.first
    word = tokens[line.first].text
    found: set[str] = set()
    for index in range(line.first, line.last + 1):
        token = tokens[index]
        if token.text in ASSIGNS and token.depth == 0:
            last = index
        elif token.text == "as" or (token.text == "for" and index == line.first):
            found.add(_plain(source, index + 1))
    if word == "for":
        stop = next((i for i in range(line.first, line.last) if tokens[i].text == "in"), line.first)
        found.update(_plain(source, i) for i in range(line.first + 1, stop))
    if word in ("import", "from"):
        found.add(tokens[line.last].text)
    elif word in ("def", "class"):
        found.add(tokens[line.first + 1].text)
    found.update(_plain(source, i) for i in range(line.first, last) if _is_target(source, line, i))
    return frozenset(found - {""})


def _is_target(source: ParsedCode, line: Line, index: int) -> bool:
    """Whether a name left of an assignment is bound itself: `a` of `a, b = c`, not of `a.b = c`."""
    tokens = source.tokens
    if tokens[index].depth and tokens[line.first].text not in ("(", "["):
        return False
    end = index + 1 if tokens[index].text not in _OWNERS else index + 3
    return end <= line.last and tokens[end].text not in (".", "[", "(")


@lru_cache(maxsize=64)
def reads(source: ParsedCode, number: int) -> frozenset[str]:
    """Variables, and attributes of `self`, that logical line `number` reads, fields of f-strings among them."""
    line = source.lines[number]
    tokens = source.tokens
    simple = [i for i in range(line.first, line.last) if tokens[i].text == "=" and tokens[i].depth == 0]
    last = simple[-1] if simple else line.first - 1
    found: set[str] = set()
    for index in range(line.first, line.last + 1):
        token = tokens[index]
        if token.kind == "STRING" and "f" in token.text[:2].lower() and "{" in token.text:
            found.update(_FIELD.findall(token.text))
        elif index > last or not _is_target(source, line, index):
            found.add(_plain(source, index))
    return frozenset(found - {""})


def loop_around(source: ParsedCode, number: int) -> Header | None:
    """The innermost `for` or `while` whose block holds line `number`, inside the same function."""
    indent = source.lines[number].indent
    heads = {header.line: header for header in source.headers}
    for other in range(number - 1, -1, -1):
        if source.lines[other].indent < indent:
            indent = source.lines[other].indent
            header = heads.get(other)
            word = header.word if header else ""
            if word in ("for", "while"):
                return header
            if word in ("def", "class"):
                return None
    return None


def block_around(source: ParsedCode, number: int) -> int:
    """The line that heads the block of line `number`, -1 at the outermost level."""
    lines = source.lines
    return next((n for n in range(number - 1, -1, -1) if lines[n].indent < lines[number].indent), -1)


def leaves(source: ParsedCode, number: int) -> bool:
    """Whether line `number` leaves its function, loop or round."""
    return source.tokens[source.lines[number].first].text in ("return", "raise", "continue", "break")


def sorts_of(source: ParsedCode, name: str) -> set[str]:
    """What the snippet sets a variable or `self.x` to: keys of TYPES for literals and displays, "" for all else."""
    found = {_sort(source, line) for number, line in enumerate(source.lines) if name in binds(source, number)}
    heads = (line for line in source.lines if source.tokens[line.first].text in ("def", "async"))
    given = any(t.text == name for line in heads for t in source.tokens[line.first + 2 : line.last + 1])
    return found | {""} if given else found


def _sort(source: ParsedCode, line: Line) -> str:
    """The sort of what a line assigns: `x = ` and one literal, display or call of `list`, `set` or `dict`."""
    tokens = source.tokens
    equals = [i for i in range(line.first, line.last) if tokens[i].text in ASSIGNS and tokens[i].depth == 0]
    if len(equals) != 1 or tokens[equals[0]].text != "=":
        return ""
    first, last = equals[0] + 1, line.last
    token = tokens[first]
    if first == last and token.kind == "STRING":
        return "bytes" if "b" in token.text.lower().partition(token.text[-1])[0] else "str"
    if first == last and token.kind == "NUMBER":
        return "number"
    if source.partner.get(first) == last and token.text == "[":
        return "list"
    if source.partner.get(first) == last and token.text == "{":
        pairs = any(t.text in (":", "**") and t.depth == token.depth + 1 for t in tokens[first:last])
        return "dict" if pairs or last == first + 1 else "set"
    called = token.text in ("list", "set", "dict") and source.partner.get(first + 1) == last
    return token.text if called else ""
