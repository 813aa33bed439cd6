"""String literals that escape, nest or end in the wrong way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ctm.python.compiling import compiles
from ctm.repair.rewrites.broken import Broken, CodeToken, Splice, indentation
from ctm.repair.rewrites.registry import rewrite

_ESCAPES = re.compile(r"\\[UuxN]")
_PREFIX = re.compile(r"[A-Za-z]*")
_WRONG_END = re.compile(r"(?:\"\"'|\"'\"|'\"\"|''\"|'\"'|\"''|\"\"|'')[ \t]*$")
_FSTRING = re.compile(r"(?<![\w\"'])(?:[fF][rR]?|[rR][fF])([\"'])(?!\1\1)")

_NAMES = ("text", "joined", "part", "value", "field", *(f"text_{number}" for number in range(2, 1000)))


@rewrite(-0.2, "p = 'C:\\Users\\me'", "p = r'C:\\Users\\me'", "unicode error|unicodeescape|truncated")
def raw_string(broken: Broken) -> Iterator[str]:
    """A string whose backslashes are no escapes becomes a raw one; in a second try its backslashes are doubled."""
    wrong = [
        token
        for token in broken.tokens
        if token.is_string and _ESCAPES.search(token.text) and not compiles(token.text)
    ]
    near = [
        token for token in wrong if broken.line_of(token.start) <= broken.line <= broken.line_of(token.end)
    ]
    for chosen in (near, wrong):
        if chosen:
            yield broken.spliced(_raw(token) for token in chosen)
            yield broken.spliced(
                (token.start, token.end, token.text.replace("\\", "\\\\")) for token in chosen
            )


def _raw(token: CodeToken) -> Splice:
    prefix = _PREFIX.match(token.text)
    end = prefix.end() if prefix else 0
    return token.start, token.start + end, "r" + token.text[:end].strip("uU")


@rewrite(
    -0.2, "x = f'{d['a']}'", "x = f\"{d['a']}\"", "f-string|unterminated string|invalid syntax|unmatched"
)
def quotes_of_an_fstring(broken: Broken) -> Iterator[str]:
    """An f-string in whose fields its own quote stands gets the other quotes outside, or has them inside."""
    line = broken.lines[broken.line]
    for match in _fstrings(broken):
        quote = match[1]
        other = "'" if quote == '"' else '"'
        end, nested = _end_of_fstring(line, match.end(), quote)
        if end < 0 or not nested:
            continue
        inner = line[match.end() : end]
        if other not in inner:
            yield broken.with_lines(
                {broken.line: f"{line[: match.end() - 1]}{other}{inner}{other}{line[end + 1 :]}"}
            )
            swapped = "".join(other if place in nested else sign for place, sign in enumerate(line))
            yield broken.with_lines({broken.line: swapped})


@rewrite(
    -0.3,
    "x = f'{\"\\n\".join(a)}'",
    "text = \"\\n\".join(a)\nx = f'{text}'",
    "f-string expression part cannot include a backslash",
)
def backslash_in_an_fstring(broken: Broken) -> Iterator[str]:
    """A field with a backslash gets a variable, set on a line of its own before."""
    line = broken.lines[broken.line]
    for match in _fstrings(broken):
        end, _ = _end_of_fstring(line, match.end(), match[1])
        for start, stop in _fields(line, match.end(), end):
            if "\\" in line[start:stop]:
                known = set(re.findall(r"\w+", broken.text))
                name = next((name for name in _NAMES if name not in known), None)
                if name is None:
                    return
                head = indentation(line)
                new = f"{head}{name} = {line[start:stop].strip()}\n{line[:start]}{name}{line[stop:]}"
                yield broken.with_lines({broken.line: new})
                return


def _fstrings(broken: Broken) -> Iterator[re.Match[str]]:
    """Beginnings of f-strings on the line of the error, those in strings and comments left out."""
    start = broken.starts[broken.line]
    code = {token.start for token in broken.tokens}
    yield from (m for m in _FSTRING.finditer(broken.lines[broken.line]) if start + m.start() in code)


def _fields(line: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Fields of an f-string whose content lies in [start, end), without their braces."""
    depth, begin = 0, 0
    for place in range(start, max(end, start)):
        if line[place] == "{":
            depth += 1
            begin = place + 1 if depth == 1 else begin
        elif line[place] == "}" and depth:
            depth -= 1
            if depth == 0:
                yield begin, place


def _end_of_fstring(line: str, start: int, quote: str) -> tuple[int, set[int]]:
    """Where it ends if its quote may stand in its fields, -1 if nowhere, and the places of those quotes."""
    depth, at = 0, start
    nested: set[int] = set()
    while at < len(line):
        sign = line[at]
        if sign == "\\":
            at += 1
        elif sign in "{[(" and (depth or sign == "{"):
            if sign == "{" and not depth and line[at + 1 : at + 2] == "{":
                at += 1
            else:
                depth += 1
        elif sign in "}])" and depth:
            depth -= 1
        elif sign == quote:
            if depth == 0:
                return at, nested
            nested.add(at)
        at += 1
    return -1, nested


@rewrite(
    -0.5,
    'def f():\n    """Doc.""\'\n    return 1',
    'def f():\n    """Doc."""\n    return 1',
    "unterminated triple-quoted",
)
def end_of_a_docstring(broken: Broken) -> Iterator[str]:
    """A text in three quotes that ends in others, or in two, ends in three of its own."""
    opening = re.compile(r"\"\"\"|'''")
    start = opening.search(broken.lines[broken.line])
    if start is None:
        return
    for n in range(broken.line, min(broken.line + 40, len(broken.lines))):
        line = broken.lines[n]
        match = _WRONG_END.search(line, start.end() if n == broken.line else 0)
        if match:
            yield broken.with_lines({n: line[: match.start()] + start[0]})
    line = broken.lines[broken.line]
    if line.endswith(start[0][0]) and len(line) > start.end():
        yield broken.with_lines({broken.line: line.rstrip(start[0][0]) + start[0]})
    yield broken.with_lines({broken.line: line + start[0]})


@rewrite(-2.5, "x = 'a\ny = 1", "x = 'a'\ny = 1", "unterminated string literal|EOL while scanning")
def end_of_a_string(broken: Broken) -> Iterator[str]:
    """A string that is never closed ends before the brackets and signs that end its line."""
    line = broken.lines[broken.line]
    column = broken.place - broken.starts[broken.line]
    if column >= len(line):
        return
    quote = next((sign for sign in line[column:] if sign in "\"'"), "")
    if not quote:
        return
    stripped = line.rstrip()
    for end in dict.fromkeys([len(stripped.rstrip(")]},:;")), len(stripped)]):
        if end > column:
            yield broken.with_lines({broken.line: line[:end] + quote + line[end:]})
