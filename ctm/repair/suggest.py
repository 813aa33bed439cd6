"""Edits of a file that compiles, function by function: suggestions, since nothing says that anything is wrong.

There is one edit a function, the strongest ones only, ranked. No edit is made that reads a name which nothing in the
file binds, which no window can tell. Functions are looked at in chunks and the file is analyzed twice, before and after
all edits, so that time and memory grow with the file and no faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ctm.python.compiling import compiles
from ctm.repair.file_repair import (
    MAX_CHARACTERS,
    Considered,
    FileRepair,
    LineChange,
    change_between,
    first_error,
    in_words_between,
)
from ctm.repair.ignoring import IGNORED, ignored_lines, keeps_lines
from ctm.repair.names import ALWAYS, Names, names_of
from ctm.repair.odds import StrengthCurve
from ctm.repair.passes import NO_EDIT, NO_FIT, EditGuard, Repair, Repairer, strength
from ctm.repair.source import FileError, PythonFile
from ctm.repair.text_edits import LineStarts, shifted
from ctm.repair.windows import MAX_LINES, Window, functions_of

UNBOUND = "edits that read a name which nothing in the file binds"
"""Why edits of a part were passed over; another one may have been made."""
OVERLAP = "edits inside a part that a stronger one changes"
TOGETHER = "edits with which the whole file would not compile"
PASSED_OVER = (UNBOUND, OVERLAP, TOGETHER, IGNORED)
NOT_ALONE = "does not compile by itself"
LIMIT = 5_000
"""Parts of one file that are looked at: at 10 ms each that is most of a minute."""
BEYOND = f"beyond the first {LIMIT:,} parts of the file"
CHUNK = 256
"""Parts whose states and answers are in memory at the same time: enough for full batches."""
ROUNDS = 3
"""How often the edits that spoil a file together are taken out one by one, before all that have to do with it are."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One edit of a window."""

    window: Window
    text: str
    """What the model saw."""
    repair: Repair
    lines: list[str]
    """What the window's lines become."""
    strength: float


def suggest(
    source: PythonFile, repairer: Repairer, odds: StrengthCurve | None = None, considered: int = 0
) -> FileRepair:
    """What might be wrong in a file that compiles: changes ranked by strength, each of one edit.

    repairer: its threshold decides how strong an edit has to be. odds: gives the changes their probability.
    considered: how many others each change names that the model had in its place, no edit among them.
    """
    skipped: Counter[str] = Counter()
    names = _FileNames(names_of(source.text))
    ignored = _IgnoredLines(ignored_lines(source.text))
    found: list[Suggestion] = []
    for chunk in _chunks(_askable(source, skipped), CHUNK):
        # a repairer of its own for each chunk: it keeps every state and answer that it meets
        one_edit = Repairer(repairer.proposer, repairer.tokenizer, repairer.threshold, max_passes=1)
        texts = [text for _, text in chunk]
        guards = [ignored.and_then(window, text, names.after(window, text)) for window, text in chunk]
        repairs = one_edit.repair(texts, guards, top_k=1 + considered)
        for (window, text), repair in zip(chunk, repairs, strict=True):
            skipped[NO_FIT] += repair.stopped == NO_FIT and not repair.edited
            lines = window.restore(repair.text, source.lines) if repair.edited else None
            if lines is not None:
                cells = len(repairer.tokenizer.encode(text))
                strong = strength(repair.passes[0].candidate.probability, cells)
                found.append(Suggestion(window, text, repair, lines, strong))
    ranked = sorted(found, key=lambda item: -item.strength)
    apart = _without_overlaps(ranked)
    skipped[OVERLAP] = len(ranked) - len(apart)
    together, after = _that_compile(source, apart)
    skipped[TOGETHER] = len(apart) - len(together)
    kept, after = names.that_bind_all(source, together, after)
    names.refused |= {item.window for item in together} - {item.window for item in kept}
    skipped[UNBOUND] = len(names.refused)
    skipped[IGNORED] = len(ignored.refused)
    changes = tuple(_change(item, source, odds) for item in kept)
    return FileRepair(source, after, True, True, "", changes, dict(+skipped))


def unaskable(window: Window, text: str) -> str:
    """Why the model is not asked about a window of that text, "" where it is."""
    if len(text) > MAX_CHARACTERS or window.end - window.begin > MAX_LINES:
        return NO_FIT
    return "" if compiles(text) else NOT_ALONE


def _askable(source: PythonFile, skipped: Counter[str]) -> Iterator[tuple[Window, str]]:
    for number, window in enumerate(functions_of(source.text)):
        text = window.text(source.lines)
        if reason := BEYOND if number >= LIMIT else unaskable(window, text):
            skipped[reason] += 1
        else:
            yield window, text


def _change(item: Suggestion, source: PythonFile, odds: StrengthCurve | None) -> LineChange:
    """The whole function before and after, and which of its lines change."""
    begin, end = item.window.begin, item.window.end
    old = replace(source, lines=source.lines[begin:end], ends=source.ends[begin:end])
    change = change_between(old, old.with_lines(item.lines), item.repair, item.repair.confidence)
    return replace(
        change,
        line=begin + 1,
        lines=tuple(begin + line for line in change.lines),
        before=item.text,
        after=item.repair.text,
        probability=None if odds is None else odds.probability(item.strength),
        considered=tuple(_considered(item.text, other) for other in item.repair.alternatives),
        edits=shifted(change.edits, LineStarts(source.lines).offset(begin)),
    )


def _considered(text: str, other: Repair) -> Considered:
    words = in_words_between(text.split("\n"), other.text.split("\n")) if other.edited else NO_EDIT
    return Considered(words, other.confidence)


# --- edits of one file together -------------------------------------------------------------------------------------


def _without_overlaps(ranked: Sequence[Suggestion]) -> list[Suggestion]:
    """Of edits that overlap (a function inside a module-level statement) the strongest."""
    taken: set[int] = set()
    kept = []
    for item in ranked:
        lines = range(item.window.begin, item.window.end)
        if taken.isdisjoint(lines):
            taken.update(lines)
            kept.append(item)
    return kept


def _that_compile(source: PythonFile, ranked: list[Suggestion]) -> tuple[list[Suggestion], PythonFile]:
    """Those after which the file compiles, and the file."""
    for _ in range(ROUNDS):
        after, starts = _applied(source, ranked)
        line = _error_line(after)
        if line is None:
            return ranked, after
        before = [item for item in ranked if starts[item.window] < line]
        worst = max(before, key=lambda item: starts[item.window], default=None)
        ranked = [item for item in ranked if item is not worst]
    after, _ = _applied(source, ranked)
    return (ranked, after) if _error_line(after) is None else ([], source)


def _error_line(source: PythonFile) -> int | None:
    """1-based line of the first error."""
    try:
        error = first_error(source.text)
    except FileError:
        return 1
    return None if error is None else error.lineno or 1


def _applied(source: PythonFile, items: Iterable[Suggestion]) -> tuple[PythonFile, dict[Window, int]]:
    """The file after edits that do not overlap, and the line (from 0) at which each then begins; in one go."""
    lines: list[str] = []
    ends: list[str] = []
    starts: dict[Window, int] = {}
    at, new_end = 0, source.new_end
    for item in sorted(items, key=lambda item: item.window.begin):
        begin, end = item.window.begin, item.window.end
        lines += source.lines[at:begin]
        ends += source.ends[at:begin]
        starts[item.window] = len(lines)
        part = replace(source, lines=source.lines[begin:end], ends=source.ends[begin:end])
        part = part.with_lines(item.lines)
        lines += part.lines
        ends += [*part.ends[:-1], source.ends[end - 1] or new_end]
        at = end
    lines += source.lines[at:]
    ends += source.ends[at:]
    ends[-1] = ""
    return replace(source, lines=tuple(lines), ends=tuple(ends)), starts


class _IgnoredLines:
    """Refuses edits of lines that their author wants left alone."""

    def __init__(self, lines: Sequence[int]) -> None:
        """lines: 0-based, in the file."""
        self.lines = lines
        self.refused: set[Window] = set()
        """Windows of which an edit was refused."""

    def and_then(self, window: Window, text: str, guard: EditGuard) -> EditGuard:
        """A guard that asks the other one only where no ignored line of the window is changed."""
        ignored = [line - window.begin for line in self.lines if window.begin <= line < window.end]
        if not ignored:
            return guard
        before = text.split("\n")
        shift = len(window.header)

        def allows(edited: str) -> bool:
            if keeps_lines(before, [line + shift for line in ignored], edited.split("\n")):
                return guard(edited)
            self.refused.add(window)
            return False

        return allows


class _FileNames:
    """Refuses edits after which a file reads a name that nothing binds, unless it did so before."""

    def __init__(self, names: Names | None) -> None:
        self.names = names
        """None where they cannot be known: every edit passes."""
        self.unbound = names.unbound if names else frozenset()
        self.refused: set[Window] = set()
        """Windows of which an edit was refused."""

    def after(self, window: Window, text: str) -> EditGuard:
        """What a window's text may become: the names that it begins to read must be bound somewhere."""
        read: frozenset[str] | None = None

        def guard(edited: str) -> bool:
            nonlocal read
            if self.names is None:
                return True
            read = _read(text) if read is None else read
            if all(self._is_bound(name, window) for name in _read(edited) - read):
                return True
            self.refused.add(window)
            return False

        return guard

    def _is_bound(self, name: str, window: Window) -> bool:
        assert self.names is not None
        if name in self.names.bound or name in ALWAYS or name in self.unbound or name == "__class__":
            return True
        lines = range(window.begin + 1, window.end + 1)
        around = next((self.names.around[line] for line in lines if line in self.names.around), frozenset())
        return name in around

    def that_bind_all(
        self, source: PythonFile, ranked: list[Suggestion], after: PythonFile
    ) -> tuple[list[Suggestion], PythonFile]:
        """Those of the edits (which make `after`) with which the file reads no unbound name, and the file.

        Two edits that would do alone may not do together: one takes a name away that the other reads.
        """
        if self.names is None:
            return ranked, after
        touched: dict[Window, frozenset[str]] = {}
        for number in range(ROUNDS + 2):
            names = names_of(after.text)
            lost = names.unbound - self.unbound if names else frozenset()
            if not lost:
                return ranked, after
            touched = touched or {item.window: _touched(item) for item in ranked}
            involved = [lost & touched[item.window] for item in ranked]
            if number < ROUNDS:  # the weakest of those that have to do with a name
                last = {name: place for place, found in enumerate(involved) for name in found}
                out = set(last.values())
            else:
                out = {place for place, found in enumerate(involved) if found}
            if not out:
                break
            ranked = [item for place, item in enumerate(ranked) if place not in out]
            after, _ = _applied(source, ranked)
        return [], source


def _read(text: str) -> frozenset[str]:
    names = names_of(text)
    return names.read if names else frozenset()


def _touched(item: Suggestion) -> frozenset[str]:
    """Names that an edit begins to read or no longer binds."""
    before, after = names_of(item.text), names_of(item.repair.text)
    if before is None or after is None:
        return frozenset()
    return (after.read - before.read) | (before.bound - after.bound)


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
