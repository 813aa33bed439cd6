"""One plain form for code that can be written in many: newer syntax, a branch turned round, a name inlined.

What linters (pyupgrade, ruff's UP, SIM, RET, C4) and people rewrite without a run noticing is listed here. The form is
compared, never run.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence

_NAMES = {
    "IOError": "OSError", "EnvironmentError": "OSError", "unicode": "str", "basestring": "str", "xrange": "range",
    "unichr": "chr", "izip": "zip", "imap": "map", "text_type": "str", "string_types": "str", "binary_type": "bytes",
    "integer_types": "int",
}  # fmt: skip
"""What old names are called today."""
_METHODS = {
    "iteritems": "items", "itervalues": "values", "iterkeys": "keys", "warn": "warning", "getargspec": "getfullargspec",
    "readfp": "read_file", "get_event_loop": "get_running_loop", "isSet": "is_set", "currentThread": "current_thread",
    "notifyAll": "notify_all",
}  # fmt: skip
"""What deprecated methods and functions are called today."""
_CHECKED = {"override", "final", "no_type_check", "overload"}
"""Decorators for type checkers."""
_TAKING = {"all", "any", "dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple", "join"}
"""Callables that take a list and a generator alike."""
_UTC = ast.Name("utc", ast.Load())
_PLACE = re.compile(r"%(?:\(\w+\))?[-#0-9.]*[srd]|\{\w*\}")
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.NotEq: ast.Eq, ast.NotIn: ast.In, ast.IsNot: ast.Is,
}  # fmt: skip
_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Gt: ast.Lt, ast.GtE: ast.LtE}


def plain_form(text: str) -> ast.Module:
    """The tree of a text in its plain form. Raises SyntaxError for a text that does not compile."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    plain: ast.Module = _Form(tree).visit(tree)
    return plain


def _block(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """A block without `pass`, with `else` after a jump taken out, and names that are used in the next line inlined."""
    flat: list[ast.stmt] = []
    for item in body:
        if isinstance(item, ast.Pass) or (
            isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)
        ):
            continue
        if isinstance(item, ast.If) and item.orelse and item.body and isinstance(item.body[-1], _LEAVES):
            rest, item.orelse = item.orelse, []
            flat += [item, *_block(rest)]
        else:
            flat.append(item)
    return _inlined(_returned(flat))


def _returned(body: list[ast.stmt]) -> list[ast.stmt]:
    """`if a: return b` and `return c` as one value."""
    match body:
        case [*first, ast.If(test, [ast.Return(yes)], []), ast.Return(no)] if yes and no:
            return [*first, ast.Return(ast.IfExp(test, yes, no))]
    return body


def _inlined(body: list[ast.stmt]) -> list[ast.stmt]:
    """`name = value` and its only use in the next statement as one statement."""
    done: list[ast.stmt] = []
    for place, item in enumerate(body):
        match done[-1:]:
            case [ast.Assign([ast.Name(name)], value)]:
                simple = not isinstance(
                    item, (ast.For, ast.While, ast.AsyncFor, ast.FunctionDef, ast.With, ast.Try)
                )
                if simple and _uses([item], name) == _uses(body[place:], name) == 1 and _head(item, name):
                    done[-1] = _Replaced(name, value).visit(item)
                    continue
        done.append(item)
    return done


def _uses(body: Sequence[ast.AST], name: str) -> int:
    return sum(isinstance(node, ast.Name) and node.id == name for item in body for node in ast.walk(item))


def _head(item: ast.stmt, name: str) -> bool:
    """Whether a statement uses a name before it may do anything else: not in one of its blocks."""
    inner = [part for field in ("body", "orelse") for part in getattr(item, field, [])]
    return not any(
        isinstance(node, ast.Name) and node.id == name for part in inner for node in ast.walk(part)
    )


class _Replaced(ast.NodeTransformer):
    def __init__(self, name: str, value: ast.expr) -> None:
        self._name, self._value = name, value

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._value if node.id == self._name and isinstance(node.ctx, ast.Load) else node


class _Form(ast.NodeTransformer):
    """One form of each statement and expression."""

    def __init__(self, tree: ast.Module) -> None:
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        self._used = {node.id for node in names if not isinstance(node.ctx, ast.Store)}
        for node in ast.walk(tree):
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                self._used.update(node.names)

    def _is_dead(self, item: ast.stmt) -> bool:
        """Whether a statement gives a value a name that nothing uses."""
        match item:
            case ast.Assign([ast.Name(name)], ast.Name() | ast.Constant()):
                return name not in self._used
        return False

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list) and not isinstance(node, ast.Module):
                block = [item for item in block if not self._is_dead(item)]
                setattr(node, name, _block(block) or ([ast.Pass()] if name == "body" else []))
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        node.decorator_list = [_bare(item) for item in node.decorator_list if _last(item) not in _CHECKED]
        match node.body:
            case [*rest, ast.Return(None | ast.Constant(None))]:
                node.body = rest or [ast.Pass()]
        return node

    def visit_Import(self, node: ast.Import) -> None:
        """Where a name is imported is a matter of style: a function that nobody could have run has no release."""
        return

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        return None

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Constant) and node.value.value is None:
            node.value = None
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        return ast.Assign([node.target], ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value))

    def visit_If(self, node: ast.If) -> ast.AST:
        """Nested conditions as one; a negated one with `else` turned round."""
        self.generic_visit(node)
        match node:
            case ast.If(test, [ast.If(inner, body, [])], []):
                return ast.If(_both(test, inner), body, [])
            case ast.If(ast.UnaryOp(ast.Not(), test), body, [*orelse]) if orelse:
                return ast.If(test, orelse, body)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        match node.test:
            case ast.UnaryOp(ast.Not(), test):
                return ast.IfExp(test, node.orelse, node.body)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) != 1:
            return node
        kind = type(node.ops[0])
        if kind in _TURNED:
            return ast.Compare(node.comparators[0], [_TURNED[kind]()], [node.left])
        if kind in _OPPOSITE:
            return ast.UnaryOp(ast.Not(), ast.Compare(node.left, [_OPPOSITE[kind]()], node.comparators))
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), ast.Compare() as inner)):
                return inner
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = _NAMES.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if (
            isinstance(node.value, ast.Name)
            and node.value.id in ("six", "compat", "builtins")
            and node.attr in _NAMES
        ):
            return ast.Name(_NAMES[node.attr], ast.Load())
        node.attr = _METHODS.get(node.attr, node.attr)
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        """Its value alone: a format that is filled in itself (`{x:{width}}`) has to stay one to be written anew."""
        node.value = self.visit(node.value)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        self.generic_visit(node)
        text, values = "", []
        for item in node.values:
            match item:
                case ast.FormattedValue(value, -1 | 115, None):
                    text += "{}"
                    values.append(value)
                case ast.Constant(str(part)):
                    text += part
                case _:
                    return node
        return _filled(text, values)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if (
            isinstance(node.op, ast.Mod)
            and isinstance(node.left, ast.Constant)
            and isinstance(node.left.value, str)
        ):
            values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            if not isinstance(node.right, ast.Dict):
                return _filled(_PLACE.sub("{}", node.left.value), values)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        node.keywords.sort(key=lambda item: item.arg or "")
        match node:
            case ast.Call(ast.Attribute(ast.Constant(str(text)), "format"), args, []):
                return _filled(_PLACE.sub("{}", text), args)
            case ast.Call(ast.Name("super"), [_, _], []):
                return ast.Call(ast.Name("super", ast.Load()), [], [])
            case ast.Call(ast.Name("set"), [ast.List(items) | ast.Tuple(items)], []) if items:
                return ast.Set(items)
            case ast.Call(ast.Name("dict"), [], []):
                return ast.Dict([], [])
            case ast.Call(ast.Name("list"), [], []):
                return ast.List([], ast.Load())
            case ast.Call(ast.Name("dict"), [], keywords) if all(item.arg for item in keywords):
                return ast.Dict(
                    [ast.Constant(item.arg) for item in keywords], [item.value for item in keywords]
                )
            case ast.Call(ast.Name("getattr"), [value, ast.Constant(str(name))], []) if name.isidentifier():
                return ast.Attribute(value, name, ast.Load())
            case ast.Call(ast.Attribute(_, "encode" | "decode"), [ast.Constant(str(name))], []):
                node.args = [] if name.lower().replace("-", "") == "utf8" else node.args
            case ast.Call(ast.Name("open"), [path, ast.Constant("r" | "rt")], keywords):
                node.args = [path]
            case ast.Call(ast.Attribute(_, "get"), [key, ast.Constant(None)], []):
                node.args = [key]
            case ast.Call(ast.Attribute(value, "keys"), [], []) if not isinstance(value, ast.Call):
                return value
        if _last(node) in _TAKING and len(node.args) == 1 and isinstance(node.args[0], ast.ListComp):
            node.args = [ast.GeneratorExp(node.args[0].elt, node.args[0].generators)]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "utcnow":
            return ast.Call(ast.Attribute(node.func.value, "now", ast.Load()), [_UTC], [])
        if _last(node) == "now" and len(given := [*node.args, *(item.value for item in node.keywords)]) == 1:
            node.args, node.keywords = ([_UTC] if _last(given[0]).lower() == "utc" else given), []
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """`lambda x: f(x)` as `f`."""
        self.generic_visit(node)
        match node:
            case ast.Lambda(
                ast.arguments([], [ast.arg(name)], None, [], [], None, []), ast.Call(function, [given], [])
            ):
                if isinstance(given, ast.Name) and given.id == name and isinstance(function, ast.Name):
                    return function
        return node


def _both(one: ast.expr, other: ast.expr) -> ast.expr:
    parts = [
        value
        for test in (one, other)
        for value in (
            test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
        )
    ]
    return ast.BoolOp(ast.And(), parts)


def _filled(text: str, values: Sequence[ast.expr]) -> ast.expr:
    """A text with places to be filled in, however it is written."""
    return (
        ast.Call(ast.Name("filled", ast.Load()), [ast.Constant(text), *values], [])
        if values
        else ast.Constant(text)
    )


def _bare(decorator: ast.expr) -> ast.expr:
    """`@pytest.fixture()` as `@pytest.fixture`."""
    match decorator:
        case ast.Call(ast.Attribute(_, "fixture") as function, [], []):
            return function
    return decorator


def _last(node: ast.expr) -> str:
    """Last part of the name of what is called or named."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
