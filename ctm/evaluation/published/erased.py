"""Tidyparse's protocol: real syntax errors with names, numbers and texts erased, short code, 1 to 3 edits.

Both sides are read as lexical tokens; names that are no keywords become NAME, numbers NUMBER, texts STRING. Items count
whose broken side has less than 80 tokens and is 1 to 3 edits (Levenshtein over tokens) away from the fixed one. Our
repair is made on the text as it stands; it is right where its erased tokens are those of the fixed side. Tidyparse sees
the erased tokens only, so the task is not quite the same: ours may look at names, theirs has its own lexer and its own
choice of items.
"""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from ctm.python.lexical import lenient_tokens
from ctm.repair.intervals import intervals_of_means
from ctm.repair.passes import Repair, Repairer

TOKENS, EDITS, RANKS = 80, 3, (1, 5, 10)
BATCH = 100
ALL = f"1 to {EDITS}"
TOO_LONG = f"{TOKENS} tokens or more"
OTHER_EDITS = f"not {ALL} edits away"


@dataclass
class ErasedPairs:
    """The pairs that the protocol counts, with their number of edits, and why the others do not count."""

    pairs: list[tuple[int, str, str]] = field(default_factory=list)
    """(edits, broken, fixed)."""
    dropped: Counter[str] = field(default_factory=Counter)


def erased(text: str) -> tuple[str, ...]:
    """The lexical tokens of a text without what its author chose."""
    return tuple(_erased(token) for token in lenient_tokens(text))


def _erased(token: str) -> str:
    if token.isidentifier():
        return token if keyword.iskeyword(token) else "NAME"
    if token[:1].isdigit() or (token[:1] == "." and token[1:2].isdigit()):
        return "NUMBER"
    if len(token) > 1 and token[-1] in "'\"":
        return "STRING"
    return token


def choose(pairs: Sequence[tuple[str, str]]) -> ErasedPairs:
    """Of (broken, fixed) pairs those that the protocol counts."""
    chosen = ErasedPairs()
    for broken, fixed in pairs:
        tokens = erased(broken)
        edits = Levenshtein.distance(tokens, erased(fixed))
        if len(tokens) >= TOKENS:
            chosen.dropped[TOO_LONG] += 1
        elif not 1 <= edits <= EDITS:
            chosen.dropped[OTHER_EDITS] += 1
        else:
            chosen.pairs.append((edits, broken, fixed))
    return chosen


def measure_erased(pairs: Sequence[tuple[str, str]], repairer: Callable[[], Repairer]) -> dict[str, Any]:
    """Shares of (broken, fixed) pairs repaired at each rank, by number of edits and together, with intervals.

    repairer: makes a new one for each batch, since it keeps every state that it has met. Returns
    {"items", "dropped": {reason: n}, "by_edits": {"1": {"n", "at_1", "at_5", "at_10", "intervals"}, ...}}.
    """
    chosen = choose(pairs)
    ranks: dict[str, list[int | None]] = {}
    for begin in range(0, len(chosen.pairs), BATCH):
        batch = chosen.pairs[begin : begin + BATCH]
        repairs = repairer().repair([broken for _, broken, _ in batch], top_k=max(RANKS))
        for (edits, _, fixed), repair in zip(batch, repairs, strict=True):
            rank = rank_of(repair, erased(fixed))
            for name in (str(edits), ALL):
                ranks.setdefault(name, []).append(rank)
    return {
        "items": len(pairs),
        "dropped": dict(chosen.dropped),
        "by_edits": {name: _shares(found) for name, found in sorted(ranks.items())},
    }


def rank_of(repair: Repair, wanted: tuple[str, ...]) -> int | None:
    """Place of the first answer with these erased tokens, from 1."""
    answers = (repair, *repair.alternatives)
    return next((number for number, answer in enumerate(answers, 1) if erased(answer.text) == wanted), None)


def _shares(found: Sequence[int | None]) -> dict[str, Any]:
    table = np.array(
        [[place is not None and place <= most for most in RANKS] for place in found], dtype=float
    )
    names = [f"at_{most}" for most in RANKS]
    return {
        "n": len(found),
        **dict(zip(names, table.mean(axis=0).tolist(), strict=True)),
        "intervals": dict(zip(names, intervals_of_means(table, [""] * len(found)), strict=True)),
    }
