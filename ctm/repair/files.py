"""Repairing a file: function by function where it compiles, around the parser's first error where it does not.

Notable: the compiler judges the whole file, not the window: an edit around an error is taken only if the file then
compiles or its first error moves on, so a repair never trades one error for another further up; and of a file that
compiles no edit is made that reads a name which nothing in it binds, which no window can tell.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ctm.pairs.categories import MAX_BYTES as COMPILER_BYTES
from ctm.pairs.categories import compile_error, compiles
from ctm.repair.names import unbound_names
from ctm.repair.passes import NO_FIT, Allows, Repair, Repairer
from ctm.repair.source import FileError, Source
from ctm.repair.windows import Window, functions_of, windows_around

MAX_ROUNDS = 40
"""Errors of one file that are worked on, one after the other."""
BRANCHES = 5
"""Answers per window where the first ones do not help the file."""
MAX_CHARACTERS = 16_000
"""Of a window: 64 rows of 250; longer ones are not even encoded."""
UNBOUND = "edits that read a name which nothing in the file binds"
"""Why edits of a part were passed over; another one may have been made."""


@dataclass(frozen=True, slots=True)
class Change:
    """One repaired window."""

    line: int
    """1-based line where it begins, in the file as it was when the change was made."""
    before: str
    after: str
    confidence: float
    certainty: float
    passes: int
    ticks: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """What became of a file."""

    before: Source
    after: Source
    compiled: bool
    """Whether it compiled before."""
    compiles: bool
    error: str = ""
    """The compiler's first error that is left: "line N: message"."""
    changes: tuple[Change, ...] = ()
    skipped: dict[str, int] = field(default_factory=dict)
    """Parts that were not looked at, or of which an edit was passed over, by reason."""

    @property
    def status(self) -> str:
        """ "clean", "repaired" or "unrepaired" (does not compile and nothing was found)."""
        if self.changes:
            return "repaired"
        return "clean" if self.compiles else "unrepaired"


def fix_source(source: Source, repairer: Repairer) -> Fixed:
    """Repair one file. Raises FileError for code that the compiler cannot take at all."""
    error = first_error(source.text)
    if error is None:
        return _fix_functions(source, repairer)
    after, changes = source, []
    for _ in range(MAX_ROUNDS):
        step = _fix_error(after, error, repairer)
        if step is None:
            break
        after, change = step
        changes.append(change)
        error = first_error(after.text)
        if error is None:
            break
    left = "" if error is None else f"line {error.lineno}: {error.msg}"
    return Fixed(source, after, False, error is None, left, tuple(changes))


def first_error(text: str) -> SyntaxError | None:
    """The compiler's first error, with its line; None for code that compiles.

    Files beyond what `ctm.pairs.categories` gives the compiler are parsed only. Raises FileError for code that
    neither takes (nesting).
    """
    error = compile_error(text) if len(text.encode()) <= COMPILER_BYTES else _parse_error(text)
    if error is not None and error.lineno is None:
        raise FileError(f"cannot be checked: {error.msg or error}")
    return error


def _parse_error(text: str) -> SyntaxError | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return error
    except (ValueError, MemoryError, RecursionError) as error:
        return SyntaxError(f"{type(error).__name__}: {error}")
    return None


# --- a file that compiles -------------------------------------------------------------------------------------------


def _fix_functions(source: Source, repairer: Repairer) -> Fixed:
    skipped: Counter[str] = Counter()
    windows: list[Window] = []
    texts: list[str] = []
    for window in functions_of(source.text):
        text = window.text(source.lines)
        if len(text) > MAX_CHARACTERS or window.end - window.begin > 64:
            skipped[NO_FIT] += 1
        elif not compiles(text):
            skipped["does not compile by itself"] += 1
        else:
            windows.append(window)
            texts.append(text)
    after, changes = source, []
    bound = _Bound(source)
    repairs = repairer.repair(texts, [bound.after(window) for window in windows])
    answers = list(zip(windows, texts, repairs, strict=True))
    for window, text, repair in reversed(answers):  # from the end, so that earlier lines keep their numbers
        skipped[NO_FIT] += repair.stopped == NO_FIT and not repair.edited
        spliced = _splice(after, window, repair)
        if spliced is None or _parse_error(spliced.text) is not None:
            continue
        if not bound.allows(spliced.text):  # two edits, each of which would do alone
            bound.refused.add(window)
            continue
        after = spliced
        changes.append(_change(window, text, repair))
    skipped[UNBOUND] = len(bound.refused)
    return Fixed(source, after, True, True, "", tuple(reversed(changes)), dict(+skipped))


class _Bound:
    """Refuses edits after which a file reads a name that nothing binds, unless it did so before."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.refused: set[Window] = set()
        """Windows of which an edit was refused."""

    @cached_property
    def before(self) -> frozenset[str] | None:
        return unbound_names(self.source.text)

    def allows(self, text: str) -> bool:
        """Whether the file may become `text`."""
        names = unbound_names(text) if self.before is not None else None
        return names is None or self.before is None or names <= self.before

    def after(self, window: Window) -> Allows:
        """What a window's text may become."""

        def allows(text: str) -> bool:
            lines = window.restore(text, self.source.lines)
            if lines is None or self.allows(self.source.splice(window.begin, window.end, lines).text):
                return True
            self.refused.add(window)
            return False

        return allows


# --- a file that does not ---------------------------------------------------------------------------------------------


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
        branched = repairer.branch(texts, repairs, BRANCHES)
        others = [(window, item.alternatives) for (window, _), item in zip(windows, branched, strict=True)]
        best = _best(source, error, others)
    return best


def _best(
    source: Source, error: SyntaxError, answers: Sequence[tuple[Window, Sequence[Repair]]]
) -> tuple[Source, Change] | None:
    best: tuple[Source, Change] | None = None
    least = len(source.lines) + 1
    for window, repair in _by_rank(answers):
        spliced = _splice(source, window, repair)
        if spliced is None:
            continue
        try:
            left = _lines_left(source, error, spliced)
        except FileError:  # the edit made it worse than the compiler can say
            continue
        if left is not None and left < least:
            best, least = (spliced, _change(window, window.text(source.lines), repair)), left
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


def _splice(source: Source, window: Window, repair: Repair) -> Source | None:
    if not repair.edited:
        return None
    lines = window.restore(repair.text, source.lines)
    return None if lines is None else source.splice(window.begin, window.end, lines)


def _change(window: Window, text: str, repair: Repair) -> Change:
    return Change(
        line=window.begin + 1,
        before=text,
        after=repair.text,
        confidence=repair.confidence,
        certainty=repair.certainty,
        passes=len(repair.passes),
        ticks=repair.ticks,
    )


# --- the diff -------------------------------------------------------------------------------------------------------


def unified_diff(fixed: Fixed, name: str) -> str:
    """The change as `patch` reads it, "" without one; line ends are those of the file."""
    old, new = (
        [line + end for line, end in zip(item.lines, item.ends, strict=True) if line or end]
        for item in (fixed.before, fixed.after)
    )
    out: list[str] = []
    for line in difflib.unified_diff(old, new, name, name):
        out.append(line)
        if not line.endswith(("\n", "\r")):
            out.append("\n\\ No newline at end of file\n")
    return "".join(out)
