"""A repair without a model: the edits that undo most bugs of the training pairs, most frequent first.

What it learns is a list of exchanges of up to three lexical tokens, counted over the training pairs, apart for code
that does not compile and for code that does. It tries them in that order at the places nearest to the parser's error
(in code that compiles, from the top), and takes what compiles. It knows nothing of the code around a place. In code
that compiles it changes whatever the list has an edit for, since it cannot tell a bug from none: its false alarms say
so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ctm.python.compiling import compile_error, compiles, quiet
from ctm.python.lexical import lenient_spans
from ctm.repair.rewrites.broken import Broken

LONGEST = 3
"""Lexical tokens of either side of an exchange."""
PLACES = 3
"""Places of one exchange that are tried, of insertions too: behind a token, or before the first of a line."""
ANSWERS = 10
_WORD = re.compile(r"\w")

TokenEdit = tuple[tuple[str, ...], tuple[str, ...]]
"""(tokens that go, tokens that come)."""


@dataclass(frozen=True)
class InverseMutations:
    """Exchanges with their counts, most frequent first."""

    broken: tuple[tuple[TokenEdit, int], ...]
    """Of pairs whose buggy side does not compile."""
    compiling: tuple[tuple[TokenEdit, int], ...]
    """Of the others."""
    pairs: int
    """Pairs that were looked at."""
    longer: int
    """Of these, how many are no such exchange: longer, in several places, or of layout alone."""

    def answers(self, text: str, most: int = ANSWERS) -> list[str]:
        """Up to `most` texts that compile, best first."""
        error = compile_error(text)
        if error is not None and error.lineno is None:
            return []
        places = _Places(text, error)
        found: dict[str, None] = {}
        with quiet():
            for edit, _ in self.compiling if error is None else self.broken:
                for new in places.made(edit):
                    if new not in found and compiles(new):
                        found[new] = None
                        if len(found) == most:
                            return list(found)
        return list(found)

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        rows = {
            name: [{"old": list(old), "new": list(new), "count": n} for (old, new), n in edits]
            for name, edits in (("broken", self.broken), ("compiling", self.compiling))
        }
        return {"pairs": self.pairs, "longer": self.longer, **rows}

    @staticmethod
    def from_dict(content: dict[str, Any]) -> InverseMutations:
        """From `as_dict`."""
        broken, compiling = (
            tuple(((tuple(row["old"]), tuple(row["new"])), row["count"]) for row in content[name])
            for name in ("broken", "compiling")
        )
        return InverseMutations(broken, compiling, content["pairs"], content["longer"])


def learn(pairs: Iterable[tuple[str, str, bool]], most: int) -> InverseMutations:
    """The `most` most frequent exchanges of (buggy, fixed, buggy compiles) pairs; equally frequent ones by name."""
    counts: dict[bool, Counter[TokenEdit]] = {True: Counter(), False: Counter()}
    seen = longer = 0
    for buggy, fixed, does_compile in pairs:
        seen += 1
        edit = exchange(buggy, fixed)
        if edit is None:
            longer += 1
        else:
            counts[does_compile][edit] += 1
    broken, compiling = (
        tuple(sorted(counts[sort].items(), key=lambda one: (-one[1], one[0]))[:most])
        for sort in (False, True)
    )
    return InverseMutations(broken, compiling, seen, longer)


def exchange(buggy: str, fixed: str) -> TokenEdit | None:
    """The tokens of `buggy` that one place of it loses, and those of `fixed` that it gains; None for anything else."""
    old, new = (tuple(text[a:b] for a, b in lenient_spans(text)) for text in (buggy, fixed))
    first = last = 0
    shorter = min(len(old), len(new))
    while first < shorter and old[first] == new[first]:
        first += 1
    while last < shorter - first and old[-1 - last] == new[-1 - last]:
        last += 1
    gone, come = old[first : len(old) - last], new[first : len(new) - last]
    return (gone, come) if (gone or come) and max(len(gone), len(come)) <= LONGEST else None


class _Places:
    """Where exchanges can be made in a text, the nearest to its error first."""

    def __init__(self, text: str, error: SyntaxError | None) -> None:
        broken = Broken(text, error or SyntaxError("none"))
        self.text = text
        self.at = broken.place if error is not None else 0
        self.tokens = [token for token in broken.tokens if not token.is_newline]
        self.by_text: dict[str, list[int]] = {}
        for number, token in enumerate(self.tokens):
            self.by_text.setdefault(token.text, []).append(number)
        # of equal keys the last one counts: the first token of a line
        starts = {broken.line_of(token.start): token.start for token in reversed(self.tokens)}
        gaps = [*starts.values(), *(token.end for token in self.tokens)]
        self.gaps = self._nearest([(at, at) for at in gaps])

    def made(self, edit: TokenEdit) -> Iterator[str]:
        """Texts with an exchange made at one place each."""
        old, new = edit
        for begin, end in self.gaps if not old else self._nearest(self._holding(old)):
            yield _spliced(self.text, begin, end, " ".join(new))

    def _holding(self, old: tuple[str, ...]) -> list[tuple[int, int]]:
        parts = (self.tokens[number : number + len(old)] for number in self.by_text.get(old[0], ()))
        return [(part[0].start, part[-1].end) for part in parts if tuple(token.text for token in part) == old]

    def _nearest(self, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
        places.sort(key=lambda place: (max(place[0] - self.at, self.at - place[1], 0), place))
        return places[:PLACES]


def _spliced(text: str, begin: int, end: int, new: str) -> str:
    """`text` with `new` in place of [begin, end), and spaces where words would run together."""
    before, after = text[:begin], text[end:]
    if new:
        before += " " if _WORD.match(before[-1:]) and _WORD.match(new) else ""
        after = (" " if _WORD.match(new[-1]) and _WORD.match(after) else "") + after
    elif _WORD.match(before[-1:]) and _WORD.match(after):
        before += " "
    elif before[-1:] == " " == after[:1]:
        after = after[1:]
    return before + new + after
