"""Cells as IPython reads them: lines that are no Python (`%magic`, `!command`, `help?`) and `await` at the top.

Such lines are not judged. For a repair they stand aside for a `pass`, or an assignment of None, with a mark that
keeps the line as it is (ignoring.py), and come back afterwards. What compiles as it is holds no such line: a `%` at the
beginning of a line may go on an expression in brackets.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ctm.python.compiling import NAMELESS, compile_limit_reason, compiles, quiet
from ctm.python.lexical import lenient_matches
from ctm.repair.file_repair import FileRepair
from ctm.repair.source import PythonFile
from ctm.repair.text_edits import LineStarts, TextEdit, applied

_ESCAPE = re.compile(r"[ \t]*(?:[%!?]|,[^\W\d]|;[^\W\d]|/[^\W\d])")
"""At the beginning of a statement; the last three quote or call what follows."""
_AT_MARGIN = re.compile(r"(?:%{1,2}|!{1,2})[^\W\d]")
"""Within brackets too, which may be open by mistake."""
_HELP = re.compile(r"[ \t]*%{0,2}[^\W\d][\w.*]*(?:\[-?\d+\])?\?\??[ \t]*;?[ \t]*\Z")
_ASSIGNED = re.compile(r"([ \t]*[^\W\d][\w., \t\[\]'\"*]*=)[ \t]*[%!][ \t]*[\w./~{$\"'(]")
_AWAIT = re.compile(r"\bawait\b|\basync\b(?![ \t]+def\b)")
_MARK = "# ctm: ignore, not Python, line"


@dataclass(frozen=True, slots=True)
class MaskedCell:
    """A cell whose lines that are no Python stand aside."""

    source: PythonFile
    originals: Mapping[str, str]
    """By what stands in for a line, both without indentation."""

    def line(self, line: str) -> str:
        """A line as it was."""
        code = line.lstrip()
        return line[: len(line) - len(code)] + self.originals.get(code, code)

    def text(self, text: str) -> str:
        return "\n".join(map(self.line, text.split("\n")))

    def edits(self, text: str, edits: Iterable[TextEdit]) -> tuple[TextEdit, ...]:
        """Edits of the cell as it is shown, as edits of it as it was; none changes a line that stands aside."""
        lines = text.split("\n")
        shown, was = LineStarts(lines), [self.line(line) for line in lines]
        starts = LineStarts(was)

        def place(offset: int) -> int:
            line, column = shown.place(offset)
            at_end = column > len(lines[line - 1])
            return starts.offset(line - 1) + (len(was[line - 1]) if at_end else column - 1)

        return tuple(TextEdit(place(edit.start), place(edit.end), self.text(edit.new)) for edit in edits)

    def unmasked(self, fixed: FileRepair, source: PythonFile) -> FileRepair:
        """The answer for `source`, the cell as it was."""
        if not self.originals:
            return fixed
        changes = []
        now = fixed.before.text
        for change in fixed.changes:
            edits = self.edits(now, change.edits)
            now = now if fixed.compiled else applied(now, change.edits)
            shown = replace(change, before=self.text(change.before), after=self.text(change.after))
            changes.append(replace(shown, edits=edits))
        lines = tuple(map(self.line, fixed.after.lines))
        why = fixed.refused.replace("which has # ctm: ignore", "which has # ctm: ignore or is no Python")
        return replace(
            fixed, before=source, after=replace(fixed.after, lines=lines), changes=tuple(changes), refused=why
        )


def mask(source: PythonFile) -> MaskedCell:
    """The cell as Python."""
    if compiles(source.text):
        return MaskedCell(source, {})
    begins, quoted = _statement_lines(source)
    lines = list(source.lines)
    originals: dict[str, str] = {}
    goes_on = False
    for number, line in enumerate(source.lines):
        stand_in = "" if goes_on else None if number in quoted else _stand_in(line, number in begins)
        if goes_on or stand_in is not None:
            code = line.lstrip()
            mark = f"{stand_in}{'  ' * bool(stand_in)}{_MARK} {number + 1}"
            originals[mark] = code
            lines[number] = line[: len(line) - len(code)] + mark
            goes_on = line.endswith("\\")
    return MaskedCell(replace(source, lines=tuple(lines)), originals)


def _stand_in(line: str, begins_statement: bool) -> str | None:
    """The Python for a line that is none, without indentation; None for Python."""
    if _AT_MARGIN.match(line):
        return "pass"
    if not begins_statement:
        return None
    if _ESCAPE.match(line) or _HELP.match(line):
        return "pass"
    assigned = _ASSIGNED.match(line)
    return f"{assigned[1].lstrip()} None" if assigned else None


def _statement_lines(source: PythonFile) -> tuple[set[int], set[int]]:
    """0-based lines that begin outside of strings and brackets, and go on no line before them; lines in strings."""
    found: set[int] = {0}
    quoted: set[int] = set()
    depth = line = 0
    for match in lenient_matches(source.text):
        text = match.group()
        if match.lastgroup == "token":
            depth = max(0, depth + (text in "([{") - (text in ")]}"))
            quoted.update(range(line + 1, line + text.count("\n") + 1))
        line += text.count("\n")
        if match.lastgroup == "newline" and not depth and not source.lines[line - 1].endswith("\\"):
            found.add(line)
    return found, quoted


def compiles_in_cell(text: str) -> bool:
    """Whether a text compiles where `await` may stand at the top level."""
    if not _AWAIT.search(text) or compile_limit_reason(text):
        return False
    try:
        with quiet():
            compile(text, NAMELESS, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
        return False
    return True


def awaits_at_top(text: str) -> bool:
    """Whether a broken cell may wait at its top level, for which no compiler of ours would take its repair."""
    return _AWAIT.search(text) is not None and not re.search(r"\basync[ \t]+def\b", text)
