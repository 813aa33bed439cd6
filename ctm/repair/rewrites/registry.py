"""The registry of rewrites: what the search, the tests and the docs walk through.

A rewrite takes a broken text and yields what it could have been, likeliest first. Whether that compiles, and whether it
beats what the model proposes, is the search's to say: each only brings a score, as a model's edit does.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from ctm.repair.rewrites.broken import Broken

_MODULES = (
    "characters",
    "pasted",
    "python2",
    "foreign",
    "layout",
    "calls",
    "strings",
    "hanging",
    "opening",
    "brackets",
)
STEP = 0.7
"""Nats that each further text of one rewrite costs."""

Maker = Callable[[Broken], Iterator[str]]


@dataclass(frozen=True)
class RewriteRule:
    """One way to rewrite broken code."""

    name: str
    doc: str
    """One line: what is done."""
    score: float
    """Log-probability that it competes with, nats."""
    broken: str
    """Example of a broken text."""
    repaired: str
    """What it becomes, the likeliest or a later one."""
    message: re.Pattern[str] | None
    """Of the compiler's messages for which it is tried; None: all."""
    make: Maker


class Rewritten(NamedTuple):
    """What a rewrite makes of a text."""

    name: str
    text: str
    score: float


_REWRITES: dict[str, RewriteRule] = {}


def rewrite(score: float, broken: str, repaired: str, message: str = "") -> Callable[[Maker], Maker]:
    """Registers a function under its name with the blanks of words; its docstring's first line says what it does."""

    def register(make: Maker) -> Maker:
        name = make.__name__.replace("_", " ")
        assert name not in _REWRITES, f"two rewrites are called {name!r}"
        pattern = re.compile(message) if message else None
        doc = (make.__doc__ or "").split("\n")[0]
        _REWRITES[name] = RewriteRule(name, doc, score, broken, repaired, pattern, make)
        return make

    return register


@cache
def registry() -> dict[str, RewriteRule]:
    """All rewrites by name, in the order in which they are tried."""
    for module in _MODULES:
        importlib.import_module(f"ctm.repair.rewrites.{module}")
    return dict(_REWRITES)


def rewritten(text: str, error: SyntaxError) -> list[Rewritten]:
    """What all rewrites make of a broken text, each text once; `error` is the compiler's."""
    broken = Broken(text, error)
    found: dict[str, Rewritten] = {}
    for item in registry().values():
        if item.message is not None and not item.message.search(broken.message):
            continue
        for rank, new in enumerate(item.make(broken)):
            if new != text:
                score = item.score - STEP * rank
                known = found.get(new)
                if known is None or known.score < score:
                    found[new] = Rewritten(item.name, new, score)
    return list(found.values())
