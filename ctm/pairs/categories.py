"""Which category a pair belongs to."""

from __future__ import annotations

from collections.abc import Callable

from rapidfuzz.distance import Levenshtein

from ctm.python.compiling import compiles
from ctm.python.lexical import DEDENT, INDENT, exact_match, lenient_tokens

LONG_EDIT = 16
"""Lexical tokens beyond which one edit counts as complex."""
SEPARATE = 4
"""Unchanged lexical tokens between two changes that make them separate edits."""

SecurityRule = Callable[[str, str], bool]
"""(buggy, fixed) -> whether a rule of the security taxonomy is broken in `buggy` and not in `fixed`."""


def categorize(buggy: str, fixed: str, security_rule: SecurityRule | None = None) -> str:
    """Category of a pair, the first that matches: clean, syntax, security, complex, logic.

    Complex: two or more separate edits, or one of more than 16 lexical tokens. Two places that swap their
    content within 16 tokens (arguments, statements) are one edit, and so are the two ends of a block that is wrapped
    or unwrapped: a line before it, its indentation, and what may follow (`except`).
    """
    if exact_match(buggy, fixed):
        return "clean"
    if not compiles(buggy):
        return "syntax"
    if security_rule is not None and security_rule(buggy, fixed):
        return "security"
    return "complex" if is_complex(buggy, fixed) else "logic"


def is_complex(buggy: str, fixed: str) -> bool:
    """Whether two texts differ in two or more separate edits, or in one of more than 16 lexical tokens."""
    return _is_complex(lenient_tokens(buggy), lenient_tokens(fixed))


def _is_complex(buggy: list[str], fixed: list[str]) -> bool:
    first, last = 0, 0
    shorter = min(len(buggy), len(fixed))
    while first < shorter and buggy[first] == fixed[first]:
        first += 1
    while last < shorter - first and buggy[-1 - last] == fixed[-1 - last]:
        last += 1
    old, new = buggy[first : len(buggy) - last], fixed[first : len(fixed) - last]
    if max(len(old), len(new)) <= LONG_EDIT and sorted(old) == sorted(new):
        return False
    edits = _edits(old, new)
    return len(edits) > 1 or any(max(taken, added) > LONG_EDIT for taken, added in edits)


def _edits(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """The separate edits between two lists of tokens, as (tokens taken away, tokens added) each."""
    spans: list[tuple[int, int, int, int]] = []
    for step in Levenshtein.opcodes(old, new):
        if step.tag == "equal":
            continue
        a, b, c, d = step.src_start, step.src_end, step.dest_start, step.dest_end
        if spans and a - spans[-1][1] < SEPARATE:
            spans[-1] = (spans[-1][0], b, spans[-1][2], d)
        else:
            spans.append((a, b, c, d))
    edits: list[tuple[int, int]] = []
    opened = 0  # blocks that the edit before opens on one side only: it ends where they are closed
    for a, b, c, d in spans:
        depth = _depth(new[c:d]) - _depth(old[a:b])
        if opened * depth < 0 and abs(depth) <= abs(opened):
            edits[-1] = (edits[-1][0] + b - a, edits[-1][1] + d - c)
            opened += depth
        else:
            edits.append((b - a, d - c))
            opened = depth
    return edits


def _depth(tokens: list[str]) -> int:
    """Blocks that tokens open and leave open; negative for those that they close."""
    return tokens.count(INDENT) - tokens.count(DEDENT)
