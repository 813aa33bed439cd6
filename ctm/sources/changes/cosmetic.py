"""Detects cosmetic changes: wording, style, imports and tests, as commits named "Fix typo" make them.

Such commits repair bugs too: the typo may be in a name, the import may crash. What changes decides, not the subject.
Wording, spelling of variables, what linters ask for, imports taken away and assertions for type checkers are no fix.
"""

from __future__ import annotations

import ast
import warnings
from collections import Counter

VERSION = "cosmetic/2"
_STATED = {True: ast.Is, False: ast.IsNot}
_NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.In: ast.NotIn, ast.Is: ast.IsNot}
_SIGNS = frozenset("\\|<>=*&$^~[]#@+")
"""Characters of patterns, queries, commands and markup, which a program reads."""
_EVERY_EXCEPTION = ("Exception", "BaseException")


def is_cosmetic(before: str, after: str) -> bool:
    """Whether two texts of a function, both of which compile, differ in wording, names of variables or style only."""
    old, new = _parsed(before), _parsed(after)
    if _imported(new) - _imported(old):
        return False
    plain = [ast.dump(_Numbered(_bound(tree)).visit(_Plain().visit(tree))) for tree in (old, new)]
    return plain[0] == plain[1]


def _parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _imported(tree: ast.AST) -> Counter[str]:
    """What is imported, and under which name."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            origin = f"{'.' * node.level}{node.module or ''}:" if isinstance(node, ast.ImportFrom) else ""
            found.update(f"{origin}{item.name} {item.asname}" for item in node.names)
    return found


def _bound(tree: ast.AST) -> set[str]:
    """Variables and parameters that the text binds; a name in a keyword argument is another's parameter."""
    found = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    found |= {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name}
    free = {
        name for node in ast.walk(tree) if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names
    }
    return found - free


class _Numbered(ast.NodeTransformer):
    """Numbers variables in order of first use; a parameter of an inner function is another one."""

    def __init__(self, names: set[str]) -> None:
        self._numbers: dict[str, str] = {}
        self._names = names
        self._count = 0

    def _number(self, name: str) -> str:
        if name not in self._names:
            return name
        if name not in self._numbers:
            self._numbers[name] = f"${self._count}"
            self._count += 1
        return self._numbers[name]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        outer = self._numbers
        own = {part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg)}
        self._numbers = {name: number for name, number in outer.items() if name not in own}
        self.generic_visit(node)
        self._numbers = outer | {name: number for name, number in self._numbers.items() if name not in own}
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._number(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self._number(node.arg)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = self._number(node.name) if node.name else None
        return self.generic_visit(node)


class _Plain(ast.NodeTransformer):
    """Without imports, annotations, assertions of types, docstrings and words of texts; style as linters have it."""

    def visit_Import(self, node: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        return None

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value))

    def visit_Assert(self, node: ast.Assert) -> ast.AST | None:
        return None if _of_type(node.test) else self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Pass(self, node: ast.Pass) -> None:
        return None

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """A text of several words is for people; one word may be a key, and signs may be a pattern or a command."""
        prose = isinstance(node.value, str) and _is_prose(node.value)
        return ast.Constant("") if prose else ast.Constant(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        self.generic_visit(node)
        filled = [item for item in node.values if isinstance(item, ast.FormattedValue)]
        if not filled:
            return ast.Constant("".join(getattr(item, "value", "") for item in node.values))
        if _is_prose(" x ".join(getattr(item, "value", "") for item in node.values if item not in filled)):
            node.values = [*filled]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.type, ast.Name) and node.type.id in _EVERY_EXCEPTION:
            node.type = None
        used = any(isinstance(part, ast.Name) and part.id == node.name for part in ast.walk(node))
        node.name = node.name if used else None
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """`== None` as `is None`, `type(a) is b` as `isinstance(a, b)`."""
        self.generic_visit(node)
        if _is_type_of(node):
            called = ast.Name("isinstance", ast.Load())
            return ast.Call(called, [node.left.args[0], node.comparators[0]], [])  # type: ignore[attr-defined]
        for place, (operator, right) in enumerate(zip(node.ops, node.comparators, strict=True)):
            single = isinstance(right, ast.Constant) and (
                right.value is None or isinstance(right.value, bool)
            )
            if single and isinstance(operator, (ast.Eq, ast.NotEq)):
                node.ops[place] = _STATED[isinstance(operator, ast.Eq)]()
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """`not a in b` as `a not in b`."""
        self.generic_visit(node)
        inner = node.operand
        single = isinstance(node.op, ast.Not) and isinstance(inner, ast.Compare) and len(inner.ops) == 1
        if single and (other := _NEGATED.get(type(inner.ops[0]))):  # type: ignore[attr-defined]
            inner.ops = [other()]  # type: ignore[attr-defined]
            return inner
        return node


def _is_type_of(node: ast.Compare) -> bool:
    called = node.left
    return (
        isinstance(called, ast.Call)
        and getattr(called.func, "id", "") == "type"
        and len(called.args) == len(node.ops) == 1
        and isinstance(node.ops[0], (ast.Eq, ast.Is))
    )


def _is_prose(text: str) -> bool:
    return len(text.split()) > 1 and not _SIGNS.intersection(text)


def _of_type(test: ast.expr) -> bool:
    """Whether an assertion tells a type checker what something is."""
    if isinstance(test, ast.Compare):
        return isinstance(test.ops[0], (ast.Is, ast.IsNot))
    return isinstance(test, ast.Call) and getattr(test.func, "id", "") in ("isinstance", "callable")
