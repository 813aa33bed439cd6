"""The security taxonomy as rules on syntax trees: is a pair the repair of a weakness that has a CWE?

A rule looks at the places where its weakness can be (every call that parses XML, every file mode) and tells broken
from safe ones. A pair repairs it when fewer places are broken in `fixed` and no place went missing: to delete the call
is not to repair it. Nothing is resolved: `hashlib.md5` is taken for what its name says.
"""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Callable, Iterator

from ctm.bugs.security_calls import call_places
from ctm.bugs.security_places import other_places
from ctm.pairs.categories import too_hard

CWES = {
    "sql": "CWE-89",
    "shell": "CWE-78",
    "path": "CWE-22",
    "html": "CWE-79",
    "deserialization": "CWE-502",
    "cipher": "CWE-327",
    "hash": "CWE-328",
    "random": "CWE-330",
    "certificate": "CWE-295",
    "password": "CWE-798",
    "temporary": "CWE-377",
    "mode": "CWE-732",
    "eval": "CWE-94",
    "xml": "CWE-611",
    "timeout": "CWE-400",
    "exposure": "CWE-605",
    "log": "CWE-117",
    "leak": "CWE-209",
    "regex": "CWE-1333",
}
"""Rules and the weakness that each is about."""

_VISITORS: tuple[Callable[[ast.AST, set[int]], Iterator[tuple[str, bool]]], ...] = (call_places, other_places)


def places(text: str) -> tuple[Counter[str], Counter[str]]:
    """(broken, safe): how many places of each rule; nothing for code that does not parse."""
    broken: Counter[str] = Counter()
    safe: Counter[str] = Counter()
    if too_hard(text):
        return broken, safe
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return broken, safe
    done: set[int] = set()  # nodes that a node above them has spoken for
    guarded = _has_path_guard(tree)
    for node in ast.walk(tree):
        for visit in _VISITORS:
            for rule, wrong in visit(node, done):
                (broken if wrong and not (guarded and rule == "path") else safe)[rule] += 1
    return broken, safe


def repaired_rules(buggy: str, fixed: str) -> list[str]:
    """Rules that are broken in `buggy` and, at a place that is still there, no longer in `fixed`."""
    before, before_safe = places(buggy)
    if not before:
        return []
    after, after_safe = places(fixed)
    return [
        rule
        for rule, count in before.items()
        if after[rule] < count and after[rule] + after_safe[rule] >= count + before_safe[rule]
    ]


def security_rule(buggy: str, fixed: str) -> bool:
    """Whether a rule of the taxonomy is broken in `buggy` and not in `fixed` (a `ctm.pairs` SecurityRule).

    A pair that repairs one rule and breaks another is none.
    """
    return bool(repaired_rules(buggy, fixed)) and not repaired_rules(fixed, buggy)


_GUARDS = frozenset(("is_relative_to", "commonpath", "safe_join"))


def _has_path_guard(tree: ast.AST) -> bool:
    """Whether the code compares a resolved path with the folder that it must lie in."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    resolved = not names.isdisjoint(("realpath", "abspath", "resolve"))
    return not names.isdisjoint(_GUARDS) or (
        resolved and not names.isdisjoint(("startswith", "relative_to", "parents"))
    )
