"""What the changes between two releases show by themselves, since no message says what they are for.

What is done to one function repairs it; what is done to many in the same way (`property` made `cached_property`,
`float(...)` taken away) follows a new rule of its project. And some say in a comment that they make the code faster.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ctm.pairs.lexical import lenient_tokens
from ctm.sources.changes import Change

_FASTER = re.compile(
    r"(?i)#.*\b(?:performance|fast(?:er|est)?|costly|expensive|slow(?:er)?|speed\w*|optimi[sz]\w*)\b"
)
_WORD = re.compile(r"[^\W\d]\w*")

Exchange = tuple[frozenset[str], frozenset[str]]


def exchange(change: Change) -> Exchange:
    """The words (names and keywords) that a change takes away, and those that it adds."""
    old, new = (
        Counter(filter(_WORD.fullmatch, lenient_tokens(text))) for text in (change.before, change.after)
    )
    return frozenset(old - new), frozenset(new - old)


def swept(changes: Sequence[Change], most: int) -> list[bool]:
    """For each change whether its exchange of words is made in more than `most` of them."""
    exchanges = [exchange(change) for change in changes]
    counts = Counter(exchanges)
    return [any(words) and counts[words] > most for words in exchanges]


def makes_faster(change: Change) -> bool:
    """Whether a line that a change adds says in a comment that it is about speed."""
    before = set(change.before.split("\n"))
    return any(_FASTER.search(line) for line in change.after.split("\n") if line not in before)
