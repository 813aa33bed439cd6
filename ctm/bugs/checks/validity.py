"""Checks of mutants: compiler, bytecode, security rules and category."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from types import CodeType

from ctm.bugs.security.rules import has_grave_weakness, security_rule_of_lines
from ctm.pairs.categories import is_complex
from ctm.python.compiling import NAMELESS, compile_limit_reason
from ctm.python.compiling import quiet as quiet

_fields = attrgetter(
    "co_varnames",
    "co_cellvars",
    "co_freevars",
    "co_flags",
    "co_argcount",
    "co_posonlyargcount",
    "co_kwonlyargcount",
    "co_name",
    "co_exceptiontable",
)


ChangedLines = Callable[[], tuple[str, str]]
"""Of a mutant: the whole logical lines of the buggy and of the fixed side outside of which both are equal."""


@lru_cache(maxsize=32)  # a snippet's parts, its clean sides and small mutants come again and again
def code_of(text: str) -> CodeType | None:
    """The compiled text; None where it does not compile or is beyond a cap (`compile_limit_reason`).

    Call it inside `quiet()`, and for code of others inside a worker that may be killed.
    """
    if compile_limit_reason(text):
        return None
    try:
        return compile(text, NAMELESS, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
        return None


def same_code(a: CodeType, b: CodeType) -> bool:
    """Whether two code objects run alike: equal but for lines and positions, constants compared with their types."""
    # what most mutants differ in comes first: the compiler's objects make these anew each time they are asked
    return (
        a.co_code == b.co_code
        and a.co_names == b.co_names
        and _same_constants(a.co_consts, b.co_consts)
        and _fields(a) == _fields(b)
    )


def _same_constants(a: tuple[object, ...], b: tuple[object, ...]) -> bool:
    return len(a) == len(b) and all(map(_same_constant, a, b))


def _same_constant(a: object, b: object) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, CodeType) and isinstance(b, CodeType):
        return same_code(a, b)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return _same_constants(a, b)
    if isinstance(a, frozenset) and isinstance(b, frozenset):
        return a == b and sorted(map(repr, a)) == sorted(map(repr, b))
    if isinstance(a, (float, complex)):  # 0.0 and -0.0 are equal, nan is not equal to itself
        return repr(a) == repr(b)
    return a == b


def mutant_reject_reason(
    buggy: str, fixed: str, code: CodeType | None, category: str, where: ChangedLines | None = None
) -> str:
    """Why a mutant is not what its kind says, "" where it is; `code` is that of the fixed side.

    where: the lines in which the sides differ, if that is known; else all of them.
    What a complex kind makes must be complex to `categorize` too, of which only the last steps are left to take here.
    """
    if code is None:
        return "fixed side does not compile"
    if buggy == fixed:
        return "nothing changed"
    broken = code_of(buggy)
    if category == "syntax":
        return "" if broken is None else "syntax mutant compiles"
    if broken is None:
        return f"{category} mutant does not compile"
    if same_code(code, broken):
        return "same bytecode"
    if category == "security":
        if not breaks_rule(buggy, fixed, where):
            return "no security rule is broken"
        return "another weakness stays" if has_grave_weakness(fixed) else ""
    if category == "complex":
        if breaks_rule(buggy, fixed, where):
            return "complex mutant is security"
        return "" if is_complex(buggy, fixed) else "complex mutant is logic"
    return ""


def breaks_rule(buggy: str, fixed: str, where: ChangedLines | None = None) -> bool:
    """Whether a mutant breaks a rule of the security taxonomy that its fixed side keeps."""
    return security_rule_of_lines(buggy, fixed, *(where() if where else (buggy, fixed)))
