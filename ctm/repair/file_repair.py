"""Result of repairing a file: its changes and the first compiler error that remains."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ctm.python.compiling import quiet
from ctm.python.lexical import lenient_tokens
from ctm.repair.source import FileError, PythonFile
from ctm.repair.text_edits import Opcode, TextEdit, edits_of_lines, in_words
from ctm.repair.text_loss import text_loss
from ctm.repair.whole_file import whole_file_error

if TYPE_CHECKING:  # else a file that compiles would wait for numpy
    from ctm.repair.passes import Repair
    from ctm.repair.windows import Window

MAX_CHARACTERS = 16_000
"""Of a window: 64 rows of 250; longer ones are not even encoded."""
EDIT_CHARACTERS = 80
"""Of each side of `Change.edit`."""


@dataclass(frozen=True, slots=True)
class Considered:
    """Another change in place of one that was made."""

    edit: str
    """In words, as reports have them."""
    confidence: float
    outcome: str = ""
    """Why it was not made though it was likelier; "" where it was not."""


@dataclass(frozen=True, slots=True)
class LineChange:
    """One repair: a stretch of lines, or the same rewrite in several places of the file."""

    line: int
    """1-based line where it begins, in the file as it was when the change was made."""
    before: str
    after: str
    confidence: float
    certainty: float
    passes: int
    ticks: int
    lines: tuple[int, ...] = ()
    """1-based lines that it changes or takes away; for lines that come, the one they stand before."""
    edit: str = ""
    """What is changed, in tokens: "removed -> added", the same for the same change in another place."""
    rewrites: tuple[str, ...] = ()
    """Names of the rewrites that it consists of, where it does not come from the model alone."""
    lost: tuple[str, ...] = ()
    """Words of the author's that it loses."""
    kept: float = 1.0
    """Share of the words of the changed lines that stay."""
    probability: float | None = None
    """Of a suggestion: that it is right, calibrated; None of a repair, and where the bundle does not say."""
    error: str = ""
    """What the compiler said before it; "" of a suggestion."""
    error_line: int = 0
    """1-based line of that error, in the file as it was then."""
    considered: tuple[Considered, ...] = ()
    """What would have come next in its place, where that was asked for."""
    edits: tuple[TextEdit, ...] = ()
    """The same change in characters of the file's text as it was then."""


@dataclass(frozen=True, slots=True)
class FileRepair:
    """What became of a file."""

    before: PythonFile
    after: PythonFile
    compiled: bool
    """Whether it compiled before."""
    compiles: bool
    error: str = ""
    """The compiler's first error that is left: "line N: message"."""
    changes: tuple[LineChange, ...] = ()
    skipped: dict[str, int] = field(default_factory=dict)
    """Parts that were not looked at, or of which an edit was passed over, by reason."""
    refused: str = ""
    """Which repair was found and refused, and why, in one line."""
    error_at: tuple[int, int] = (0, 0)
    """1-based line and column of the error that is left, in `after`."""

    @property
    def status(self) -> str:
        """ "clean", "repaired" or "unrepaired" (does not compile, not even after the changes)."""
        if not self.compiles:
            return "unrepaired"
        return "repaired" if self.changes else "clean"

    @property
    def repairs(self) -> list[dict[str, Any]]:
        """The changes, equal ones in several places as one: {"edit", "rewrites", "lines", "confidence"}."""
        groups: dict[tuple[str, tuple[str, ...]], list[LineChange]] = {}
        for change in self.changes:
            groups.setdefault((change.edit, change.rewrites), []).append(change)
        return [
            {
                "edit": edit,
                "rewrites": list(rewrites),
                "lines": sorted({line for item in items for line in item.lines}),
                "confidence": min(item.confidence for item in items),
            }
            for (edit, rewrites), items in groups.items()
        ]


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


def splice(source: PythonFile, window: Window, repair: Repair) -> PythonFile | None:
    """The file after a window's repair; None where it changes nothing, or the lines shown in front of the window."""
    if not repair.edited:
        return None
    lines = window.restore(repair.text, source.lines)
    return None if lines is None else source.splice(window.begin, window.end, lines)


def change_between(before: PythonFile, after: PythonFile, repair: Repair, confidence: float) -> LineChange:
    """The change between two states of a file, without the lines at both ends that it leaves alone."""
    old, new = before.lines, after.lines
    first, last = _common_ends(old, new)
    gone: list[str] = []
    come: list[str] = []
    lines: list[int] = []
    steps = _line_steps(old, new)
    for _, a, b, c, d in steps:
        gone += old[a:b]
        come += new[c:d]
        lines += range(a + 1, max(b, a + 1) + 1)
    old_text, new_text = "\n".join(gone), "\n".join(come)
    lost = text_loss(old_text, new_text)
    return LineChange(
        line=first + 1,
        before="\n".join(old[first : len(old) - last]),
        after="\n".join(new[first : len(new) - last]),
        confidence=confidence,
        certainty=repair.certainty,
        passes=len(repair.passes),
        ticks=repair.ticks,
        lines=tuple(lines),
        edit=edit_of(old_text, new_text),
        rewrites=tuple(dict.fromkeys(option.rewrite for option in repair.passes if option.rewrite)),
        lost=lost.words,
        kept=1.0 if not lost.total_words else 1 - len(lost.words) / lost.total_words,
        edits=edits_of_lines(old, new, steps),
    )


def in_words_between(before: Sequence[str], after: Sequence[str]) -> str:
    """The change between the lines of two texts, in words."""
    return in_words("\n".join(before), edits_of_lines(before, after, _line_steps(before, after)))


def _common_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many lines two files have in common at their beginning, and of the rest at their end."""
    from ctm.repair.windows import common

    first = common(old, new)
    return first, common(old[first:][::-1], new[first:][::-1])


def _line_steps(old: Sequence[str], new: Sequence[str]) -> list[Opcode]:
    """Where two files differ: lines [a, b) of the one against [c, d) of the other."""
    first, last = _common_ends(old, new)
    parts = old[first : len(old) - last], new[first : len(new) - last]
    codes = difflib.SequenceMatcher(None, *parts, autojunk=False).get_opcodes()
    return [(tag, a + first, b + first, c + first, d + first) for tag, a, b, c, d in codes if tag != "equal"]


def edit_of(before: str, after: str) -> str:
    """What is removed and added between two texts, in lexical tokens: the same for the same change elsewhere."""
    from rapidfuzz.distance import Levenshtein  # 7 ms, which a file that compiles need not wait

    old, new = lenient_tokens(before), lenient_tokens(after)
    removed, added = [], []
    for step in Levenshtein.opcodes(old, new):
        if step.tag != "equal":
            removed += old[step.src_start : step.src_end]
            added += new[step.dest_start : step.dest_end]
    return f"{_short(removed)} -> {_short(added)}"


def _short(tokens: list[str]) -> str:
    text = " ".join(tokens)
    return text if len(text) <= EDIT_CHARACTERS else f"{text[:EDIT_CHARACTERS]}…"
