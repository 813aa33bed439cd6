"""Filters changes between releases that are no bug fixes: repeated edits, half of a larger change, speed, old Python.

What is done to one function repairs it; what is done to many in the same way (`property` made `cached_property`,
`float(...)` taken away) follows a new rule of its project. A function that begins to use a name that the release
defines elsewhere, or no longer uses one that it takes away there, is half of a change. And some say in a comment that
they make the code faster, or leave an old Python behind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ctm.python.lexical import lenient_tokens
from ctm.sources.changes.functions import FunctionChange

_FASTER = re.compile(
    r"(?i)#.*\b(?:performance|fast(?:er|est)?|costly|expensive|slow(?:er)?|speed\w*|optimi[sz]\w*)\b"
)
_WORD = re.compile(r"[^\W\d]\w*")

_OLD_PYTHON = {
    "PY2", "PY3", "PY34", "PY35", "IS_PY2", "IS_PY3", "is_py2", "is_py3", "six", "unicode", "basestring", "xrange",
    "unichr", "iteritems", "itervalues", "iterkeys", "python_2_unicode_compatible", "text_type", "string_types",
    "version_info",
}  # fmt: skip
"""Names that code has for the sake of an old Python."""

Exchange = tuple[frozenset[str], frozenset[str]]


def exchange(change: FunctionChange) -> Exchange:
    """The words (names and keywords) that a change takes away, and those that it adds."""
    old, new = (
        Counter(filter(_WORD.fullmatch, lenient_tokens(text))) for text in (change.before, change.after)
    )
    return frozenset(old - new), frozenset(new - old)


def is_repeated_change(changes: Sequence[FunctionChange], max_repeats: int) -> list[bool]:
    """For each change whether its exchange of words is made in more than `max_repeats` of them."""
    exchanges = [exchange(change) for change in changes]
    counts = Counter(exchanges)
    return [any(words) and counts[words] > max_repeats for words in exchanges]


def makes_faster(change: FunctionChange) -> bool:
    """Whether a line that a change adds says in a comment that it is about speed."""
    before = set(change.before.split("\n"))
    return any(_FASTER.search(line) for line in change.after.split("\n") if line not in before)


def leaves_old_python(change: FunctionChange) -> bool:
    """Whether a change takes names away that stand there for the sake of an old Python only."""
    gone, come = exchange(change)
    return bool(gone & _OLD_PYTHON) and not come & _OLD_PYTHON


def is_half_change(change: FunctionChange, old: str, new: str) -> bool:
    """Whether a change uses what the release defines elsewhere, or leaves what it no longer defines there.

    old, new: the files of both releases that differ, one behind the other.
    """
    gone, come = exchange(change)
    return any(
        not _says(other, word) and _definitions(word, side) > _definitions(word, own)
        for words, side, other, own in ((come, new, old, change.after), (gone, old, new, change.before))
        for word in words
    )


def _says(text: str, word: str) -> bool:
    return word in text and re.search(rf"\b{word}\b", text) is not None


def _definitions(word: str, text: str) -> int:
    """How often a name is made a function, class, attribute, variable of a module or class, or parameter."""
    named = (
        rf"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+{word}\b"
        rf"|^(?:[ \t]*(?:self|cls)\.|[ \t]{{0,4}}){word}[ \t]*(?::[^=\n]*)?=(?!=)"
        rf"|\bdef[ \t]+\w+\([^)]*\b{word}\b"
    )
    return len(re.findall(named, text, re.MULTILINE))
