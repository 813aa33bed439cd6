"""Where a mutation changes a snippet: changed lines, number of places, distance between mutations."""

from __future__ import annotations

from ctm.bugs.registry import Mutation
from ctm.bugs.static_analysis.source import ParsedCode
from ctm.pairs.categories import LONG_EDIT

_CLOSE = LONG_EDIT - 4  # tokens, less what line ends and indentation may add


def changed_lines(source: ParsedCode, candidate: Mutation, buggy: str, fixed: str) -> tuple[str, str]:
    """The logical lines of both sides from the first change to the last."""
    both = set(candidate.buggy).intersection(candidate.fixed)
    splices = sorted(splice for splice in candidate.buggy + candidate.fixed if splice not in both)
    first, last = splices[0].start, max(splice.end for splice in splices)
    whole = all(splice.text.endswith("\n") for splice in splices if splice.end == last)
    start, end = source.lines_around(first, last, whole)
    before, behind = start, len(source.text) - end
    for splice in both:
        grown = len(splice.text) - (splice.end - splice.start)
        if splice.end <= start:
            before += grown
        elif splice.start >= end:
            behind += grown
    return buggy[before : len(buggy) - behind], fixed[before : len(fixed) - behind]


def one_place(source: ParsedCode, candidate: Mutation) -> bool:
    """Whether the change is surely one short edit: one splice of code, or texts that change places close together."""
    splices = sorted(candidate.buggy)
    first, last = splices[0].start, splices[-1].end
    if sum(first <= token.start < last for token in source.tokens) > _CLOSE:
        return False
    old = [source.text[splice.start : splice.end] for splice in splices]
    new = [splice.text for splice in splices]
    if len(splices) == 1:
        return bool((old[0] + new[0]).strip())  # indentation opens a block here and closes it elsewhere
    return sorted(old) == sorted(new)


def apart(a: Mutation, b: Mutation) -> bool:
    """Whether two candidates change places that do not touch."""
    return all(x.end < y.start or y.end < x.start for x in (*a.buggy, *a.fixed) for y in (*b.buggy, *b.fixed))


def leaves_trace(source: ParsedCode, candidate: Mutation) -> bool:
    """Whether every name that the candidate takes away still stands elsewhere in the text."""
    taken: set[str] = set()
    left: set[str] = set()
    for token in source.tokens:
        if token.kind == "NAME":
            gone = any(splice.start <= token.start < splice.end for splice in candidate.buggy)
            (taken if gone else left).add(token.text)
    return taken <= left
