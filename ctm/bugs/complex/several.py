"""Complex kinds of several small bugs: two to four logic bugs in one snippet, one wrong name in several places.

Each part is a bug of its own: it compiles and changes the bytecode, and the parts stand apart, so that none of them can
be repaired with another's edit.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from random import Random

from ctm.bugs.checks.changes import leaves_trace
from ctm.bugs.checks.validity import code_of, same_code
from ctm.bugs.registry import Kind, Mutation, Splice, apply, register, registry, shuffled
from ctm.bugs.static_analysis.scopes import Read
from ctm.bugs.static_analysis.source import ParsedCode
from ctm.pairs.categories import SEPARATE

_TRIES = 14  # parts looked at for one candidate
_ROUNDS = 3
_OFTEN = ("comparison_operator", "off_by_one", "negated_condition", "variable_misuse", "wrong_attribute",
          "constant", "boolean_operator", "dropped_return", "swapped_arguments")  # fmt: skip


@lru_cache(maxsize=1)
def _parts() -> list[Kind]:
    """Logic kinds with one short edit; those that people most often make in numbers come three times."""
    whole = ("wrong_order", "wrong_level", "equality_for_assignment")
    kinds = [kind for kind in registry().values() if kind.category == "logic" and kind.name not in whole]
    return [kind for kind in kinds for _ in range(3 if kind.name in _OFTEN else 1)]


def _multiple_bugs(source: ParsedCode, rng: Random, count: int) -> Iterator[Mutation]:
    original = code_of(source.text)
    if original is None:
        return
    kinds = [kind for kind in _parts() if not kind.needs or not kind.needs.isdisjoint(source.words)]
    for _ in range(_ROUNDS):
        chosen: list[Splice] = []
        number = 0
        for _ in range(_TRIES * count // 2):
            kind = rng.choice(kinds)
            part = next(kind.mutator(source, rng), None)
            if part is None or part.fixed or not _apart(source, part.buggy, chosen):
                continue
            if kind.traced and not leaves_trace(source, part):
                continue
            code = code_of(apply(source.text, part.buggy))
            if code is not None and not same_code(original, code):
                chosen += part.buggy
                number += 1
                if number == count:
                    yield Mutation(tuple(chosen))
                    break


def _apart(source: ParsedCode, new: tuple[Splice, ...], chosen: list[Splice]) -> bool:
    """Whether enough tokens stand between the new splices and those that are there."""
    first, last = min(s.start for s in new), max(s.end for s in new)
    for other in chosen:
        low, high = min(last, other.end), max(first, other.start)
        if high <= low or source.tokens_between(low, high) <= SEPARATE:
            return False
    return True


_RIGHT = (
    "def f(xs, n):\n    k = 0\n    for x in xs:\n        if x > n and not x.done:\n            k += 1\n"
    "    if k > n:\n        log(k, n)\n    return k"
)
_TWO = _RIGHT.replace("x > n", "x < n").replace("k += 1", "k += 2")
_THREE = _TWO.replace("k > n", "k < n")
_FOUR = _THREE.replace("return k", "k")


@register(
    "two_logic",
    "complex",
    "two logic bugs",
    _RIGHT,
    _TWO,
)
def two_logic(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    return _multiple_bugs(source, rng, 2)


@register(
    "three_logic",
    "complex",
    "three logic bugs",
    _RIGHT,
    _THREE,
)
def three_logic(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    return _multiple_bugs(source, rng, 3)


@register("four_logic", "complex", "four logic bugs", _RIGHT, _FOUR)
def four_logic(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    return _multiple_bugs(source, rng, 4)


def _places(source: ParsedCode) -> dict[str, list[int]]:
    """Tokens of each name that is assigned or a parameter somewhere, attributes and keyword arguments left out."""
    tokens = source.tokens
    bound: set[str] = set()
    places: dict[str, list[int]] = {}
    for index, token in enumerate(tokens):
        if token.kind != "NAME" or token.text in ("self", "cls") or (index and tokens[index - 1].text == "."):
            continue
        after = tokens[index + 1].text if index + 1 < len(tokens) else ""
        first = tokens[source.lines[token.line].first].text
        if first in ("import", "from", "global", "nonlocal"):
            continue
        if after == "=" and token.depth and first not in ("def", "async"):
            continue  # a keyword argument
        if (
            (after == "=" and not token.depth)
            or (index and tokens[index - 1].text in ("for", "as"))
            or (first == "def" and token.depth == 1 and tokens[index - 1].text in ("(", ",", "*"))
        ):
            bound.add(token.text)
        places.setdefault(token.text, []).append(index)
    return {name: found for name, found in places.items() if name in bound}


def _far_apart(places: list[int]) -> bool:
    return any(b - a > SEPARATE + 1 for a, b in pairwise(places))


@register(
    "misuse_everywhere",
    "complex",
    "the same wrong variable in several places",
    "def f(src, dst):\n    check(src)\n    for item in src:\n        dst.append(item)\n    return dst",
    "def f(src, dst):\n    check(dst)\n    for item in dst:\n        dst.append(item)\n    return dst",
)
def misuse_everywhere(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    uses: dict[tuple[str, int], list[Read]] = {}
    for read in source.variables.reads:
        uses.setdefault((read.name, read.scope), []).append(read)
    for places in shuffled([found for found in uses.values() if len(found) > 1], rng):
        first = rng.randrange(len(places) - 1)
        wrong = places[first : first + rng.choice((2, 2, 3, 4))]
        others = [name for name in wrong[0].others if all(name in read.others for read in wrong)]
        if others and _far_apart([source.token_at(read.start) for read in wrong]):
            new = rng.choice(others)
            yield Mutation(tuple(Splice(read.start, read.end, new) for read in wrong))


@register(
    "half_renamed",
    "complex",
    "a variable renamed in some places and not in the others",
    "def f(path):\n    data = read(path)\n    check(path, data)\n    return parse(data)",
    "def f(file_path):\n    data = read(file_path)\n    check(path, data)\n    return parse(data)",
)
def half_renamed(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    places = _places(source)
    for name in shuffled(list(places), rng):
        uses = places[name]
        if len(uses) < 3:
            continue
        head = rng.choice(("new_", "old_", "my_", "current_", "the_"))
        tail = rng.choice(("_name", "_list", "_value", "s", "2", "_path", "_data"))
        new = rng.choice((head + name, name + tail, name[0] if len(name) > 3 else name + "1"))
        count = rng.choice((2, 2, 3, 4))
        first = rng.choice((0, max(0, len(uses) - count)))
        wrong = uses[first : first + min(count, len(uses) - 1)]
        if new not in source.words and _far_apart(wrong):
            yield Mutation(tuple(Splice(source.tokens[i].start, source.tokens[i].end, new) for i in wrong))
