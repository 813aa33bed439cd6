"""What became of a file: its changes, and the compiler's first error that is left."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from ctm.pairs.categories import quiet
from ctm.repair.passes import Repair
from ctm.repair.source import FileError, Source
from ctm.repair.whole_file import whole_file_error
from ctm.repair.windows import Window

MAX_CHARACTERS = 16_000
"""Of a window: 64 rows of 250; longer ones are not even encoded."""


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


def first_error(text: str) -> SyntaxError | None:
    """The compiler's first error, with its line; None for code that compiles.

    Raises FileError for code that the compiler cannot take (nesting, memory).
    """
    error = whole_file_error(text)
    if error is not None and error.lineno is None:
        raise FileError(f"cannot be checked: {error.msg or error}")
    return error


def parse_error(text: str) -> SyntaxError | None:
    try:
        with quiet():
            ast.parse(text)
    except SyntaxError as error:
        return error
    except (ValueError, MemoryError, RecursionError) as error:
        return SyntaxError(f"{type(error).__name__}: {error}")
    return None


def splice(source: Source, window: Window, repair: Repair) -> Source | None:
    if not repair.edited:
        return None
    lines = window.restore(repair.text, source.lines)
    return None if lines is None else source.splice(window.begin, window.end, lines)


def change_of(window: Window, text: str, repair: Repair) -> Change:
    return Change(
        line=window.begin + 1,
        before=text,
        after=repair.text,
        confidence=repair.confidence,
        certainty=repair.certainty,
        passes=len(repair.passes),
        ticks=repair.ticks,
    )
