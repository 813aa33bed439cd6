"""Mutable defaults: a list, dictionary or set that all calls of a function share.

Whether that is a bug depends on what the function does with the argument, so both sides are made of a function that
changes it, returns it or keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, shuffled
from ctm.bugs.static_analysis.evidence import MUTATES
from ctm.bugs.static_analysis.source import Header, ParsedCode

_EMPTY = ("[]", "{}", "set()", "list()", "dict()")
_MADE_BY = {"append": "[]", "extend": "[]", "insert": "[]", "sort": "[]", "update": "{}", "setdefault": "{}",
            "add": "set()", "discard": "set()"}  # fmt: skip
_FUNCTION = "def f(x, xs=None):\n    if xs is None:\n        xs = []\n    xs.append(x)\n    return xs"


@register("mutable_default", "logic",
          "a mutable default of a parameter that the function changes, returns or keeps",
          _FUNCTION, _FUNCTION.replace("=None", "=[]"), ("def",), places=0.001)  # fmt: skip
def mutable_default(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A default that is shared between calls: `xs=[]` for `xs=None` and `if xs is None: xs = []`.

    Contract: the fixed side has `None` and that guard, its own or one that is written in, and the function changes,
    returns or stores the argument, so that a second call sees what the first one left. The buggy side has in the
    default what the guard would make, with the guard (one edit) or without it. A guard `x = x or []` is no place:
    with it a shared empty default is never seen.
    """
    functions = [header for header in source.headers if header.word in ("def", "async")]
    for header in shuffled(functions, rng):
        if source.opens_block(header) and (body := source.block(header)):
            yield from _guarded(source, header, body, rng)
            yield from _unguarded(source, header, body)


def _parameters(source: ParsedCode, header: Header) -> list[tuple[int, int]]:
    """First and last token of each parameter."""
    tokens, line = source.tokens, source.lines[header.line]
    opening = next((i for i in range(line.first, header.colon) if tokens[i].text == "("), -1)
    return source.arguments_between(opening, source.partner[opening]) if opening in source.partner else []


def _guarded(source: ParsedCode, header: Header, body: range, rng: Random) -> Iterator[Mutation]:
    """Parameters `x=None` with `if x is None: x = []`, which the function uses so that sharing shows."""
    tokens, lines, text = source.tokens, source.lines, source.text
    for first, last in _parameters(source, header):
        name = tokens[first].text
        if tokens[last].text != "None" or tokens[last - 1].text != "=":
            continue
        for number in body:
            test = [t.text for t in tokens[lines[number].first : lines[number].last + 1]]
            if test[:5] != ["if", name, "is", "None", ":"]:
                continue
            inside = len(test) == 5
            end = number + inside
            start = lines[end].first if inside else lines[number].first + 5
            made = text[tokens[start].start : lines[end].end].removeprefix(f"{name} = ")
            more = end + 1 < len(lines) and lines[end + 1].indent > lines[number].indent
            follows = tokens[lines[end + 1].first].text if end + 1 < len(lines) else ""
            if made not in _EMPTY or more or follows in ("else", "elif"):
                continue
            if _shows(source, name, range(end + 1, body.stop)):
                default = Splice(tokens[last].start, tokens[last].end, made)
                guard = Splice(lines[number].start, lines[end + 1].start, "")
                between = text[lines[end].end : lines[end + 1].start]
                yield Mutation((default,) if rng.random() < 0.5 or between.strip() else (default, guard))


def _unguarded(source: ParsedCode, header: Header, body: range) -> Iterator[Mutation]:
    """A last parameter without a default that the function changes: both sides get one, the fixed side a guard."""
    tokens, lines, text = source.tokens, source.lines, source.text
    parameters = _parameters(source, header)
    if not parameters or parameters[-1][0] != parameters[-1][1]:
        return
    name = tokens[parameters[-1][0]].text
    at = tokens[parameters[-1][1]].end
    start = body.start + (tokens[lines[body.start].first].kind == "STRING")
    if name in ("self", "cls") or start >= body.stop:
        return
    if any(at <= a < lines[start].start for a, _ in source.comments):
        return
    made = _container(source, name, range(start, body.stop))
    if made and _first_use(source, name, start):
        indent = text[lines[start].start : lines[start].start + lines[start].indent]
        guard = f"{indent}if {name} is None:\n{indent}    {name} = {made}\n"
        place = lines[start].start
        yield Mutation((Splice(at, at, f"={made}"),), (Splice(at, at, "=None"), Splice(place, place, guard)))


def _first_use(source: ParsedCode, name: str, start: int) -> bool:
    """Whether no line before `start` but the header names the parameter."""
    first = source.tokens[source.lines[start].first].start
    return sum(token.text == name and token.start < first for token in source.tokens) == 1


def _container(source: ParsedCode, name: str, body: range) -> str:
    """The empty container that a parameter is, by the methods that it is changed with; "" where that is unclear."""
    tokens = source.tokens
    made: set[str] = set()
    for index in range(source.lines[body.start].first, source.lines[body.stop - 1].last - 2):
        if tokens[index].text != name or tokens[index - 1].text == ".":
            continue
        after, method, call = (token.text for token in tokens[index + 1 : index + 4])
        if after in ("=", ".") and not (after == "." and call == "("):
            return ""  # bound anew, or an object with attributes
        if after == "." and method in MUTATES:
            made.add(_MADE_BY.get(method, ""))
        elif after == ".":
            return ""
    return made.pop() if len(made) == 1 else ""


def _shows(source: ParsedCode, name: str, body: range) -> bool:
    """Whether the function changes, returns or stores what the parameter holds, so that the next call sees it."""
    tokens, lines = source.tokens, source.lines
    for number in body:
        line = lines[number]
        words = [token.text for token in tokens[line.first : line.last + 1]]
        for at, word in enumerate(words):
            if word != name or (at and words[at - 1] == "."):
                continue
            alone = at + 1 == len(words)
            if at == 1 and alone and words[0] in ("return", "yield"):
                return True
            if at == 0 and not alone and words[1] in ("=", ","):
                return False  # bound anew
            if words[at + 1 : at + 2] == ["."] and words[at + 2 : at + 3] and words[at + 2] in MUTATES:
                return True
            if at == 0 and (words[1:2] == ["["] or (words[1:2] and words[1][-1] == "=")):
                return any(w.endswith("=") for w in words)
            if at > 2 and alone and words[at - 1] == "=" and ("." in words[:at] or "[" in words[:at]):
                return True
    return False
