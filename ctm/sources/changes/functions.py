"""What changed between two versions of a file, function by function: the candidates for real bug fixes.

Functions are found by their `def` lines and indentation, since most of a file has not changed and parsing both sides
whole costs ten times as much; the compiler decides whether what was cut is a function. Used for releases and commits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rapidfuzz.distance import Levenshtein

from ctm.bounds import Count, Lines
from ctm.python.compiling import compiles
from ctm.python.newer_syntax import TOO_NEW, too_new
from ctm.sources.changes.meaning import same_meaning_reason, same_parameters

VERSION = "changes/5"
BUGGY_SIDE_BROKEN = "buggy side does not parse"

_DEFINITION = re.compile(r"^([ \t]*)(?:async[ \t]+)?(def|class)[ \t]+(\w+)", re.MULTILINE)
_OVERLOAD = re.compile(r"^@(?:\w+\.)?overload$", re.MULTILINE)

_TRIPLE = re.compile(r"\"{3}|'{3}")
MAX_DECORATORS = 8
"""Lines of decorators that may stand between a changed line and its `def`."""

_TEST = re.compile(
    r"\b(?:test_\w+|(?:set_?[uU]p|tear_?[dD]own)(?:_?(?:[cC]lass|[mM]odule|[mM]ethod|function))?)\b"
)
"""Functions of tests that stand in files of the product, as nose's and doctest's set-up did."""

_INNER = re.compile(r"[ \t]+(?:async[ \t]+)?def[ \t]")


@dataclass(frozen=True)
class ChangeLimits:
    """Which changed functions are taken for bug fixes."""

    min_lines: Count = 3
    """Shortest function, lines."""
    max_lines: Lines = 64
    """Longest function, lines; the grid has 64 rows."""
    max_hunks: Count = 3
    """Most separate places that changed."""
    max_changed_lines: Count = 10
    """Most lines that changed: of each place, the longer of its two sides."""
    same_meaning: bool = False
    """Whether functions are taken that differ in formatting, comments, docstrings, annotations, casts and wording of
    messages only."""


@dataclass(frozen=True)
class FixLimits(ChangeLimits):
    """Limits of fixes in files: functions of releases and commits."""

    broken: bool = False
    """Whether functions are taken whose buggy side does not compile; the fixed side has to."""
    parameters: bool = False
    """Whether functions are taken whose parameters have other names or another order: mostly a change for callers."""
    tests: bool = False
    """Whether tests are read: their files, and their functions elsewhere."""


@dataclass(frozen=True, slots=True)
class FunctionChange:
    """A function before and after; `line` is its first in the new file, decorators included."""

    qualname: str
    line: int
    before: str
    after: str


@dataclass
class FunctionChanges:
    """The changed functions of a file that are within the limits, and the others as (reason, qualname, line)."""

    kept: list[FunctionChange] = field(default_factory=list)
    rejected: list[tuple[str, str, int]] = field(default_factory=list)


@dataclass(slots=True)
class _Function:
    qualname: str
    first: int  # index of the first line, decorators included
    stop: int  # index behind the last line
    indent: str


def changed_functions(before: str, after: str, limits: FixLimits) -> FunctionChanges:
    """Compare two versions of a file. A change in a nested function counts for the outermost that is short enough."""
    changes = FunctionChanges()
    old_lines, new_lines = before.split("\n"), after.split("\n")
    first, old_stop, new_stop = _changed_range(old_lines, new_lines)
    if first == old_stop and first == new_stop:
        return changes
    old = {item.qualname: item for item in _functions(before, old_lines, first, old_stop)}
    done = -1
    for new in _functions(after, new_lines, first, new_stop):
        if new.first < done:
            continue  # inside one that was judged as a whole
        counterpart = old.get(new.qualname)
        if counterpart is None:
            continue  # new, removed or renamed: there is nothing to compare with
        text = _dedented(new_lines, new)
        old_text = _dedented(old_lines, counterpart)
        if text == old_text:
            continue
        if new.stop - new.first > limits.max_lines and _has_inner(new_lines, new):
            continue
        done = new.stop
        test = not limits.tests and _TEST.search(new.qualname)
        reason = "test function" if test else change_reject_reason(old_text, text, limits)
        if not reason and not limits.parameters and not same_parameters(old_text, text):
            reason = "parameters changed"
        if reason and not (limits.broken and reason == BUGGY_SIDE_BROKEN):
            changes.rejected.append((reason, new.qualname, new.first + 1))
        else:
            changes.kept.append(FunctionChange(new.qualname, new.first + 1, old_text, text))
    return changes


def change_reject_reason(before: str, after: str, limits: ChangeLimits) -> str:
    """Why a changed function is not taken for a bug fix ("" where it is)."""
    old, new = before.split("\n"), after.split("\n")
    if max(len(old), len(new)) > limits.max_lines:
        return "function too long"
    if min(len(old), len(new)) < limits.min_lines:
        return "function too short"
    hunks, lines = diff_size(old, new)
    if hunks > limits.max_hunks:
        return "too many hunks"
    if lines > limits.max_changed_lines:
        return "too many changed lines"
    if too_new(before) or too_new(after):
        return TOO_NEW
    if not compiles(after):
        return "fixed side does not parse"
    if not compiles(before):
        return BUGGY_SIDE_BROKEN
    if _OVERLOAD.search(after):
        return "declaration of an overload"
    return "" if limits.same_meaning else same_meaning_reason(before, after)


def diff_size(old: list[str], new: list[str]) -> tuple[int, int]:
    """(hunks, changed lines) between two lists of lines; a changed line counts once, not as removed and added."""
    hunks = lines = end_old = end_new = 0
    removed = added = 0
    for step in Levenshtein.opcodes(old, new):
        if step.tag == "equal":
            continue
        a, b, c, d = step.src_start, step.src_end, step.dest_start, step.dest_end
        if not hunks or a > end_old or c > end_new:
            lines += max(removed, added)
            removed = added = 0
            hunks += 1
        removed, added = removed + b - a, added + d - c
        end_old, end_new = b, d
    return hunks, lines + max(removed, added)


def _changed_range(old: list[str], new: list[str]) -> tuple[int, int, int]:
    """First line that differs, and the lines behind the last that differ on both sides (indices)."""
    first, shorter = 0, min(len(old), len(new))
    while first < shorter and old[first] == new[first]:
        first += 1
    last = 0
    while last < shorter - first and old[-1 - last] == new[-1 - last]:
        last += 1
    return first, len(old) - last, len(new) - last


def _functions(text: str, lines: list[str], first: int, stop: int) -> Iterator[_Function]:
    """Functions that touch lines [first, stop), outermost first, with the place among equal names in the name.

    Of those that begin before `first`, only the definitions still open there are measured.
    """
    counts: dict[str, int] = {}
    open_: list[tuple[int, _Function, bool]] = []  # (column, definition, whether a function), enclosing ones
    number = offset = 0
    crossed = False
    # What stands behind the change is not searched: finding definitions is half of the time of a comparison.
    end = len("\n".join(lines[: stop + MAX_DECORATORS + 1]))
    for match in _DEFINITION.finditer(text, 0, end):
        number += text.count("\n", offset, match.start())
        offset = match.start()
        if number >= first and not crossed:
            crossed = True
            yield from _measured(open_, lines, first)
        indent, word, name = match.groups()
        width = len(indent.expandtabs(8))
        while open_ and open_[-1][0] >= width:
            open_.pop()
        qualname = f"{open_[-1][1].qualname}.{name}" if open_ else name
        counts[qualname] = counts.get(qualname, 0) + 1
        if counts[qualname] > 1:  # overloads, property setters
            qualname = f"{qualname}#{counts[qualname]}"
        begin = number
        while begin and lines[begin - 1].startswith(f"{indent}@"):
            begin -= 1
        item = _Function(qualname, begin, number + 1, indent)
        open_.append((width, item, word == "def"))
        if crossed and word == "def" and begin <= stop:
            item.stop = _end(lines, number, width)
            yield item
    if not crossed:
        yield from _measured(open_, lines, first)


def _measured(open_: list[tuple[int, _Function, bool]], lines: list[str], first: int) -> Iterator[_Function]:
    for width, item, is_function in open_:
        if is_function:
            item.stop = _end(lines, item.stop - 1, width)
            if item.stop >= first:
                yield item


def _end(lines: list[str], number: int, width: int) -> int:
    """Index behind the last line of the block whose header is line `number`, at column `width`."""
    end = number + 1
    opened = _brackets(lines[number])
    quote = ""  # the triple quote of a string that is open: its lines may stand at any column
    for index in range(number + 1, len(lines)):
        line = lines[index]
        body = line.lstrip()
        if not body:
            continue
        column = len(line[: len(line) - len(body)].expandtabs(8))
        if opened <= 0 and not quote and column <= width and body[0] != "#":
            break
        if opened > 0:  # the header itself goes on: its closing bracket may stand at the column of `def`
            opened += _brackets(line)
        if quote or body[0] != "#" or column > width:
            end = index + 1
        for mark in _TRIPLE.findall(line):
            quote = "" if quote == mark else quote or mark
    return end


def _brackets(line: str) -> int:
    code = line.partition("#")[0]
    return sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))


def _has_inner(lines: list[str], outer: _Function) -> bool:
    return any(_INNER.match(line) for line in lines[outer.first + 1 : outer.stop])


def _dedented(lines: list[str], item: _Function) -> str:
    return "\n".join(line.removeprefix(item.indent) for line in lines[item.first : item.stop]).rstrip()
