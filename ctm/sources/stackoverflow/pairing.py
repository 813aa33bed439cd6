"""Which block of a question an accepted answer corrects, and whether what changed can be a fix.

Blocks are matched by the share of their characters that they have in common, each at most once, the likest first. The
answer's side compiles; the question's compiles too, or it is the error.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rapidfuzz.distance import Indel

from ctm.bounds import Count, Share
from ctm.pairs.snippets import MAX_LINE_CHARACTERS
from ctm.sources.changes import functions
from ctm.sources.changes.functions import BUGGY_SIDE_BROKEN, ChangeLimits, change_reject_reason

_STATEMENT = re.compile(
    r"^[ \t]*(?:@|(?:async|assert|class|def|for|from|if|import|raise|return|try|while|with)\b)", re.MULTILINE
)
VERSION = f"pairing/1;{functions.VERSION}"


@dataclass(frozen=True)
class PairingLimits(ChangeLimits):
    """Which blocks are taken for a broken and a corrected text."""

    min_lines: Count = 3
    """Shortest block, lines, where both sides compile: shorter ones are alike by chance."""
    min_broken_lines: Count = 1
    """Shortest block, lines, where the earlier side does not compile."""
    min_similarity: Share = 0.6
    """Least share of their characters that both blocks have in common."""
    max_similarity: Share = 0.99
    """Largest share of their lines that both blocks have in common (by characters, one missing colon is over 0.99)."""
    max_blocks: Count = 20
    """Most code blocks of a post that are compared."""

    def __post_init__(self) -> None:
        if not 0 < self.min_similarity < self.max_similarity <= 1:
            raise ValueError(
                f"similarities must be 0 < min_similarity < max_similarity <= 1, "
                f"not {self.min_similarity} and {self.max_similarity}"
            )


@dataclass
class Matches:
    """Pairs as (before, after, number of the earlier block, of the later), and refused later blocks."""

    kept: list[tuple[str, str, int, int]] = field(default_factory=list)
    rejected: list[tuple[str, int]] = field(default_factory=list)
    """(reason, number of the later block); numbers count from 1."""


def match(before: Sequence[str], after: Sequence[str], limits: PairingLimits) -> Matches:
    """Pair the (cleaned) blocks of two posts; each block of `after` is kept or rejected."""
    matches = Matches()
    later: dict[int, str] = {}
    for number, block in enumerate(after, 1):
        if reason := _refuse_block(number, block, before, limits):
            matches.rejected.append((reason, number))
        else:
            later[number] = block
    earlier = {
        number: block
        for number, block in enumerate(before[: limits.max_blocks], 1)
        if block not in after and _fits(block, limits)
    }
    scores = sorted(
        (-Indel.normalized_similarity(old, new, score_cutoff=limits.min_similarity), a, b)
        for b, new in later.items()
        for a, old in earlier.items()
    )
    for score, a, b in scores:
        if score and a in earlier and b in later:
            old, new = earlier.pop(a), later.pop(b)
            if reason := match_reject_reason(old, new, limits):
                matches.rejected.append((reason, b))
            else:
                matches.kept.append((old, new, a, b))
    matches.rejected += [("no similar block before", b) for b in later]
    return matches


def match_reject_reason(before: str, after: str, limits: PairingLimits) -> str:
    """Why a matched pair is not taken for a fix ("" where it is)."""
    old, new = before.split("\n"), after.split("\n")
    if Indel.normalized_similarity(old, new) > limits.max_similarity:
        return "too similar"
    reason = change_reject_reason(
        before, after, replace(limits, min_lines=1)
    )  # sizes first, then the compiler
    broken = reason == BUGGY_SIDE_BROKEN
    if reason and not broken:
        return reason
    if min(len(old), len(new)) < (limits.min_broken_lines if broken else limits.min_lines):
        return "block too short"
    return "" if _does_something(after) else "values without code"


def _refuse_block(number: int, block: str, before: Sequence[str], limits: PairingLimits) -> str:
    if number > limits.max_blocks:
        return "too many blocks"
    if not block:
        return "empty block"
    if block in before:
        return "block unchanged"
    return "" if _fits(block, limits) else "block too long"


def _fits(block: str, limits: PairingLimits) -> bool:
    lines = block.split("\n")
    return bool(block) and len(lines) <= limits.max_lines and max(map(len, lines)) <= MAX_LINE_CHARACTERS


def _does_something(text: str) -> bool:
    """Whether compiling code has a statement that is more than a value: output often compiles, `[1, 2]`."""
    if _STATEMENT.search(text):
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    return any(
        not isinstance(item, ast.Expr)
        or any(isinstance(node, (ast.Call, ast.Await)) for node in ast.walk(item))
        for item in tree.body
    )
