"""Classes of the parser's messages about code that does not compile, so that Python versions agree."""

from __future__ import annotations

import re
from functools import lru_cache

from ctm.python.compiling import compile_error

# (class, pattern of the message); the first that matches counts
_TABLE: tuple[tuple[str, str], ...] = (
    ("print without parentheses", r"^Missing parentheses in call to 'print'"),
    ("call without parentheses", r"^Missing parentheses in call to"),
    ("forgot a comma", r"forgot a comma"),
    ("expected colon", r"^expected ':'"),
    ("expected other token", r"^expected (?!an indented|'except'|':')"),
    ("expected except", r"^expected 'except' or 'finally'"),
    ("bracket never closed", r"was never closed"),
    ("unmatched bracket", r"^unmatched "),
    ("mismatched bracket", r"does not match opening"),
    ("unterminated string", r"^unterminated string|EOL while scanning"),
    ("unterminated triple-quoted string", r"^unterminated triple|EOF while scanning triple"),
    ("unterminated f-string", r"^unterminated f-string|^f-string"),
    ("expected an indented block", r"^expected an indented block"),
    ("unexpected indent", r"^unexpected indent"),
    ("unindent does not match", r"^unindent does not match"),
    ("inconsistent tabs", r"^inconsistent use of tabs"),
    (
        "assignment or comparison",
        r"Maybe you meant '==' or ':=' instead of '='|^cannot assign to|cannot be named"
        r"|^invalid syntax\. Maybe you meant",
    ),
    ("cannot delete or target", r"^cannot delete|^illegal target|^'.*' is an illegal expression|^only single target"),
    ("number literal", r"^invalid (decimal|hexadecimal|octal|binary|digit)|^leading zeros|literal"),
    ("invalid character", r"^invalid (non-printable )?character|^source code .*null|^invalid character"),
    ("after line continuation", r"^unexpected character after line continuation|^unexpected EOF"),
    ("outside function or loop", r"outside (function|loop|async)|not properly in loop|^'(return|yield|await|break)"),
    ("arguments", r"argument|^Generator expression|^keyword argument|parenthesized|iterable"),
    ("invalid syntax", r"^invalid syntax"),
)  # fmt: skip
KINDS: tuple[str, ...] = ("none", *(name for name, _ in _TABLE), "other")
NO_MESSAGE = 0
"""Index into KINDS for code that compiles."""
_PATTERNS = [(number + 1, re.compile(pattern)) for number, (_, pattern) in enumerate(_TABLE)]


@lru_cache(maxsize=64)  # all mutants of a snippet share its fixed text
def complaint(text: str) -> tuple[int, int, int] | None:
    """(kind, 1-based line, 1-based column) of the error, None for code that compiles."""
    error = compile_error(text)
    if error is None:
        return None
    # a traceback holds this frame and the frame holds the error: only the collector would find out
    error.__traceback__ = None
    line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
    return message_kind(getattr(error, "msg", None) or str(error)), line, column


@lru_cache(maxsize=1024)  # most say the same
def message_kind(message: str) -> int:
    """Index into KINDS of a SyntaxError's message."""
    for number, pattern in _PATTERNS:
        if pattern.search(message):
            return number
    return len(KINDS) - 1
