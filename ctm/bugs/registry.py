"""The registry of bug kinds: what the docs, the mix, the config's checks and the tests all walk through.

A mutator takes a parsed snippet and a random generator and yields candidates, in random order, each a set of splices
of the snippet's text. Whether a candidate is a bug at all is decided later, by compiling it (ctm.bugs.checks.validity).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, TypeVar

from ctm.bugs.static_analysis.source import ParsedCode

MULTI_ERROR_SYNTAX = "several_syntax"
"""Kind of a mutant with two or three syntax errors."""
CLEAN = "clean"
"""Kind of a sample with nothing wrong."""

_MODULES = (
    "syntax.blocks",
    "syntax.brackets",
    "syntax.quotes",
    "syntax.operators",
    "syntax.words",
    "syntax.imports",
    "syntax.foreign",
    "syntax.layout",
    "syntax.python2",
    "syntax.pasted",
    "syntax.cells",
    "syntax.literals",
    "syntax.parts",
    "syntax.noise",
    "logic.operators",
    "logic.numbers",
    "logic.names",
    "logic.attributes",
    "logic.arguments",
    "logic.statements",
    "logic.defaults",
    "security.injection",
    "security.secrets",
    "security.settings",
    "security.strings",
    "complex.several",
    "complex.dropped",
    "complex.moved",
)
_MOST_OFTEN = 25.0
_T = TypeVar("_T")


class Splice(NamedTuple):
    """Characters [start, end) of the text become `text`."""

    start: int
    end: int
    text: str


class Mutation(NamedTuple):
    """A possible bug: the splices that make the buggy side and, rarely, splices that make another fixed side."""

    buggy: tuple[Splice, ...]
    fixed: tuple[Splice, ...] = ()


Mutator = Callable[[ParsedCode, Random], Iterator[Mutation]]


@dataclass(frozen=True)
class Kind:
    """One kind of bug."""

    name: str
    """Name in pairs, reports and config/bug_mix.yaml."""
    category: str
    """"syntax", "logic", "security" or "complex"."""
    doc: str
    """One line: what went wrong."""
    correct: str
    """Example of correct code."""
    buggy: str
    """The same code with this bug."""
    needs: frozenset[str]
    """Token texts of which the snippet must have at least one; empty for any snippet."""
    mutator: Mutator
    places: float = 1.0
    """Share of snippets with a place for it, measured; 1 stands for half of them or more."""
    cwe: str = ""
    """Of a security kind: the weakness, like "CWE-89"."""
    bandit: str = ""
    """Of a security kind: the Bandit test that finds it, like "B608"; "" where there is none."""
    own: Callable[[ParsedCode], bool] | None = None
    """Of a security kind: whether the snippet has a place; None where only trying tells."""
    traced: bool = False
    """Whether a name that the bug takes away has to stand elsewhere in a snippet of the training split.

    Without a trace of it the repair is a guess, and whoever learns to guess adds `self` where none belongs.
    """

    @property
    def heldout_weight(self) -> float:
        """How often held-out draws try it, so that all kinds come out about as often."""
        return min(_MOST_OFTEN, 1 / self.places)

    @property
    def example(self) -> tuple[str, str]:
        """Correct and buggy code."""
        return self.correct, self.buggy


_KINDS: dict[str, Kind] = {}


def register(
    name: str,
    category: str,
    doc: str,
    correct: str,
    buggy: str,
    needs: Sequence[str] = (),
    places: float = 1.0,
    cwe: str = "",
    bandit: str = "",
    own: Callable[[ParsedCode], bool] | None = None,
    traced: bool = False,
) -> Callable[[Mutator], Mutator]:
    """Decorator that adds a mutator to the registry; raises ValueError for a name that is taken.

    `places` is the share of snippets with a place for the kind; rare ones are tried more often in the held-out sets.
    """

    def add(mutator: Mutator) -> Mutator:
        if name in _KINDS or name in (MULTI_ERROR_SYNTAX, CLEAN):
            raise ValueError(f"bug kind {name!r} is registered twice")
        needed = frozenset(needs)
        _KINDS[name] = Kind(
            name,
            category,
            doc,
            correct,
            buggy,
            needed,
            mutator,
            places,
            cwe,
            bandit,
            own,
            traced,
        )
        return mutator

    return add


def registry() -> dict[str, Kind]:
    """Every kind by name, in the order of the modules."""
    for module in _MODULES:
        importlib.import_module(f"ctm.bugs.{module}")
    return _KINDS


def kind_names(category: str) -> list[str]:
    """Names of all kinds of a category, in order; "syntax" has several_syntax too, "clean" its only one."""
    names = [kind.name for kind in registry().values() if kind.category == category]
    extra = {"syntax": [MULTI_ERROR_SYNTAX], "clean": [CLEAN]}
    return names + extra.get(category, [])


def shuffled(items: Sequence[_T], rng: Random) -> Iterator[_T]:
    """The items in random order, drawn lazily: one draw costs the same however many there are."""
    pool = list(items)
    while pool:
        index = int(rng.random() * len(pool))
        pool[index], pool[-1] = pool[-1], pool[index]
        yield pool.pop()


def replace(start: int, end: int, text: str) -> Mutation:
    """A candidate of one splice."""
    return Mutation((Splice(start, end, text),))


def apply(text: str, splices: Sequence[Splice]) -> str:
    """The text with the splices made, whose spans must not overlap."""
    if len(splices) == 1:
        [(start, end, new)] = splices
        return text[:start] + new + text[end:]
    parts: list[str] = []
    at = 0
    for start, end, new in sorted(splices):
        parts += (text[at:start], new)
        at = end
    parts.append(text[at:])
    return "".join(parts)
