"""Which variables are bound where a function reads one, 300 functions: our scopes against libcst's ScopeProvider.

Ours is ctm.bugs.static_analysis.scopes. The rival's time is that of parsing and of ScopeProvider and PositionProvider
alone, without any question asked: its lower bound. What it would answer is compared apart: a variable counts there that
is visible from the scope of the read and first bound before it in the text (a comprehension's own everywhere in it),
since libcst knows no branches. Ours must be bound on every way to the read. Rounds alternate; medians are reported, in
processor time of one core.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import libcst as cst
from libcst.metadata import Assignment, ComprehensionScope, MetadataWrapper, PositionProvider, ScopeProvider

from ctm.bugs.static_analysis.scope_walk import NO_VARIABLES
from ctm.bugs.static_analysis.scopes import Read, variables_of
from mutate import functions

FUNCTIONS, ROUNDS = 300, 5
Place = tuple[int, int]
"""Line from 1 and column from 0."""


def resolve(text: str) -> tuple[Any, Any]:
    """libcst's scopes and positions of all nodes."""
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    return wrapper.resolve(ScopeProvider), wrapper.resolve(PositionProvider)


def libcst_others(text: str) -> dict[Place, set[str]]:
    """By the place of every name: the other variables of the text that are visible there and bound before it."""
    scopes, positions = resolve(text)
    starts: dict[tuple[Any, str], list[Place]] = {}
    for scope in {scope for scope in scopes.values() if scope is not None}:
        for bound in scope.assignments:
            if isinstance(bound, Assignment) and isinstance(bound.node, (cst.Name, cst.Param)):
                start = positions[bound.node].start
                starts.setdefault((scope, bound.name), []).append((start.line, start.column))
    names = {name for _, name in starts} - NO_VARIABLES
    found: dict[Place, set[str]] = {}
    for node, scope in scopes.items():
        if isinstance(node, cst.Name) and scope is not None:
            place = positions[node].start.line, positions[node].start.column
            found[place] = {
                name
                for name in names - {node.value}
                if any(
                    isinstance(bound.scope, ComprehensionScope)
                    or min(starts.get((bound.scope, name), [place])) < place
                    for bound in scope[name]
                )
            }
    return found


def place_of(text: str, read: Read) -> Place:
    """Where a read stands."""
    return text.count("\n", 0, read.start) + 1, read.start - text.rfind("\n", 0, read.start) - 1


def agreement(texts: list[str]) -> dict[str, int]:
    """Functions and reads on which both name the same variables, and variables that one names and the other does not.

    Variables from around a function, which libcst does not know, are left out.
    """
    counts = dict.fromkeys(
        ("functions", "same functions", "reads", "same reads", "both", "ours only", "libcst's only"), 0
    )
    for text in texts:
        theirs = libcst_others(text)
        known = set().union(*theirs.values()) if theirs else set()
        pairs = [
            (set(r.others) & known, theirs.get(place_of(text, r), set())) for r in variables_of(text).reads
        ]
        same = sum(one == other for one, other in pairs)
        counts["functions"] += 1
        counts["same functions"] += same == len(pairs)
        counts["reads"] += len(pairs)
        counts["same reads"] += same
        for one, other in pairs:
            counts["both"] += len(one & other)
            counts["ours only"] += len(one - other)
            counts["libcst's only"] += len(other - one)
    return counts


def _rate(work: Callable[[str], object], texts: list[str]) -> float:
    started = time.process_time()
    for text in texts:
        work(text)
    return len(texts) / (time.process_time() - started)


def run() -> dict[str, Any]:
    """Functions a second, one thread."""
    texts = functions(FUNCTIONS)
    rates = [(_rate(variables_of, texts), _rate(resolve, texts)) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(side) for side in zip(*rates, strict=True))
    return {
        "name": "scopes", "unit": "functions/s", "ours": ours, "rival": theirs,
        "rival_name": "libcst parse, ScopeProvider and PositionProvider", "ratio": ours / theirs, "n": ROUNDS,
        "threads": 1, "agreement": agreement(texts),
    }  # fmt: skip


if __name__ == "__main__":
    print(run())
