"""Whether a whole file compiles, however long it is up to the 2 MB that `read_source` takes.

Only the compiler finds `return` outside a function, two parameters of one name or `global` too late; the
parser alone would call such a file clean. Compiling costs no more than parsing (2 MB: 2 s, 0.3 GB), with one trap: the
compiler copies a `finally` body for each way out of its `try`, so 129 kB of `return` in one took 31 s and 4.4 GB, and
nothing can interrupt it. So the work is estimated from the parsed statements first.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import lru_cache

from ctm.python.compiling import MAX_BYTES, NAMELESS, compile_error, quiet

MAX_WORK = 10_000_000
"""Characters given to the compiler, a copied body counted as often as it is copied: five of the largest files."""
MAX_INDENT = 100
"""Of the tokenizer."""
TOO_MANY_FINALLY_EXITS = "finally bodies with too many ways out"

_TRIES: tuple[type[ast.stmt], ...] = (ast.Try, ast.TryStar)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_EXITS = (ast.Return, ast.Break, ast.Continue)


@lru_cache(maxsize=2)
def whole_file_error(text: str) -> SyntaxError | None:
    """The compiler's first error of a file; without a line where the text cannot be checked (nesting, memory).

    The last answers are kept: what a text is and how it is repaired both begin with them.
    """
    size = len(text.encode("utf-8", "replace"))
    if _may_be_hard(text, size):
        error, tree = _parsed(text)
        if tree is None:
            return error
        if work_of(tree.body)[0] > MAX_WORK:
            return SyntaxError(TOO_MANY_FINALLY_EXITS)
    return compile_error(text) if size <= MAX_BYTES else _compiled(text)


def work_of(body: Sequence[ast.stmt]) -> tuple[int, int]:
    """(characters that the compiler goes through, ways out of the block: return, break, continue).

    Statements nest at most 100 deep (the tokenizer's limit of indents), so the recursion is shallow.
    """
    work = exits = 0
    for statement in body:
        inner, ways = _work(statement)
        work, exits = work + inner, exits + ways
    return work, exits


def _work(statement: ast.stmt) -> tuple[int, int]:
    blocks = [work_of(block) for block in _blocks(statement)]
    if not blocks:
        return _length(statement), int(isinstance(statement, _EXITS))
    work = 40 + sum(inner for inner, _ in blocks)
    exits = sum(ways for _, ways in blocks)
    if isinstance(statement, _TRIES):
        last, ways = work_of(statement.finalbody)  # type: ignore[attr-defined]
        return work + last * (2 + exits), exits + ways * (2 + exits)
    return work, 0 if isinstance(statement, _SCOPES) else exits


def _blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    """Its nested blocks, but `finally`."""
    owners = [statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())]
    blocks = [getattr(owner, name, None) for owner in owners for name in ("body", "orelse")]
    return [block for block in blocks if block]


def _length(statement: ast.stmt) -> int:
    lines = (statement.end_lineno or statement.lineno) - statement.lineno
    return 80 * lines + max(1, (statement.end_col_offset or 0) - statement.col_offset * (lines == 0))


def _may_be_hard(text: str, size: int) -> bool:
    """Whether counting words leaves it open that copied `finally` bodies are too much work."""
    levels = min(text.count("finally"), MAX_INDENT)
    exits = sum(map(text.count, ("return", "break", "continue")))
    return levels > 0 and size * (1 + exits) * 2**levels > MAX_WORK


def _parsed(text: str) -> tuple[SyntaxError | None, ast.Module | None]:
    try:
        with quiet():
            return None, ast.parse(text)
    except SyntaxError as error:
        return error, None
    except (ValueError, MemoryError, RecursionError) as error:
        return SyntaxError(f"{type(error).__name__}: {error}"), None


def _compiled(text: str) -> SyntaxError | None:
    try:
        with quiet():
            compile(text, NAMELESS, "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    except (ValueError, MemoryError, RecursionError, OverflowError) as error:
        return SyntaxError(f"{type(error).__name__}: {error}")
    return None
