"""Lines and files that their author wants left alone: `# ctm: ignore` and `# ctm: ignore-file`.

A comment is what the lenient lexer takes for one (ctm/python/lexical.py), which reads broken code too: the standard
tokenizer gives nothing behind the first error. A line counts as left alone where its text is still there, in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ctm.python.lexical import lenient_matches

IGNORED = "edits of lines with # ctm: ignore"
"""Why edits were passed over."""
IGNORED_FILE = "files with # ctm: ignore-file"
"""Why a file was not looked at."""
FIRST_LINES = 10
"""Where `# ctm: ignore-file` must stand, behind a shebang, a license or the beginning of a docstring."""
HEAD = 20_000
"""Bytes that are read to look for it."""

_LINE_MARK = re.compile(r"#[ \t]*ctm:[ \t]*ignore(?![\w-])")
_FILE_MARK = re.compile(r"#[ \t]*ctm:[ \t]*ignore-file(?![\w-])")


def ignored_lines(text: str) -> list[int]:
    """0-based numbers of the lines that end in a comment with `ctm: ignore`."""
    return list(_marked(text, _LINE_MARK))


def ignores_file(text: str) -> bool:
    """Whether one of its first lines is or ends in a comment with `ctm: ignore-file`."""
    return any(number < FIRST_LINES for number in _marked(text, _FILE_MARK))


def has_ignored_head(path: str) -> bool:
    """`ignores_file` of a file, of which only the beginning is read; False where that cannot be done."""
    try:
        if not Path(path).is_file():
            return False
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except (OSError, ValueError):  # reading it as a whole will say why
        return False
    return b"ignore-file" in head and ignores_file(_with_newlines(head.decode("utf-8", "replace")))


def _with_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def keeps_lines(before: Sequence[str], ignored: Sequence[int], after: Sequence[str]) -> bool:
    """Whether the ignored lines of a text are all there, unchanged and in order, in what it becomes."""
    rest = iter(after)
    return all(before[number] in rest for number in ignored)


def _marked(text: str, mark: re.Pattern[str]) -> Iterator[int]:
    if mark.search(text) is None:  # nearly every text
        return
    line = counted = 0
    for match in lenient_matches(text):
        if match.lastgroup == "space" and mark.search(match.group()):
            line += text.count("\n", counted, match.start())
            counted = match.start()
            yield line
