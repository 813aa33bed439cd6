"""Result of repairing a file: its changes and the first compiler error that remains."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz.distance import Levenshtein

from ctm.python.compiling import quiet
from ctm.python.lexical import lenient_tokens
from ctm.repair.passes import Repair
from ctm.repair.source import FileError, PythonFile
from ctm.repair.text_loss import text_loss
from ctm.repair.whole_file import whole_file_error
from ctm.repair.windows import Window, common

MAX_CHARACTERS = 16_000
"""Of a window: 64 rows of 250; longer ones are not even encoded."""
EDIT_CHARACTERS = 80
"""Of each side of `Change.edit`."""


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
    first = common(old, new)
    last = common(old[first:][::-1], new[first:][::-1])
    old_part, new_part = old[first : len(old) - last], new[first : len(new) - last]
    gone: list[str] = []
    come: list[str] = []
    lines: list[int] = []
    steps = difflib.SequenceMatcher(None, old_part, new_part, autojunk=False)
    for tag, a, b, c, d in steps.get_opcodes():
        if tag != "equal":
            gone += old_part[a:b]
            come += new_part[c:d]
            lines += [first + number + 1 for number in range(a, max(b, a + 1))]
    old_text, new_text = "\n".join(gone), "\n".join(come)
    lost = text_loss(old_text, new_text)
    return LineChange(
        line=first + 1,
        before="\n".join(old_part),
        after="\n".join(new_part),
        confidence=confidence,
        certainty=repair.certainty,
        passes=len(repair.passes),
        ticks=repair.ticks,
        lines=tuple(lines),
        edit=edit_of(old_text, new_text),
        rewrites=tuple(dict.fromkeys(option.rewrite for option in repair.passes if option.rewrite)),
        lost=lost.words,
        kept=1.0 if not lost.total_words else 1 - len(lost.words) / lost.total_words,
    )


def edit_of(before: str, after: str) -> str:
    """What is removed and added between two texts, in lexical tokens: the same for the same change elsewhere."""
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
