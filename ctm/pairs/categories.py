"""Whether a text compiles, and which category a pair belongs to.

`compile` is exponential in nested `finally` and can run out of stack on deep brackets, and no signal interrupts it:
texts over the caps here are refused before it sees them. The caps bound one call to tens of milliseconds.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rapidfuzz.distance import Levenshtein

from ctm.pairs.lexical import DEDENT, INDENT, exact_match, lenient_tokens

MAX_BYTES = 100_000
MAX_BRACKETS = 90
MAX_INDENTS = 60
MAX_FINALLY = 8
"""Levels of nested `finally`: the compiler copies each body twice, so the work doubles with every level."""

LONG_EDIT = 16
"""Lexical tokens beyond which one edit counts as complex."""
SEPARATE = 4
"""Unchanged lexical tokens between two changes that make them separate edits."""

SecurityRule = Callable[[str, str], bool]
"""(buggy, fixed) -> whether a rule of the security taxonomy is broken in `buggy` and not in `fixed`."""

_INDENTATION = frozenset((INDENT, DEDENT))
NAMELESS = ""
"""The file name given to the compiler, which looks for an error's line in the file of that name: there is none."""
_QUIET = [("ignore", None, Warning, None, 0)]
"""The first of the filters inside `quiet()`."""

_FINALLY = re.compile(r"^([ \t]*)finally\b", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+(?=\S)", re.MULTILINE)
_BRACKET = re.compile(r"[(\[{]|[)\]}]")


def too_hard(text: str) -> str:
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

    What the compiler cannot take at all (null bytes, lone surrogates, nesting, memory, the caps of `too_hard`) is a
    SyntaxError without position.
    """
    if why := too_hard(text):
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
    """Whether the running Python compiles `text`; False for what is beyond the caps of `too_hard`."""
    return compile_error(text) is None


def categorise(buggy: str, fixed: str, security_rule: SecurityRule | None = None) -> str:
    """Category of a pair, the first that matches: clean, syntax, security, complex, logic.

    Complex: two or more separate edits, or one of more than 16 lexical tokens. Two places that swap their
    content within 16 tokens (arguments, statements) are one edit, and so is a line that is put round a block (`if x:`,
    `try:`) with the block's indentation.
    """
    if exact_match(buggy, fixed):
        return "clean"
    if not compiles(buggy):
        return "syntax"
    if security_rule is not None and security_rule(buggy, fixed):
        return "security"
    return "complex" if is_complex(buggy, fixed) else "logic"


def is_complex(buggy: str, fixed: str) -> bool:
    """Whether two texts differ in two or more separate edits, or in one of more than 16 lexical tokens."""
    return _is_complex(lenient_tokens(buggy), lenient_tokens(fixed))


def _is_complex(buggy: list[str], fixed: list[str]) -> bool:
    first, last = 0, 0
    shorter = min(len(buggy), len(fixed))
    while first < shorter and buggy[first] == fixed[first]:
        first += 1
    while last < shorter - first and buggy[-1 - last] == fixed[-1 - last]:
        last += 1
    old, new = buggy[first : len(buggy) - last], fixed[first : len(fixed) - last]
    if max(len(old), len(new)) <= LONG_EDIT and sorted(old) == sorted(new):
        return False
    spans: list[tuple[int, int, int, int]] = []
    for step in Levenshtein.opcodes(old, new):
        if step.tag == "equal":
            continue
        a, b, c, d = step.src_start, step.src_end, step.dest_start, step.dest_end
        if spans and a - spans[-1][1] < SEPARATE:
            spans[-1] = (spans[-1][0], b, spans[-1][2], d)
        else:
            spans.append((a, b, c, d))
    seen = [(a, b, c, d) for a, b, c, d in spans if not _INDENTATION.issuperset([*old[a:b], *new[c:d]])]
    spans = seen or spans[:1]
    return len(spans) > 1 or any(max(b - a, d - c) > LONG_EDIT for a, b, c, d in spans)
