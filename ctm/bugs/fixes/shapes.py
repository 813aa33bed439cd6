"""Shapes of single edits, and the logic kind that makes each the other way round."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from ctm.bugs.fixes.edit import BORDERS, FixEdit, is_name
from ctm.bugs.fixes.tables import (
    ALIKE,
    ARITHMETIC,
    AUGMENTED,
    BITWISE,
    CALLS,
    COMPARISONS,
    CONSTANTS,
    JUMPS,
    MODERN,
    ORDERED,
)
from ctm.python.lexical import DEDENT, INDENT, NEWLINE

MAX_EDIT_TOKENS = 3
"""Lexical tokens that change on either side."""
LONGEST = 12
"""The same of swaps and guards, and of security fixes."""


@dataclass(frozen=True, slots=True)
class File:
    old: Mapping[str, int]
    new: Mapping[str, int]


def shape(edit: FixEdit, before: str, file: File) -> str:
    """The logic kind that an edit undoes, "" for none."""
    return longer(edit) or (
        short(edit, before, file) if max(len(edit.old), len(edit.new)) <= MAX_EDIT_TOKENS else ""
    )


def longer(edit: FixEdit) -> str:
    """Kinds whose edit may be longer: what moves, and guards."""
    old, new = edit.old, edit.new
    if INDENT in old + new or DEDENT in old + new:
        return _level(old, new)
    if len(old) > LONGEST or len(new) > LONGEST:
        return ""
    if not old and new[-1] in ("and", "or"):
        return _guard(edit)
    return _swap(edit) if Counter(old) == Counter(new) and old else ""


def _level(old: tuple[str, ...], new: tuple[str, ...]) -> str:
    borders = (INDENT, DEDENT)
    same = [t for t in old if t not in borders] == [t for t in new if t not in borders]
    moved = sum(token == NEWLINE for token in old)
    return "wrong_level" if same and Counter(old) == Counter(new) and 1 <= moved <= 2 else ""


def _guard(edit: FixEdit) -> str:
    """`x and`, `x is not None and`, `not x or`, `x is None or` before what reads an attribute or item of x."""
    *guard, joint = edit.new
    negated = guard[:1] == ["not"] or guard[-2:] == ["is", "None"]
    path = guard[guard[:1] == ["not"] :]
    for test in (["is", "not", "None"], ["is", "None"], ["!=", "None"]):
        path = path[: -len(test)] if path[-len(test) :] == test else path
    if not path or negated != (joint == "or") or any(t != "." and not is_name(t) for t in path):
        return ""
    line = edit.line()
    n = len(path)
    reads = any(
        line[i : i + n] == path and line[i + n : i + n + 1] and line[i + n] in (".", "[")
        for i in range(len(line) - n)
    )
    return "dropped_condition" if reads else ""


def _swap(edit: FixEdit) -> str:
    """Two balanced parts on the two sides of one token, the other way round."""
    for left in range(5):
        for right in range(5):
            begin, end, new_end = edit.at - left, edit.stop + right, edit.new_stop + right
            if begin < 1 or end >= len(edit.before) or new_end >= len(edit.after):
                continue
            old = [token.text for token in edit.before[begin:end]]
            new = [token.text for token in edit.after[begin:new_end]]
            middle = _swapped_at(old, new)
            if not middle:
                continue
            before, behind = edit.before[begin - 1].text, edit.before[end].text
            if before == "." or behind in (".", "(", "["):
                continue
            if middle == NEWLINE:
                return "wrong_order" if _depends(new) and not _depends(old) else ""
            if middle == "," and before in ("(", ",") and behind in (")", ","):
                return "swapped_arguments" if _in_call(edit, begin) else ""
            if middle in ORDERED and not _is_operand(before) and not _is_operand(behind):
                return "swapped_operands"
    return ""


def _swapped_at(old: list[str], new: list[str]) -> str:
    for place in range(1, len(old) - 1):
        left, middle, right = old[:place], old[place], old[place + 1 :]
        if new == [*right, middle, *left] and left != right:
            inner = "" if middle == NEWLINE else ",=:"
            if _balanced(left, inner) and _balanced(right, inner):
                return middle
    return ""


def _balanced(tokens: list[str], refused: str) -> bool:
    """Whether all brackets are closed, and none of these signs stands outside of them."""
    depth = 0
    for token in tokens:
        depth += token in ("(", "[", "{")
        depth -= token in (")", "]", "}")
        if depth < 0 or (not depth and token in refused):
            return False
    return not depth


def _is_operand(token: str) -> bool:
    return token in (*ARITHMETIC, ")", "]") or is_name(token)


def _in_call(edit: FixEdit, begin: int) -> bool:
    """Whether the bracket around token `begin` is that of a call."""
    depth = 0
    for place in range(begin - 1, 0, -1):
        token = edit.before[place].text
        depth += token in (")", "]", "}")
        if token in ("(", "[", "{"):
            if not depth:
                name = edit.before[place - 1].text
                return token == "(" and (is_name(name) or name in (")", "]"))
            depth -= 1
    return False


def _depends(statements: list[str]) -> bool:
    """Whether the first of two statements sets a name that the second one reads."""
    place = statements.index(NEWLINE)
    first, second = statements[:place], statements[place + 1 :]
    return len(first) > 2 and first[1] == "=" and first[0] in second and second[0] != first[0]


def short(edit: FixEdit, before: str, file: File) -> str:
    old, new = edit.old, edit.new
    if len(old) == len(new) == 1:
        return _operator(old[0], new[0], edit) or _exchange(edit, before, file)
    if old == ("is", "not") and new == ("!=",):
        return "identity_for_equality"
    if not old:
        return _inserted(edit, before, file)
    if not new:
        return _removed(edit)
    return ""


def _operator(old: str, new: str, edit: FixEdit) -> str:
    both = {old, new}
    begins = edit.previous in BORDERS
    if both <= COMPARISONS:
        return "comparison_operator"
    if both == {"and", "or"}:
        return "boolean_operator"
    if both <= ARITHMETIC:
        return "arithmetic_operator"
    if both <= BITWISE:
        return "bitwise_operator"
    if both <= AUGMENTED | {"="}:
        return "augmented_operator"
    if (old, new) == ("is", "=="):
        return "identity_for_equality"
    if (old, new) == ("==", "="):
        return "equality_for_assignment"
    if both <= JUMPS and begins and edit.following == NEWLINE:
        return "wrong_jump"
    if old == "if" and new in ("elif", "while") and begins:
        return "if_for_elif"
    return ""


def _exchange(edit: FixEdit, before: str, file: File) -> str:
    """One number, constant or name for another."""
    (old,), (new,) = edit.old, edit.new
    if old in CONSTANTS and new in CONSTANTS:
        return (
            "" if edit.is_bracketed() else "constant"
        )  # an argument is a choice, a value of one's own a result
    if old.isdecimal() and new.isdecimal():
        return "off_by_one" if abs(int(old) - int(new)) == 1 else ""
    if not (is_name(old) and is_name(new)):
        return ""
    if edit.previous == ".":
        return _attribute(old, new, file)
    if edit.following == "=" and edit.previous in ("(", ","):
        return ""  # a keyword of a call: it has the name that the other side gives it
    bound = _bound(before)
    if old in CALLS and new in CALLS and edit.following == "(" and not {old, new} & bound:
        return "wrong_attribute"
    if old in bound and new in bound and new != "_" and edit.following != "=" and _still(old, edit):
        return "variable_misuse"
    known = old in bound or hasattr(builtins, old) or file.old.get(old, 0) > 1
    if not known and _is_similar(old, new) and file.new.get(new, 0) > 1:
        return "misspelt_name"
    return ""


def _attribute(old: str, new: str, file: File) -> str:
    if old in MODERN or new in MODERN or old.strip("_") == new.strip("_"):
        return ""  # another name of the same thing
    if file.old.get(old, 0) == 1 and _is_similar(old, new) and file.old.get(new, 0) > 0:
        return "misspelt_name"
    if any(old in group and new in group for group in ALIKE):
        return "wrong_attribute"
    if file.new.get(old, 0) and file.old.get(new, 0):
        return "wrong_attribute"
    return ""


def _is_similar(old: str, new: str) -> bool:
    """Whether one is the other misspelt: one letter more, less, other or two swapped; two in long names."""
    return min(len(old), len(new)) > 2 and OSA.distance(old, new) <= (2 if len(new) > 7 else 1)


def _still(name: str, edit: FixEdit) -> bool:
    """Whether a name is still used behind the fix: one that is gone was renamed, or is dead code."""
    return any(token.text == name for token in edit.after)


def _inserted(edit: FixEdit, before: str, file: File) -> str:
    new, previous, following = edit.new, edit.previous, edit.following
    if new == ("not",):
        return "membership" if following == "in" else "dropped_not"
    if new == ("(", ")"):
        return "missing_call" if is_name(previous) or previous in (")", "]") else ""
    if new == ("await",):
        return "dropped_await"
    if new == ("return",) and previous in (*BORDERS, ":"):
        return "dropped_return"
    if previous == "return" and following == NEWLINE and new != ("None",):
        return "dropped_return"
    if new == ("self", ".") and is_name(following):
        known = following in _bound(before) or hasattr(builtins, following) or file.old.get(f"{following}:")
        return "" if known else "dropped_self"
    return "bound" if _is_one(new) else ""


def _removed(edit: FixEdit) -> str:
    if edit.old == ("not",):
        return "membership" if edit.following == "in" else "negated_condition"
    return "bound" if _is_one(edit.old) else ""


def _is_one(tokens: tuple[str, ...]) -> bool:
    return tokens in (("+", "1"), ("-", "1"))


def _bound(text: str) -> frozenset[str]:
    """Names that a function's text binds: parameters, targets, imports, handlers, nested definitions."""
    names: set[str] = set()
    tree = ast.parse(text)
    outer = tree.body[0] if tree.body else None
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                names.add(name)
            case ast.alias(name=name, asname=other):
                names.add((other or name).split(".")[0])
            case ast.ExceptHandler(name=str() as name):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if node is not outer:
                    names.add(name)
    return frozenset(names)
