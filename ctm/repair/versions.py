"""Which Python a text is for: the target that the user named, and what is too new for it.

What the running compiler takes is asked of it (`ast.parse` with `feature_version`); what it does not take, or
does not date, is found by `ctm.python.newer_syntax`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ctm.python.compiling import quiet
from ctm.python.newer_strings import Version

if TYPE_CHECKING:
    from ctm.python.newer_syntax import Construct

OLDEST: Version = (3, 8)
"""The oldest target: no older Python is in use beside one that runs this."""

_ONLY_SINCE = re.compile(r"(?P<what>.+?) (?:is|are) only supported in Python 3\.(?P<minor>\d+)")
_BLOCKS: dict[str, type[ast.stmt]] = {"Pattern matching": ast.Match, "Exception groups": ast.TryStar}


def parse_target(text: str) -> Version:
    """ "3.12" → (3, 12). Raises ValueError that says what would be right."""
    match = re.fullmatch(r"3\.(\d{1,2})", text.strip())
    if match is None or (version := (3, int(match[1]))) < OLDEST:
        raise ValueError(f"--target-version {text!r}: a version such as 3.12, from {version_text(OLDEST)} on")
    return version


def version_text(version: Version) -> str:
    return f"Python {version[0]}.{version[1]}"


def too_new_for(text: str, target: Version) -> str:
    """What of a text that compiles here is too new for `target`: "valid for … (what, line N)", or ""."""
    try:
        with quiet():
            ast.parse(text, feature_version=target)
    except SyntaxError as error:
        match = _ONLY_SINCE.match(error.msg)
        if match:
            line = _first_line(text, match["what"], error.lineno or 1)
            return f"valid for Python 3.{match['minor']} and later ({match['what'].lower()}, line {line})"
        return f"not valid for {version_text(target)} (line {error.lineno}: {error.msg})"
    except (ValueError, MemoryError, RecursionError):
        return ""
    from ctm.python.newer_syntax import newer_constructs  # 4 ms, and few name a target

    found = newer_constructs(text, since=target)
    return valid_since(found) if found else ""


def _first_line(text: str, what: str, last: int) -> int:
    """Where a statement begins of which the parser names only the end."""
    kind = _BLOCKS.get(what)
    if kind is None:
        return last
    with quiet():
        lines = [node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, kind)]
    return max((line for line in lines if line <= last), default=last)


def valid_since(constructs: Iterable[Construct]) -> str:
    """The one of them that asks for the newest Python, in words."""
    newest = max(constructs, key=lambda item: (item.since, -item.begin))
    return f"valid for {version_text(newest.since)} and later ({newest})"
