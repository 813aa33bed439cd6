"""Edits of a text by characters, and what those of several steps are in the text before the first.

A repair goes from state to state of a file, and each change counts in the state that it found. Reports point into the
file as it is on disk: `in_first_text` brings all changes there, so that applying them all makes the repaired text.
Texts have "\\n" for every line end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

SHOWN = 60
"""Characters of either side of an edit that are shown in words."""
Opcode = tuple[str, int, int, int, int]
"""As difflib has them: tag, old lines [a, b), new lines [c, d)."""


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Characters [start, end) become `new`."""

    start: int
    end: int
    new: str


class LineStarts:
    """Lines and columns of a text."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._starts = [0]
        for line in lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def offset(self, line: int) -> int:
        """Where a line begins, both from 0; the line behind the last begins one behind the end."""
        return self._starts[line]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1."""
        line = bisect_right(self._starts, offset, hi=len(self._starts) - 1)
        return line, offset - self._starts[line - 1] + 1


def edits_of_lines(old: Sequence[str], new: Sequence[str], steps: Iterable[Opcode]) -> tuple[TextEdit, ...]:
    """The edits, in order, that make the text of `new` from that of `old`; steps: where their lines differ."""
    starts, size = LineStarts(old), sum(map(len, old)) + len(old) - 1
    found: list[TextEdit] = []
    for tag, a, b, c, d in steps:
        text = "\n".join(new[c:d])
        if tag == "replace":
            same = b - a == d - c  # then line by line, so that each place is an edit of its own
            pairs = zip(range(a, b), new[c:d], strict=True) if same else [(a, text)]
            for line, after in pairs:
                before = old[line] if same else "\n".join(old[a:b])
                found += shifted([_trimmed(before, after)], starts.offset(line))
        elif tag == "insert":  # behind the last line there is no line end to stand before
            at_end = a == len(old)
            at = size if at_end else starts.offset(a)
            found.append(TextEdit(at, at, "\n" + text if at_end else text + "\n"))
        elif tag == "delete" and b == len(old) and a:
            found.append(TextEdit(starts.offset(a) - 1, size, ""))
        elif tag == "delete":
            found.append(TextEdit(starts.offset(a), min(starts.offset(b), size), ""))
    return tuple(found)


def applied(text: str, edits: Iterable[TextEdit]) -> str:
    """The text after edits that do not overlap."""
    ordered = sorted(edits, key=lambda item: item.start)
    for edit in reversed(ordered):  # of two in one place the first stays first
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


def in_words(text: str, edits: Sequence[TextEdit]) -> str:
    """What edits do to a text, in one line: insert `:`, delete `)`, `retrun` -> `return`."""
    if not edits:
        return "nothing"
    old, new = (_quoted(part) for part in (text[edits[0].start : edits[0].end], edits[0].new))
    words = f"{old} -> {new}" if old and new else f"insert {new}" if new else f"delete {old}"
    more = len(edits) - 1
    return f"{words}, and {more} more place{'s' * (more > 1)}" if more else words


def _quoted(code: str) -> str:
    short = code if len(code) <= SHOWN else f"{code[:SHOWN]}…"
    return "`" + short.replace("\n", "\\n") + "`" if code else ""


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of the first text, and what has become of it."""

    start: int
    end: int
    new: str
    owner: int
    """The first change that had to do with it."""


def in_first_text(text: str, changes: Sequence[Sequence[TextEdit]]) -> list[tuple[TextEdit, ...]]:
    """Edits of changes that were made one after the other, as edits of the first text.

    What a later change makes of an earlier one's text belongs to the earlier one: the edits of all changes together do
    not even touch, and make the last text.
    """
    parts: list[_Part] = []
    for owner, edits in enumerate(changes):
        for edit in reversed(edits):  # from the last, so that places stay
            text = _note(text, parts, edit, owner)
    return [
        tuple(TextEdit(part.start, part.end, part.new) for part in parts if part.owner == owner)
        for owner in range(len(changes))
    ]


def place_in_first(offset: int, changes: Sequence[Sequence[TextEdit]]) -> int:
    """Where a place of the text after all changes was before them; within what came, where that begins."""
    for edits in reversed(changes):
        shift = 0
        for edit in edits:
            begins = edit.start + shift
            if offset < begins:
                break
            if offset < begins + len(edit.new):
                offset = begins
                break
            shift += len(edit.new) - (edit.end - edit.start)
        offset -= shift
    return offset


def _note(text: str, parts: list[_Part], edit: TextEdit, owner: int) -> str:
    """Make an edit of the text of now, and keep `parts`, in order, up to date; the text after it."""
    shift, first, last = 0, 0, 0
    begin, end, before, after = edit.start, edit.end, 0, 0
    owners = [owner]
    for number, part in enumerate(parts):
        at = part.start + shift
        if at + len(part.new) < edit.start:
            first = last = number + 1
            before = shift + len(part.new) - (part.end - part.start)
        elif at <= edit.end:
            begin, end = min(begin, at), max(end, at + len(part.new))
            owners.append(part.owner)
            last = number + 1
        else:
            break
        shift += len(part.new) - (part.end - part.start)
        after = shift
    new = text[begin : edit.start] + edit.new + text[edit.end : end]
    parts[first:last] = [_Part(begin - before, end - after, new, min(owners))]
    return text[: edit.start] + edit.new + text[edit.end :]


def _trimmed(old: str, new: str) -> TextEdit:
    """The edit between two texts without what they begin and end with, but for words, which change as a whole."""
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    pairs = zip(reversed(old[head:]), reversed(new[head:]), strict=False)
    tail = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    while head and _is_in_word(old, head) | _is_in_word(new, head):
        head -= 1
    while tail and _is_in_word(old, len(old) - tail) | _is_in_word(new, len(new) - tail):
        tail -= 1
    return TextEdit(head, len(old) - tail, new[head : len(new) - tail])


def _is_in_word(text: str, place: int) -> bool:
    """Whether a word goes on across a place."""
    if not 0 < place < len(text):
        return False
    return all(c.isalnum() or c == "_" for c in text[place - 1 : place + 1])


def shifted(edits: Iterable[TextEdit], by: int) -> tuple[TextEdit, ...]:
    """The same edits in a text that has `by` characters more before them."""
    return tuple(replace(edit, start=edit.start + by, end=edit.end + by) for edit in edits)
