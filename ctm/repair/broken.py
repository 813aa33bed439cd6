"""Repairing a file that does not compile, around the parser's first error.

Notable: the compiler judges the whole file, not the window: an edit around an error is taken only if the file then
compiles or its first error moves on, so a repair never trades one error for another further up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctm.pairs.categories import compiles
from ctm.repair.fixed import MAX_CHARACTERS, Change, Fixed, change_of, first_error, splice
from ctm.repair.passes import Repair, Repairer
from ctm.repair.source import FileError, Source
from ctm.repair.windows import Window, windows_around

MAX_ROUNDS = 40
"""Errors of one file that are worked on, one after the other."""
BRANCHES = 5
"""Answers per window where the first ones do not help the file."""


def repair_broken(source: Source, error: SyntaxError | None, repairer: Repairer) -> Fixed:
    """Repair a file whose first error is `error`."""
    after, changes = source, []
    for _ in range(MAX_ROUNDS):
        if error is None:
            break
        step = _fix_error(after, error, repairer)
        if step is None:
            break
        after, change = step
        changes.append(change)
        error = first_error(after.text)
    left = "" if error is None else f"line {error.lineno}: {error.msg}"
    return Fixed(source, after, False, error is None, left, tuple(changes))


def _fix_error(source: Source, error: SyntaxError, repairer: Repairer) -> tuple[Source, Change] | None:
    """The file after the repair that moves its first error furthest, None where none moves it."""
    windows = [
        (window, text)
        for window in windows_around(source.lines, (error.lineno or 1) - 1)
        if len(text := window.text(source.lines)) <= MAX_CHARACTERS and not compiles(text)
    ]
    texts = [text for _, text in windows]
    repairs = repairer.repair(texts)
    best = _best(
        source, error, [(window, [item]) for (window, _), item in zip(windows, repairs, strict=True)]
    )
    if best is None:
        branched = repairer.repair(texts, answers=BRANCHES)
        others = [(window, item.alternatives) for (window, _), item in zip(windows, branched, strict=True)]
        best = _best(source, error, others)
    return best


def _best(
    source: Source, error: SyntaxError, answers: Sequence[tuple[Window, Sequence[Repair]]]
) -> tuple[Source, Change] | None:
    best: tuple[Source, Change] | None = None
    least = len(source.lines) + 1
    for window, repair in _by_rank(answers):
        spliced = splice(source, window, repair)
        if spliced is None:
            continue
        try:
            left = _lines_left(source, error, spliced)
        except FileError:  # the edit made it worse than the compiler can say
            continue
        if left is not None and left < least:
            best, least = (spliced, change_of(window, window.text(source.lines), repair)), left
            if left == 0:
                break
    return best


def _by_rank(answers: Sequence[tuple[Window, Sequence[Repair]]]) -> Iterator[tuple[Window, Repair]]:
    """First answers of all windows, then second ones, and so on."""
    for rank in range(max((len(items) for _, items in answers), default=0)):
        for window, items in answers:
            if rank < len(items):
                yield window, items[rank]


def _lines_left(before: Source, error: SyntaxError, after: Source) -> int | None:
    """Lines from the first error to the end after an edit, 0 without error; None where the error has not moved on."""
    rest = first_error(after.text)
    if rest is None:
        return 0
    had, left = len(before.lines) - (error.lineno or 1), len(after.lines) - (rest.lineno or 1)
    deleted = max(0, len(before.lines) - len(after.lines))  # deleting what is behind the error is no progress
    return left + 1 if left < had - deleted else None
