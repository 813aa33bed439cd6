"""Decides whether a change alters what a function does, beyond messages, comments and annotations.

It does not notice formatting, comments, docstrings, annotations and casts; people read messages and tracebacks.
"""

from __future__ import annotations

import ast
import re
import warnings
from types import CodeType

_TYPED = re.compile(r"\bcast\(|^[ \t]+(?:async[ \t]+)?def[ \t]", re.MULTILINE)
_HEADER = re.compile(r"(?:@[^\n]*\n)*(?:async[ \t]+)?def[ \t]+\w+\(.*?\)[^\n]*:[ \t]*\n", re.DOTALL)
_SAYING = (
    "critical", "debug", "echo", "error", "exception", "fail", "info", "log", "msg", "print", "warn", "warning",
)  # fmt: skip
_LOGGING = ("critical", "debug", "error", "exception", "info", "log", "warn", "warning")
_SAYS = re.compile(rf"\b(?:raise|assert|{'|'.join(_SAYING)})\b")
_MAY_SAY = re.compile(
    rf"\b(?:except|stacklevel)\b|{_SAYS.pattern}|^[ \t]*\w?['\"]|['\"].*[%{{]", re.MULTILINE
)


def same_meaning_reason(before: str, after: str) -> str:
    """Why two texts of a function, both of which compile, mean the same ("" where they do not)."""
    # Bytecode is the quick answer; trees are compared where it is equal, or where it holds types: a cast, the
    # annotations of a nested function.
    typed = _TYPED.search(before) or _TYPED.search(after)
    alike = typed or _instructions(before) == _instructions(after)
    if alike and ast.dump(_tree(before)) == ast.dump(_tree(after)):
        spacing = "".join(before.split()) == "".join(after.split())
        return "formatting only" if spacing else "no change of the code"
    # Trees cost ten times as much as bytecode: what changed must look like it.
    changed = "\n".join(set(before.split("\n")) ^ set(after.split("\n")))
    if _SAYS.search(before) and _SAYS.search(after) and _MAY_SAY.search(changed):
        old, new = (ast.dump(_Unworded().visit(_tree(text))) for text in (before, after))
        if old == new:
            return "messages and tracebacks only"
    if "def __init__" in before and "self." in changed:
        old_tree, new_tree = _tree(before), _tree(after)
        other = _prepared(old_tree) ^ _prepared(new_tree)
        old, new = (ast.dump(_Unprepared(other).visit(tree)) for tree in (old_tree, new_tree))
        if old == new:
            return "attributes prepared only"
    return ""


def same_parameters(before: str, after: str) -> bool:
    """Whether the parameters of two texts of a function have the same names in the same order."""
    headers = _HEADER.match(before), _HEADER.match(after)
    if all(headers) and headers[0][0] == headers[1][0]:  # type: ignore[index]
        return True
    return _parameters(before) == _parameters(after)


def _parameters(text: str) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        node = ast.parse(text).body[0]
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return []
    given = node.args
    stars = [f"{star}{item.arg}" for star, item in (("*", given.vararg), ("**", given.kwarg)) if item]
    return [*(item.arg for item in (*given.posonlyargs, *given.args, *given.kwonlyargs)), *stars]


def _instructions(text: str) -> tuple[object, ...]:
    """Bytecode of the function in `text`, without docstrings, annotations, defaults, line numbers and assertions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = compile(text, "<function>", "exec", dont_inherit=True, optimize=2)
    return tuple(_comparable(item) for item in code.co_consts if isinstance(item, CodeType))


def _comparable(code: CodeType) -> tuple[object, ...]:
    # repr keeps 1, 1.0 and True apart
    constants = tuple(
        _comparable(item) if isinstance(item, CodeType) else repr(item) for item in code.co_consts
    )
    return code.co_code, code.co_names, code.co_varnames, code.co_flags, code.co_exceptiontable, constants


def _tree(text: str) -> ast.AST:
    """The syntax tree without docstrings, annotations and casts, which no run of the function notices."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree: ast.AST = _Untyped().visit(ast.parse(text))
    return tree


class _Untyped(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        self.generic_visit(node)
        node.body = _returned(node.body)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Docstrings, of attributes too: a text that stands by itself."""
        return None if _is_text(node.value) else self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if _called(node) == "cast" and len(node.args) == 2:
            return self.visit(node.args[1])
        return self.generic_visit(node)


def _returned(body: list[ast.stmt]) -> list[ast.stmt]:
    """`x = value; return x` at the end of a block as `return value`: a name that only carries a type."""
    match body:
        case [*before, ast.Assign([ast.Name(name)], value), ast.Return(ast.Name(same))] if name == same:
            return [*before, ast.Return(value)]
    return body


class _Unworded(ast.NodeTransformer):
    """Empties strings of what is raised, warned of, logged or printed; takes messages of assertions and causes away."""

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        node.cause = None
        return _without_strings(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        self.generic_visit(node)
        used = any(isinstance(part, ast.Name) and part.id == node.name for part in ast.walk(node))
        node.name = node.name if used else None
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        node.msg = None
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """A statement that logs or warns may do so of anything, and of any line."""
        if isinstance(node.value, ast.Call) and _called(node.value) in _LOGGING:
            node.value.args, node.value.keywords = [], []
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return _without_strings(node) if _called(node) in _SAYING else node


_PLACES = re.compile(r"%[-#0-9.]*[rsdifx]\b|%\(\w+\)|\{\w*(?:![rs])?\}")
_PLAIN = ast.Constant("")


class _Unstrung(ast.NodeTransformer):
    """Empties strings, filled in or not; one whose places were forgotten to be filled in is another thing."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str):
            return node
        return ast.Constant("{}") if _PLACES.search(node.value) else _PLAIN

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return _PLAIN

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        filled = isinstance(node.op, ast.Mod) and _is_text(node.left)
        return _PLAIN if filled else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        function = node.func
        filled = (
            isinstance(function, ast.Attribute) and function.attr == "format" and _is_text(function.value)
        )
        return _PLAIN if filled else self.generic_visit(node)


class _Unprepared(ast.NodeTransformer):
    """Takes assignments to these attributes of `self` away."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        return None if _prepared(node) & self._names else node


def _prepared(node: ast.AST) -> set[str]:
    """Attributes of `self` that assignments in `node` set."""
    targets = [target for part in ast.walk(node) if isinstance(part, ast.Assign) for target in part.targets]
    return {
        target.attr
        for target in targets
        if isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
    }


def _called(node: ast.Call) -> str:
    """Last part of the name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _without_strings(node: ast.AST) -> ast.AST:
    return _Unstrung().generic_visit(node)
