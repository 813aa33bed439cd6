"""What comes along when code is copied: prompts, line numbers, fences, markers of conflicts, magics, mixed tabs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from ctm.repair.rewrites.broken import Broken, indentation, width
from ctm.repair.rewrites.registry import rewrite

_PROMPT = re.compile(r"[ \t]*(?:>>>|\.\.\.|In ?\[\d*\]:|\.\.\.:)(?: |$)")
_FIRST_PROMPT = re.compile(r"[ \t]*(?:>>>|In ?\[\d*\]:)(?: |$)")
_NUMBER = re.compile(r"[ \t]*(\d{1,5})(?:[.:|)]|(?=[ \t]|$))")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)[\w+-]*[ \t]*$")
_MAGIC = re.compile(r"[ \t]*(?:%%?[A-Za-z]|!(?!=)\S|\?\w)")
_CONFLICT = re.compile(r"(<{7}|\|{7}|>{7})(?: |$)|={7}$")
TABS = (4, 8, 2)
"""Columns of a tab that are tried, the commonest first."""
MIXED = (8, 4, 2)
"""The same where one block has both: Python 2 took a tab for eight."""
SESSION = 4
"""A text that does not begin with a prompt is a session if one line in so many has one; the others were printed."""


@rewrite(-0.2, ">>> x = 1\n>>> print(x)\n1", "x = 1\nprint(x)", "invalid syntax|unexpected indent|invalid")
def prompts(broken: Broken) -> Iterator[str]:
    """Prompts of an interactive session go, and in a second try what it printed as well."""
    found = {n: m for n, line in enumerate(broken.lines) if (m := _PROMPT.match(line))}
    # in a string that begins on a line without prompt they are a doctest's
    bare = {n: broken.lines[n][m.end() :] for n, m in found.items() if broken.string_lines.get(n, n) in found}
    if not any(_FIRST_PROMPT.match(broken.lines[n]) for n in bare):
        return
    yield broken.with_lines(dict(bare))
    full = [n for n, line in enumerate(broken.lines) if line.strip()]
    if full[0] not in bare and len(bare) * SESSION < len(full):
        return
    printed = {n: f"# {line}" for n, line in enumerate(broken.lines) if n not in bare and line.strip()}
    yield broken.with_lines({**printed, **bare})
    yield broken.with_lines({**dict.fromkeys(printed), **bare})


@rewrite(-0.2, "1 x = 1\n2 y = 2\n3 z = 3", "x = 1\ny = 2\nz = 3")
def line_numbers(broken: Broken) -> Iterator[str]:
    """Numbers of lines that were pasted with them go, and what separated them from the code."""
    found = {n: m for n, line in enumerate(broken.lines) if (m := _NUMBER.match(line))}
    full = [n for n, line in enumerate(broken.lines) if line.strip()]
    numbers = [int(found[n][1]) for n in full if n in found]
    counts_up = all(b - a in (1, 2) for a, b in pairwise(numbers))
    # the first line may have lost its number
    if len(numbers) < 2 or not counts_up or any(n not in found for n in full[1:]):
        return
    for lines_up in (True, False):  # the code behind 9 and 10
        rest = {n: " " * (m.end() if lines_up else 0) + broken.lines[n][m.end() :] for n, m in found.items()}
        gap = min((width(line) for line in rest.values() if line.strip()), default=0)
        for strip in dict.fromkeys([gap, gap if full[0] in found else max(gap - 4, 0)]):
            yield broken.with_lines({n: _without(line, strip) for n, line in rest.items()})


def _without(line: str, columns: int) -> str:
    head = indentation(line).expandtabs(8)
    return (head[columns:] + line.lstrip(" \t")) if line.strip() else ""


@rewrite(-0.1, "```python\nx = 1\n```", "x = 1", "invalid syntax|unterminated|invalid")
def fences(broken: Broken) -> Iterator[str]:
    """Fences of Markdown go; in a second try all around them, too."""
    fenced = [n for n, line in enumerate(broken.lines) if _FENCE.match(line) and n not in broken.string_lines]
    if not fenced:
        return
    yield broken.with_lines(dict.fromkeys(fenced))
    inside, is_in = set(), False
    for n in range(len(broken.lines)):
        if n in fenced:
            is_in = not is_in
        elif is_in:
            inside.add(n)
    yield broken.with_lines({n: None for n in range(len(broken.lines)) if n not in inside})


@rewrite(
    -0.4,
    "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other",
    "x = 1",
    "invalid syntax|invalid decimal|unexpected|invalid|expected|indent",
)
def conflict_markers(broken: Broken) -> Iterator[str]:
    """One side of each merge conflict stays, ours before theirs, and the markers go."""
    sides: dict[int, str] = {}
    conflict: dict[int, str] = {}
    side = ""
    for n, line in enumerate(broken.lines):
        mark = line[0] if _CONFLICT.match(line) else ""
        if mark == "<":  # one that is never closed is none
            conflict = {}
        if mark == "<" or (side and mark):
            side = {"<": "ours", "|": "base", "=": "theirs", ">": ""}[mark]
            conflict[n] = "marker"
            if mark == ">":
                sides |= conflict
        elif side:
            conflict[n] = side
    if all(n in broken.string_lines for n, name in sides.items() if name == "marker"):
        return
    for kept in ("ours", "theirs"):
        yield broken.with_lines({n: None for n, name in sides.items() if name != kept})


@rewrite(
    -0.5, "%matplotlib inline\nx = 1", "# %matplotlib inline\nx = 1", "invalid syntax|unexpected|indented"
)
def magics(broken: Broken) -> Iterator[str]:
    """Commands of a notebook become comments."""
    found = {
        n: f"{indentation(line)}# {line.lstrip()}"
        for n, line in enumerate(broken.lines)
        if _MAGIC.match(line) and n not in broken.string_lines
    }
    if found:
        yield broken.with_lines(dict(found))


@rewrite(
    -0.2,
    "if x:\n\ty = 1\n        z = 2",
    "if x:\n        y = 1\n        z = 2",
    "inconsistent use of tabs|unindent does not match|unexpected indent|expected an indented",
)
def mixed_tabs(broken: Broken) -> Iterator[str]:
    """Where heads of lines have both, spaces become tabs if most lines have tabs alone; or all tabs become spaces."""
    code = [line if n not in broken.string_lines else "" for n, line in enumerate(broken.lines)]
    heads = {n: indentation(line) for n, line in enumerate(code) if line.strip()}
    of_tabs = sum(head.startswith("\t") for head in heads.values())
    of_spaces = [n for n, head in heads.items() if " " in head]
    if not any("\t" in head for head in heads.values()) or not of_spaces:
        return
    for columns in MIXED if "inconsistent" in broken.message else TABS:
        if of_tabs > len(of_spaces):
            yield broken.with_lines({n: _tabs(heads[n], columns) + code[n].lstrip(" \t") for n in of_spaces})
        yield broken.with_lines(
            {n: head.expandtabs(columns) + code[n].lstrip(" \t") for n, head in heads.items()}
        )


def _tabs(head: str, columns: int) -> str:
    """The same indentation of tabs, and spaces for what is less than one."""
    wide, rest = divmod(len(head.expandtabs(columns)), columns)
    return "\t" * wide + " " * rest
