"""Whether a text compiles, under caps on what the compiler is given.

`compile` is exponential in nested `finally` and can run out of stack on deep brackets, and no signal interrupts it:
texts over the caps here are refused before it sees them. The caps bound one call to tens of milliseconds.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

MAX_BYTES = 100_000
MAX_BRACKETS = 90
MAX_INDENTS = 60
MAX_FINALLY = 8
"""Levels of nested `finally`: the compiler copies each body twice, so the work doubles with every level."""

NAMELESS = ""
"""The file name given to the compiler, which looks for an error's line in the file of that name: there is none."""
_QUIET = [("ignore", None, Warning, None, 0)]
"""The first of the filters inside `quiet()`."""

_FINALLY = re.compile(r"^([ \t]*)finally\b", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+(?=\S)", re.MULTILINE)
_BRACKET = re.compile(r"[(\[{]|[)\]}]")


def compile_limit_reason(text: str) -> str:
    """Why `text` is not given to the compiler ("" where it is): size in bytes, or nesting beyond the caps."""
    if _is_easy(text):
        return ""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        return "too many bytes"
    if len(set(_FINALLY.findall(text))) > MAX_FINALLY:
        return "nested finally"
    if len(set(_INDENT.findall(text))) > MAX_INDENTS:
        return "nested blocks"
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "([{" else -1
        deepest = max(deepest, depth)
    return "nested brackets" if deepest > MAX_BRACKETS else ""


def _is_easy(text: str) -> bool:
    """Whether counting signs already shows that the text is far below every cap; ten times as fast as looking."""
    count = text.count
    return (
        len(text) < 10_000
        and count("(") + count("[") + count("{") < 80
        and count("\n") < 56
        and count("finally") < 8
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Silences the compiler's warnings (`is` with a literal, unknown escapes) for a whole batch of calls."""
    if warnings.filters[:1] == _QUIET:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def compile_error(text: str) -> SyntaxError | None:
    """The error that the running Python's compiler reports, None where `text` compiles.

    What the compiler cannot take at all (null bytes, lone surrogates, nesting, memory, the caps of
    `compile_limit_reason`) is a SyntaxError without position.
    """
    if why := compile_limit_reason(text):
        return SyntaxError(why)
    if warnings.filters[:1] == _QUIET:
        return _error(text)
    with quiet():
        return _error(text)


def _error(text: str) -> SyntaxError | None:
    try:
        compile(text, NAMELESS, "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    except (ValueError, MemoryError, RecursionError, OverflowError) as error:
        return SyntaxError(f"{type(error).__name__}: {error}")
    return None


def compiles(text: str) -> bool:
    """Whether the running Python compiles `text`; False for what is beyond the caps of `compile_limit_reason`."""
    return compile_error(text) is None
