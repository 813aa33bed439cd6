"""Lines at the wrong indentation, and what ends or continues a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ctm.repair.rewrites.broken import Broken, indentation, width
from ctm.repair.rewrites.registry import rewrite

_HEADER = re.compile(
    r"[ \t]*(?:async[ \t]+)?(?:if|elif|else|for|while|try|except|finally|with|def|class|match|case)\b.*"
)
_SPACE_BEHIND = re.compile(r"[ \t]+$", re.MULTILINE)
_HEAD = re.compile(r"on line (\d+)")
MAX_LEVELS = 6
"""Levels of indentation that are tried."""


@rewrite(-0.1, "x = 1 + \\ \n    2", "x = 1 + \\\n    2", "after line continuation")
def space_behind_a_backslash(broken: Broken) -> Iterator[str]:
    """Spaces behind a backslash that continues a line go."""
    found = [
        match
        for token in broken.tokens
        if token.text == "\\" and (match := _SPACE_BEHIND.match(broken.text, token.end))
    ]
    yield broken.spliced((match.start(), match.end(), "") for match in found)


@rewrite(-0.3, "if a\n    b()", "if a:\n    b()", "expected ':'|invalid syntax")
def colon_of_a_block(broken: Broken) -> Iterator[str]:
    """The head of a block gets its colon at the end of its line."""
    line = broken.lines[broken.line]
    if not _HEADER.fullmatch(line) or broken.line in broken.string_lines:
        return
    start, end = broken.starts[broken.line], broken.starts[broken.line] + len(line)
    own = [token for token in broken.tokens if start <= token.start < end and not token.is_newline]
    if own and own[-1].text != ":":
        signs = {";": own[-1].start, ",": own[-1].start, ".": own[-1].start}
        yield broken.spliced([(signs.get(own[-1].text, own[-1].end), own[-1].end, ":")])


@rewrite(-0.9, "if a:\nb()\nc()", "if a:\n    b()\nc()", "expected an indented block")
def indented_block(broken: Broken) -> Iterator[str]:
    """The line behind the head of a block is indented, or the lines up to a blank one, or all of its level."""
    named = _HEAD.search(broken.message)
    head = int(named[1]) - 1 if named else broken.line - 1
    if not 0 <= head < broken.line or not broken.lines[broken.line].strip():
        return
    step = _step(broken)
    wanted = len(indentation(broken.lines[head]).expandtabs(8)) + step
    for end in _ends(broken, broken.line):
        yield _moved(broken, broken.line, end, wanted - width(broken.lines[broken.line]))


@rewrite(-1.0, "a()\n  b()", "a()\nb()", "unexpected indent|unindent does not match")
def level_of_a_line(broken: Broken) -> Iterator[str]:
    """The line gets the indentation of one before it, and with it those that follow at its level."""
    now = width(broken.lines[broken.line])
    levels: list[int] = []
    for n in range(broken.line - 1, -1, -1):
        if broken.lines[n].strip() and n not in broken.string_lines:
            own = width(broken.lines[n])
            if own not in levels:
                levels.append(own)
            if _HEADER.fullmatch(broken.lines[n]) and own + _step(broken) not in levels:
                levels.append(own + _step(broken))
            if own == 0 or len(levels) >= MAX_LEVELS:
                break
    near = sorted((level for level in levels if level != now), key=lambda level: abs(level - now))
    for level in near[:2]:
        for end in _ends(broken, broken.line)[:2]:
            yield _moved(broken, broken.line, end, level - now)


@rewrite(
    -1.0,
    "def f(a):\n    b(a)\nreturn a",
    "def f(a):\n    b(a)\n    return a",
    "outside (?:async )?function|not properly in loop|outside loop",
)
def into_the_block_before(broken: Broken) -> Iterator[str]:
    """A statement that must lie in a function or loop moves into the block before it, with the block around it."""
    start = broken.line
    while start and width(broken.lines[start]) > 0 and not _begins_run(broken, start):
        start -= 1
    before = next((n for n in range(start - 1, -1, -1) if broken.lines[n].strip()), None)
    if before is None:
        return
    now = width(broken.lines[start])
    levels = sorted({level for level in _levels(broken, start) if level > now})
    for level in levels[:2]:
        for end in _ends(broken, start):
            yield _moved(broken, start, end, level - now)


@rewrite(
    -0.6,
    "def f():\n    await g()",
    "async def f():\n    await g()",
    "outside async function|async comprehension",
)
def async_function(broken: Broken) -> Iterator[str]:
    """The function around an `await` becomes a coroutine."""
    for n in range(broken.line, -1, -1):
        line = broken.lines[n]
        if re.match(r"[ \t]*def\b", line) and width(line) < max(width(broken.lines[broken.line]), 1):
            yield broken.with_lines({n: f"{indentation(line)}async {line.lstrip()}"})
            return


def _begins_run(broken: Broken, line: int) -> bool:
    """Whether no line right above is at or below this level."""
    return line == 0 or not broken.lines[line - 1].strip()


def _step(broken: Broken) -> int:
    """Columns of one level: the smallest indentation in the text, 4 where there is none."""
    return min((level for level in _levels(broken, len(broken.lines)) if level), default=4)


def _levels(broken: Broken, end: int) -> list[int]:
    """Columns of the lines of code before line `end`; what stands inside a string has no level."""
    return [
        width(line)
        for n, line in enumerate(broken.lines[:end])
        if line.strip() and n not in broken.string_lines
    ]


def _ends(broken: Broken, start: int) -> list[int]:
    """Ends of what moves with a line: its own block, all up to a blank line, all of its level."""
    now = width(broken.lines[start])

    def end(at: int, min_width: int, over_blank: bool) -> int:
        while at < len(broken.lines):
            line = broken.lines[at]
            goes_on = width(line) >= min_width if line.strip() else over_blank
            if not goes_on and at not in broken.string_lines:
                break
            at += 1
        return at

    own = end(start + 1, now + 1, False)
    run = end(own, now, False)
    return list(dict.fromkeys([own, run, end(run, now, True)]))


def _moved(broken: Broken, start: int, end: int, by: int) -> str:
    changed: dict[int, str | None] = {}
    for n in range(start, end):
        line = broken.lines[n]
        if line.strip() and n not in broken.string_lines:
            head = indentation(line).expandtabs(8)
            changed[n] = " " * max(0, len(head) + by) + line.lstrip(" \t")
    return broken.with_lines(changed)
