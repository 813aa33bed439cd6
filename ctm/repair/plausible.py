"""Plausibility of an answer: signs that it compiles by chance, and their costs in the search.

The model judges one edit at a time and the compiler accepts whatever parses. Here the answer as a whole is looked at:
how many places it changes, and whether what it changes reads like code that somebody wrote.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from dataclasses import dataclass
from itertools import pairwise

from ctm.python.compiling import quiet
from ctm.python.lexical import lenient_tokens
from ctm.repair.harm import common, token_diff
from ctm.repair.text_loss import TextLoss

APART = 1
"""Unchanged tokens between two changes of one place, at most."""
_WORD = re.compile(r"[^\W\d]\w*")
_KNOWN = frozenset((*keyword.kwlist, *keyword.softkwlist, *dir(builtins)))
_LITERAL = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.JoinedStr)
_UNHASHABLE = (ast.Dict, ast.List, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp)
_IDLE = (ast.Compare, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Name, ast.Tuple, ast.Constant)


@dataclass(frozen=True, slots=True)
class Costs:
    """What speaks against an answer, nats each; fitted on half of a suite (docs/log/2026-11-plausible.md)."""

    further_edit: float = 1.0
    """An edit or rewrite, but the first."""
    further_place: float = 2.0
    """A place that is changed, but the first."""
    lost_word: float = 0.7
    """A word of the author's that is gone."""
    swallowed: float = 0.4
    """A name or number that became the content of a string or comment."""
    new_name: float = 4.0
    """A name that stands nowhere in the broken text."""
    idle: float = 3.0
    """A statement that does nothing."""
    lone_tuple: float = 1.5
    """A tuple of one item."""
    absurd: float = 1.0
    """An expression that fails whenever it runs."""

    def __call__(self, before: str, after: str, edits: int, loss: TextLoss) -> float:
        """The cost of `after`, which compiles, as an answer of so many edits to `before`, of which it loses `loss`."""
        found = signs(before, after)
        return (
            self.further_edit * max(0, edits - 1)
            + self.further_place * max(0, found.places - 1)
            + self.lost_word * len(loss.words)
            + self.swallowed * loss.swallowed
            + self.new_name * found.new_names
            + self.idle * found.idle
            + self.lone_tuple * found.lone_tuples
            + self.absurd * found.absurd
        )


NO_COSTS = Costs(0, 0, 0, 0, 0, 0, 0, 0)
"""No cost for anything."""


@dataclass(frozen=True, slots=True)
class Signs:
    """Signs against an answer, counted where it differs from the text before."""

    places: int
    """Runs of changed tokens; `APART` unchanged ones part none."""
    new_names: int
    """Names in code that are neither builtin nor anywhere in the text before."""
    idle: int
    """Expressions that stand as statements and do nothing: a name, a comparison, a sum, a tuple, a constant.
    A docstring is none."""
    lone_tuples: int
    """Tuples of one item."""
    absurd: int
    """What fails whenever it runs: a literal that is called, a list as a key or in a set, an attribute of a number."""


def signs(before: str, after: str) -> Signs:
    """The signs against `after`, which compiles, as an answer to `before`."""
    places, new_names = _changed_tokens(before, after)
    first, last = changed_lines(before, after)
    idle = lone_tuples = absurd = 0
    nodes = _nodes(after)
    docstrings = {id(text) for node in nodes if (text := _docstring(node)) is not None}
    for node in nodes:
        if not isinstance(node, (ast.expr, ast.stmt)) or node.lineno > last or (node.end_lineno or 0) < first:
            continue
        idle += isinstance(node, ast.Expr) and isinstance(node.value, _IDLE) and id(node) not in docstrings
        lone_tuples += isinstance(node, ast.Tuple) and len(node.elts) == 1
        absurd += _is_absurd(node)
    return Signs(places, new_names, idle, lone_tuples, absurd)


def _changed_tokens(before: str, after: str) -> tuple[int, int]:
    """Places and new names of `Signs`."""
    old, new = lenient_tokens(before), lenient_tokens(after)
    change = token_diff(old, new)
    touched = sorted(
        {(place, place + 1) for place in change.deleted} | {(gap, gap) for gap, _ in change.inserted}
    )
    places, last = 0, -APART - 1
    for start, end in touched:
        places += start - last > APART
        last = end
    known = set(_WORD.findall(before)) | _KNOWN
    deleted = {old[place] for place in change.deleted}
    for pair in pairwise(token for token in new if re.fullmatch(r"\w+", token)):
        if "".join(pair) in deleted:  # a word that was two is the author's still
            known.update(pair)
    new_names = sum(
        count
        for (_, token), count in change.inserted.items()
        if _WORD.fullmatch(token) and token not in known
    )
    return places, new_names


def changed_lines(before: str, after: str) -> tuple[int, int]:
    """First and last line of `after`, counted from 1, between which it differs from `before`."""
    old, new = before.split("\n"), after.split("\n")
    start = common(old, new)
    return start + 1, len(new) - common(old[start:][::-1], new[start:][::-1])


def _nodes(text: str) -> list[ast.AST]:
    """All nodes of the tree, none where the parser gives up."""
    try:
        with quiet():
            return list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return []


def _docstring(node: ast.AST) -> ast.stmt | None:
    """The statement that documents a module, class or function; None without one."""
    if (
        not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        or not node.body
    ):
        return None
    match node.body[0]:
        case ast.Expr(value=ast.Constant(value=str())):
            return node.body[0]
    return None


def _is_absurd(node: ast.AST) -> bool:
    match node:
        case ast.Call():
            return isinstance(node.func, _LITERAL)
        case ast.Attribute(value=ast.Constant(value=int() | float() | complex())):
            return True
        case ast.Set():
            return any(isinstance(item, _UNHASHABLE) for item in node.elts)
        case ast.Dict():
            return any(isinstance(key, _UNHASHABLE) for key in node.keys)
    return False
