"""How hard a pair is, as far as its texts tell."""

from __future__ import annotations

from itertools import accumulate

from rapidfuzz.distance import Indel

from ctm.python.lexical import DEDENT, INDENT, lenient_tokens, taken_apart


def edit_length(buggy: str, fixed: str) -> int:
    """Lexical tokens that are deleted and inserted between two texts, strings taken apart."""
    return int(Indel.distance(*(taken_apart(lenient_tokens(text)) for text in (buggy, fixed))))


def nesting(text: str) -> int:
    """Depth of the deepest block, 0 for none; of any text."""
    steps = ({INDENT: 1, DEDENT: -1}.get(token, 0) for token in lenient_tokens(text))
    return max(accumulate(steps), default=0)
