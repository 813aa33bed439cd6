"""The one record that every format is made from: where, what the compiler said, what would repair it, how sure.

Places are in the file as it is on disk, lines and columns from 1, columns in characters, the end behind the last one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ctm.repair.diff import header_name
from ctm.repair.file_repair import Considered, FileRepair, LineChange
from ctm.repair.reports.base import FileReport
from ctm.repair.text_edits import LineStarts, TextEdit, applied, in_first_text, in_words, place_in_first

REPAIR, SUGGESTION, UNREPAIRED = "syntax-error", "suspicious-code", "syntax-error-without-repair"
"""Rules, by which other tools sort and silence findings."""
RULES = {
    REPAIR: "Code that does not compile, with a repair that makes it compile",
    SUGGESTION: "Code that compiles and that the model would change",
    UNREPAIRED: "Code that does not compile, and that no repair was found for",
}


@dataclass(frozen=True, slots=True)
class Replacement:
    """A stretch of the file, and what stands there after the repair."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    """With the file's own line ends."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to report of a file."""

    path: str
    """FileReport.place."""
    rule: str
    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    """What the compiler says; of a suggestion, that nothing does."""
    message_line: int
    """Line that the compiler names."""
    edit: str
    """What would be changed, in words; why nothing would be."""
    confidence: float | None
    """Probability; None where nothing would be changed."""
    replacements: tuple[Replacement, ...]
    """All of the change, in order; empty where it goes on from the text of one before it, which then has both."""
    fingerprint: str
    """The same for the same finding in another run, also if lines came before it; unique in its file."""
    rewrites: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    considered: tuple[Considered, ...] = ()

    @property
    def summary(self) -> str:
        """Message, edit and confidence in one line."""
        sure = "" if self.confidence is None else f" [{self.confidence:.2f}]"
        return f"{self.message} -> {self.edit}{sure}"


def findings_of(report: FileReport) -> tuple[Finding, ...]:
    """What there is to report of a file that could be handled, in the order in which it was found."""
    fixed = report.fixed
    if fixed is None:
        return ()
    found = list(_changes(report, fixed))
    if not fixed.compiles:
        found.append(_unrepaired(report, fixed))
    return tuple(found)


def findings_in_files(report: FileReport) -> tuple[Finding, ...]:
    """The same for programs that know files alone: of a cell its notebook, whose beginning stands for every place.

    A line of a cell is none of the notebook's JSON, so the message says it, and nothing is offered as a replacement.
    """
    found = findings_of(report)
    if not report.notebook:
        return found
    cell = report.name.removeprefix(f"{report.notebook}:")
    return tuple(
        replace(
            item,
            path=header_name(report.notebook),
            line=1,
            column=1,
            end_line=1,
            end_column=1,
            message=f"{cell}, line {item.line}: {item.message}",
            message_line=1,
            replacements=(),
            fingerprint=hashlib.sha256(f"{cell} {item.fingerprint}".encode()).hexdigest()[
                : len(item.fingerprint)
            ],
        )
        for item in found
    )


def _changes(report: FileReport, fixed: FileRepair) -> Iterator[Finding]:
    text, starts = fixed.before.text, LineStarts(fixed.before.lines)
    steps = [change.edits for change in fixed.changes]
    # suggestions are all made of the text as it is; repairs one after the other
    in_first = steps if fixed.compiled else in_first_text(text, steps)
    known: Counter[str] = Counter()
    now = text
    for number, (change, edits) in enumerate(zip(fixed.changes, in_first, strict=True)):
        before = () if fixed.compiled else steps[:number]
        place = _place(change, edits, before)
        line, column = starts.place(place[0])
        end_line, end_column = starts.place(place[1])
        words = in_words(now, change.edits) if change.edits else change.edit
        yield Finding(
            path=report.place,
            rule=SUGGESTION if fixed.compiled else REPAIR,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
            message=change.error or "suggestion",
            message_line=_line_in_first(change, now, before, starts) or line,
            edit=words,
            confidence=change.confidence if change.probability is None else change.probability,
            replacements=tuple(_replacement(edit, starts, fixed.before.new_end) for edit in edits),
            fingerprint=_fingerprint(fixed.before.lines[line - 1 : end_line], words, known),
            rewrites=change.rewrites,
            lost=change.lost,
            considered=change.considered,
        )
        now = text if fixed.compiled else applied(now, change.edits)


def _unrepaired(report: FileReport, fixed: FileRepair) -> Finding:
    steps = [change.edits for change in fixed.changes]
    line, column = fixed.error_at
    after = LineStarts(fixed.after.lines)
    line = min(max(line, 1), len(fixed.after.lines))
    offset = after.offset(line - 1) + min(column - 1, len(fixed.after.lines[line - 1]))
    line, column = LineStarts(fixed.before.lines).place(place_in_first(offset, steps))
    because = f"; {fixed.refused}" if fixed.refused else ""
    return Finding(
        path=report.place,
        rule=UNREPAIRED,
        line=line,
        column=column,
        end_line=line,
        end_column=column,
        message=fixed.error.partition(": ")[2] or fixed.error,
        message_line=line,
        edit=f"no repair found{because}",
        confidence=None,
        replacements=(),
        fingerprint=_fingerprint(fixed.before.lines[line - 1 : line], UNREPAIRED, Counter()),
    )


def _place(
    change: LineChange, edits: Sequence[TextEdit], before: Sequence[Sequence[TextEdit]]
) -> tuple[int, int]:
    """Begin and end of the change's first place, in the text as it is on disk."""
    if edits:
        return edits[0].start, edits[0].end
    at = place_in_first(change.edits[0].start, before) if change.edits else 0
    return at, at


def _line_in_first(
    change: LineChange, now: str, before: Sequence[Sequence[TextEdit]], starts: LineStarts
) -> int:
    """The compiler's line, in the text as it is on disk, not as it is `now`; 0 where the compiler said nothing."""
    if not change.error_line:
        return 0
    lines = now.split("\n")
    then = LineStarts(lines).offset(min(change.error_line, len(lines)) - 1)
    return starts.place(place_in_first(then, before))[0]


def _replacement(edit: TextEdit, starts: LineStarts, new_end: str) -> Replacement:
    line, column = starts.place(edit.start)
    end_line, end_column = starts.place(edit.end)
    return Replacement(line, column, end_line, end_column, edit.new.replace("\n", new_end))


def _fingerprint(lines: Sequence[str], words: str, known: Counter[str]) -> str:
    """Of the lines and the edit, not of their place, nor of the compiler's words, which differ by version."""
    content = "\0".join([*(" ".join(line.split()) for line in lines), words])
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    known[digest] += 1
    return f"{digest}:{known[digest]}"
