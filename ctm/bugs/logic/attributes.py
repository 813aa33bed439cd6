"""Wrong attributes, methods and functions, where the snippet shows which one is right.

Whether `xs.append(y)` or `xs.extend(y)` is meant, or `p.width` or `p.height`, nobody can tell from the line. So a name
is mistaken here only for one that cannot be right at its place, while the right one is written beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from random import Random

from ctm.bugs.registry import Mutation, register, replace, shuffled
from ctm.bugs.static_analysis.evidence import block_around, sorts_of
from ctm.bugs.static_analysis.source import Call, ParsedCode

_Place = tuple[int, tuple[str, ...]]
"""A token that is the right name, and wrong ones."""


@register(
    "wrong_attribute",
    "logic",
    "an attribute, method or function of a similar name or meaning",
    "xs = []\nxs.append(y)",
    "xs = []\nxs.add(y)",
    places=0.11,
)
def wrong_attribute(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """An attribute of the same object, or a function of the same family, that does not fit its place.

    Contract: of two lines of one block, or two keywords of one call, each names its attribute on both sides
    (`self.width = width`, `height=box.height`), and one side of one gets the other's; or `self.rows`, which a class
    without bases sets, is read as `self.row`, which it never sets; or the call cannot work with these arguments:
    `xs.add` of a list, `append` of two values, `keys` for two loop variables, `zip` of one counted list, `hasattr`
    with a default, `reversed` with a key, `json.load` of a text and the like; or the second `acquire` stands for the
    only `release`.
    """
    for index, others in shuffled(_places(source), rng):
        token = source.tokens[index]
        yield replace(token.start, token.end, rng.choice(others))


@lru_cache(maxsize=1)  # kinds of several bugs ask again and again
def _places(source: ParsedCode) -> list[_Place]:
    return [
        *_paired_lines(source),
        *_paired_keywords(source),
        *_never_set(source),
        *_calls(source),
        *_released(source),
    ]


def _chain(source: ParsedCode, index: int) -> str:
    """What stands before the dot of attribute `index`, like `self.rows`; "" for no attribute of a name."""
    tokens, first = source.tokens, index - 2
    if index < 2 or tokens[index].kind != "NAME" or tokens[index - 1].text != ".":
        return ""
    while first >= 2 and tokens[first].kind == "NAME" and tokens[first - 1].text == ".":
        first -= 2
    return source.text[tokens[first].start : tokens[index - 2].end] if tokens[first].kind == "NAME" else ""


def _paired_lines(source: ParsedCode) -> Iterator[_Place]:
    """`self.a = a` beside `self.b = b`: either side may get the other's name."""
    tokens = source.tokens
    alike: dict[
        tuple[int, str, str], list[tuple[int, int]]
    ] = {}  # block, owner, text of the right side without the name
    for number, line in enumerate(source.lines):
        equals = [i for i in range(line.first, line.last) if tokens[i].text == "=" and tokens[i].depth == 0]
        if len(equals) != 1 or not (owner := _chain(source, equals[0] - 1)):
            continue
        target, name = equals[0] - 1, tokens[equals[0] - 1].text
        same = [i for i in range(equals[0] + 1, line.last + 1) if tokens[i].text == name]
        if len(same) != 1 or tokens[line.first].start + len(owner) + 1 != tokens[target].start:
            continue
        rest = (
            source.text[tokens[equals[0]].start : tokens[same[0]].start]
            + source.text[tokens[same[0]].end : line.end]
        )
        alike.setdefault((block_around(source, number), owner, rest), []).append((target, same[0]))
    for places in alike.values():
        for target, read in places:
            others = tuple(
                tokens[other].text for other, _ in places if tokens[other].text != tokens[target].text
            )
            if others:
                yield target, others
                if tokens[read - 1].text == ".":
                    yield read, others


def _paired_keywords(source: ParsedCode) -> Iterator[_Place]:
    """`f(a=x.a, b=x.b)`: an argument may get the other's name."""
    tokens = source.tokens
    for call in source.calls:
        found: dict[str, list[int]] = {}
        for first, last in call.arguments:
            owner = _chain(source, last)
            whole = owner and tokens[last].start - len(owner) - 1 == tokens[first + 2].start
            if whole and tokens[first + 1].text == "=" and tokens[first].text == tokens[last].text:
                found.setdefault(owner, []).append(last)
        for places in found.values():
            for index in places:
                others = tuple(tokens[i].text for i in places if i != index)
                if others:
                    yield index, others


def _never_set(source: ParsedCode) -> Iterator[_Place]:
    """`self.rows`, which `__init__` of a class without bases sets, read as `self.row`."""
    tokens = source.tokens
    if not {"class", "__init__"} <= source.words or re.search(
        r"^\s*class \w+\((?!object\)|\))", source.text, re.MULTILINE
    ):
        return
    own = [i for i in range(2, len(tokens)) if tokens[i - 1].text == "." and tokens[i - 2].text == "self"]
    targets = {
        i
        for i in own
        if i + 1 < len(tokens) and tokens[i + 1].text == "=" and source.lines[tokens[i].line].first == i - 2
    }
    names = {tokens[i].text for i in targets}
    for index in own:
        name = tokens[index].text
        if index in targets or name not in names:
            continue
        other = name[:-1] if name.endswith("s") else name + "s"
        if len(other) > 2 and other not in source.words and not re.search(rf"\b{other}\b", source.text):
            yield index, (other,)


def _calls(source: ParsedCode) -> Iterator[_Place]:
    """Functions and methods whose namesakes cannot take these arguments or give what is asked of them."""
    tokens = source.tokens
    for call in source.calls:
        index = call.open - 1
        given = _misfits(source, call, tokens[index].text, _chain(source, index))
        if given and tokens[source.lines[tokens[index].line].first].text not in ("def", "class", "@"):
            yield index, given


def _misfits(source: ParsedCode, call: Call, name: str, owner: str) -> tuple[str, ...]:
    tokens = source.tokens
    words = [tokens[first + 1].text == "=" for first, _ in call.arguments]
    count, plain = len(words), not any(words)
    if any(tokens[first].text in ("*", "**") for first, _ in call.arguments):
        return ()
    only = source.text[tokens[call.open].end : tokens[call.close].start].strip()
    match name:
        case "append" if owner and sorts_of(source, owner) == {"list"}:
            return ("add", "insert") if count == 1 else ()
        case "add" if owner and sorts_of(source, owner) == {"set"}:
            return ("append",)
        case "insert" if owner and sorts_of(source, owner) == {"list"}:
            return ("append",) if count == 2 else ()
        case "items" if not count and owner and _targets(source, call) == 2:
            return ("keys", "values")
        case "enumerate" if not owner and count == 1 and _targets(source, call) == 2:
            return ("zip",)
        case "getattr" if not owner and count == 3:
            return ("hasattr",)
        case "sorted" | "sort" if any(words) and (name == "sort") == bool(owner):
            return ("reversed",) if name == "sorted" else ("reverse",)
        case "dump" | "dumps" | "load" | "loads" if owner in ("json", "pickle"):
            return _stream(source, name, owner, count if plain else 0, only)
    return ()


def _stream(source: ParsedCode, name: str, owner: str, count: int, only: str) -> tuple[str, ...]:
    """The namesake of `json.dump` and the like that these arguments do not fit."""
    if name == "dump":
        return ("dumps",) if count == 2 and owner == "json" else ()
    if name == "dumps":
        return ("dump",) if count == 1 else ()
    if name == "load":
        opened = (
            re.search(rf"\bopen\([^\n]*\) as {re.escape(only)}:", source.text)
            if only.isidentifier()
            else None
        )
        return ("loads",) if opened else ()
    return ("load",) if only.endswith(".read()") or sorts_of(source, only) == {"str"} else ()


def _targets(source: ParsedCode, call: Call) -> int:
    """How many variables the `for` binds that goes through a call; 0 where none does."""
    tokens = source.tokens
    index = call.open - 1
    while index > 1 and tokens[index - 1].text == ".":
        index -= 2
    if tokens[index - 1].text != "in" or tokens[call.close + 1 : call.close + 2] == []:
        return 0
    if tokens[call.close + 1].text not in (":", "]", ")", "}", "if"):
        return 0
    start = index - 2
    while start > 0 and tokens[start].text != "for" and tokens[start].line == tokens[index].line:
        start -= 1
    names = [t for t in tokens[start + 1 : index - 1] if t.depth == tokens[start].depth]
    return 2 if [t.text == "," for t in names] == [False, True, False] else 0


def _released(source: ParsedCode) -> Iterator[_Place]:
    """The one `release` behind the one `acquire` of the same lock."""
    tokens = source.tokens
    found: dict[str, list[int]] = {}
    for call in source.calls:
        if tokens[call.open - 1].text in ("acquire", "release") and (owner := _chain(source, call.open - 1)):
            found.setdefault(owner, []).append(call.open - 1)
    for places in found.values():
        if [tokens[i].text for i in places] == ["acquire", "release"]:
            yield places[1], ("acquire",)
