"""Wrong numbers, bounds and constants, where the snippet shows which one is right.

A number in the middle of nowhere has no right value to a reader (`limit = 512`), so each kind here names the contexts
in which it has one, and makes a bug in no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.evidence import binds, loop_around, reads
from ctm.bugs.static_analysis.lexemes import CLOSING
from ctm.bugs.static_analysis.source import ParsedCode

_EQUALITY = ("==", "!=")
_ORDER = ("<", "<=", ">", ">=")


def _text(source: ParsedCode, first: int, last: int) -> str:
    """The text of tokens first..last; "" where there are none."""
    return (
        source.text[source.tokens[first].start : source.tokens[last].end]
        if 0 <= first <= last < len(source.tokens)
        else ""
    )


def _word(source: ParsedCode, index: int) -> str:
    return source.tokens[index].text if 0 <= index < len(source.tokens) else ""


@register(
    "off_by_one",
    "logic",
    "a number that is one too large or too small",
    "n = 0\nfor x in xs:\n    n += 1",
    "n = 0\nfor x in xs:\n    n += 2",
    places=0.02,
)
def off_by_one(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A whole number one away from the only one that fits.

    Contract: the number is the step of `+= 1` or `-= 1`, which becomes 0 only in a `while` whose condition reads the
    counter, which nothing else in the block changes; the start of a name that is 0 and counted up by one; the
    `1` of `len(x) - 1`; the -1 that `find` is compared with; the only split of a line that binds two names; or one
    of the indices 0, 1, ... of a name that the snippet reads all in a run, which then has a gap or repeats one.
    """
    for index in shuffled(_numbers(source), rng):
        token = source.tokens[index]
        value = int(token.text)
        if _is_step(source, index):
            steps = ("0", "2") if _stops(source, index) else ("2",)
            yield replace(token.start, token.end, rng.choice(steps) if value else "1")
        elif _is_index_of_run(source, index):
            yield replace(
                token.start, token.end, str(value + 1 if value == 0 or rng.random() < 0.5 else value - 1)
            )


@lru_cache(maxsize=1)  # kinds of several bugs ask again and again
def _numbers(source: ParsedCode) -> list[int]:
    """Tokens that are whole numbers, without those that begin with a zero."""
    return [
        index
        for index, token in enumerate(source.tokens)
        if token.kind == "NUMBER" and token.text.isdigit() and (token.text[0] != "0" or len(token.text) == 1)
    ]


def _is_step(source: ParsedCode, index: int) -> bool:
    """Whether a number is 0 or 1 by the operators and calls around it."""
    token, before, after = source.tokens[index], _word(source, index - 1), _word(source, index + 1)
    line = source.lines[token.line]
    if token.text == "0":
        return (
            before == "=" and line.last == index and index - line.first == 2 and _counted(source, index - 2)
        )
    if token.text != "1":
        return False
    if before in ("+=", "-="):
        return line.last == index
    if before == "-" and _word(source, index - 2) == ")":
        opening = source.partner.get(index - 2, 0)
        if _word(source, opening - 1) == "len":
            return after in CLOSING or after == ","
    if before == "-" and _word(source, index - 2) in _EQUALITY and _word(source, index - 3) == ")":
        return _word(source, source.partner.get(index - 3, 0) - 1) in ("find", "rfind")
    if before == "," and after == ")" and line.last == index + 1:
        opening = source.partner.get(index + 1, 0)
        pair = _word(source, line.first + 1) == "," and _word(source, line.first + 3) == "="
        return pair and _word(source, opening - 1) in ("split", "rsplit")
    return False


def _stops(source: ParsedCode, index: int) -> bool:
    """Whether a number is no step, or the step without which its loop would never end."""
    number = source.tokens[index].line
    if _word(source, index - 1) not in ("+=", "-="):
        return True
    loop, names = loop_around(source, number), binds(source, number)
    if loop is None or loop.word != "while" or not names & reads(source, loop.line):
        return False
    return all(n == number or names.isdisjoint(binds(source, n)) for n in source.block(loop))


def _counted(source: ParsedCode, index: int) -> bool:
    """Whether the name at `index` is counted up by one elsewhere."""
    name, tokens = source.tokens[index].text, source.tokens
    return any(
        token.text == "+=" and tokens[i - 1].text == name and _word(source, i + 1) == "1"
        for i, token in enumerate(tokens)
    )


def _is_index_of_run(source: ParsedCode, index: int) -> bool:
    """Whether a number is one of the indices 0, 1, ..., two or more, that the snippet asks a name for once each."""
    tokens = source.tokens
    if _word(source, index - 1) != "[" or _word(source, index + 1) != "]" or index < 2:
        return False
    name = tokens[index - 2].text
    if tokens[index - 2].kind != "NAME" or _word(source, index - 3) == ".":
        return False
    used = [
        tokens[i].text
        for i in _numbers(source)
        if tokens[i - 2].text == name and tokens[i - 1].text == "[" and _word(source, i + 1) == "]" and i > 1
    ]
    return len(used) > 2 and sorted(used) == [str(n) for n in range(len(used))]


@register("bound", "logic", "a range, slice or length that is one off", "for i in range(len(xs)):\n    go(xs[i])",
          "for i in range(len(xs) + 1):\n    go(xs[i])", ("range", "len", "["), places=0.04)  # fmt: skip
def bound(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """One more or one less in a bound.

    Contract: `range(len(x))` whose block reads `x[i]` reaches too far or not to the end; `range(len(x) - 1)` whose
    block reads `x[i + 1]` reaches too far; a length compared with a literal or another length gets a `+ 1` or `- 1`
    that nobody would write; one of the slices `x[:n]` and `x[n:]`, both there, overlaps the other or leaves a gap.
    """
    places = [*_ranges(source), *_lengths(source), *_halves(source)]
    for splice, texts in shuffled(places, rng):
        yield Mutation((splice._replace(text=rng.choice(texts)),))


_Place = tuple[Splice, tuple[str, ...]]
_ONE = (" + 1", " - 1")


def _ranges(source: ParsedCode) -> Iterator[_Place]:
    tokens = source.tokens
    for call in source.calls:
        if tokens[call.open - 1].text != "len" or _word(source, call.open - 2) != "(":
            continue
        outer = source.partner.get(call.open - 2, 0)
        if _word(source, call.open - 3) != "range" or _word(source, call.open - 4) != "in":
            continue
        name, item = _word(source, call.open - 5), _text(source, call.open + 1, call.close - 1)
        if not item or _word(source, call.open - 6) != "for":
            continue
        body = source.text[tokens[outer].end :]
        if outer == call.close + 1 and f"{item}[{name}]" in body:
            end = tokens[call.close].end
            yield Splice(end, end, ""), _ONE
        less = outer == call.close + 3 and [_word(source, outer - 2), _word(source, outer - 1)] == ["-", "1"]
        if less and (f"{item}[{name} + 1]" in body or f"{item}[{name}+1]" in body):
            yield Splice(tokens[call.close].end, tokens[outer - 1].end, ""), ("",)


def _lengths(source: ParsedCode) -> Iterator[_Place]:
    tokens = source.tokens
    for call in source.calls:
        if tokens[call.open - 1].text != "len" or _word(source, call.open - 2) in (*"+-*/%.", "//"):
            continue
        sign, after = _word(source, call.close + 1), call.close + 2
        if sign not in _EQUALITY and sign not in _ORDER:
            continue
        literal = after < len(tokens) and tokens[after].kind == "NUMBER"
        other = sign in _EQUALITY and _word(source, after) == "len"
        if (literal or other) and tokens[call.open].line == tokens[after].line:
            end = tokens[call.close].end
            yield Splice(end, end, ""), _ONE


def _halves(source: ParsedCode) -> Iterator[_Place]:
    """Slices `x[:n]` and `x[n:]` of the same name at the same name or number."""
    tokens = source.tokens
    heads: dict[tuple[str, str], int] = {}
    tails: dict[tuple[str, str], int] = {}
    for index in range(2, len(tokens) - 2):
        words = [token.text for token in tokens[index - 1 : index + 3]]
        plain = tokens[index - 2].kind == "NAME" and _word(source, index - 3) != "."
        if not plain or words[0] != "[" or words[3] != "]":
            continue
        if words[1] == ":" and tokens[index + 1].kind == "NAME":
            heads[tokens[index - 2].text, words[2]] = index + 1
        elif words[2] == ":" and tokens[index].kind == "NAME":
            tails[tokens[index - 2].text, words[1]] = index
    for key in heads.keys() & tails.keys():
        for index in (heads[key], tails[key]):
            yield Splice(tokens[index].end, tokens[index].end, ""), _ONE


@register(
    "constant",
    "logic",
    "True for False, None for a value, or the reverse",
    "found = False\nfor x in xs:\n    if x:\n        found = True",
    "found = True\nfor x in xs:\n    if x:\n        found = True",
    ("True", "False", "None"),
    places=0.06,
)
def constant(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A constant that takes the sense out of others.

    Contract: `True` or `False` is assigned to a name, or returned, and only one place of the same function or
    snippet says the opposite, so that all of them become alike; or `None` is the default of a parameter, or a name's
    first value, that the snippet compares with None.
    """
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.text in ("True", "False", "None")], rng):
        token = tokens[index]
        if token.text == "None":
            if _word(source, index - 1) == "=" and _asked_for_none(source, index):
                yield replace(token.start, token.end, rng.choice(("True", "False", "0", "''")))
        elif _only_one(source, index):
            yield replace(token.start, token.end, "False" if token.text == "True" else "True")


def _only_one(source: ParsedCode, index: int) -> bool:
    """Whether no other place of the same name or `return` has this constant, and one or more have the opposite."""
    tokens = source.tokens
    if _word(source, index - 1) not in ("=", "return") or source.lines[tokens[index].line].last != index:
        return False
    start = source.lines[tokens[index].line].first
    if tokens[index - 1].text == "return" and start != index - 1:
        return False
    head = _text(source, start, index - 1)
    same = opposite = 0
    for line in source.lines:
        if line.last - line.first == index - start and _text(source, line.first, line.last - 1) == head:
            last = tokens[line.last].text
            same += last == tokens[index].text
            opposite += last in ("True", "False") and last != tokens[index].text
    if head == "return" and sum(t.text == "def" for t in tokens) != 1:
        return False
    values = head != "return" or sum(t.text == "return" for t in tokens) == same + opposite
    return same == 1 and opposite > 0 and values


def _asked_for_none(source: ParsedCode, index: int) -> bool:
    """Whether the name that gets `None` is compared with it behind that."""
    tokens, at = source.tokens, index - 2
    if tokens[index].depth:
        if tokens[source.lines[tokens[index].line].first].text not in ("def", "async"):
            return False
        while tokens[at - 1].text not in (",", "(") or tokens[at - 1].depth > tokens[index].depth:
            at -= 1
    elif at != source.lines[tokens[index].line].first:
        return False
    name = tokens[at].text
    return any(
        tokens[i].text == name and _word(source, i + 1) == "is" and _word(source, i - 1) != "."
        and "None" in (_word(source, i + 2), _word(source, i + 3))
        for i in range(index + 1, len(tokens))
    )  # fmt: skip
