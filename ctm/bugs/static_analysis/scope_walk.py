"""The walk behind `scopes`: a syntax tree in the order in which it runs, with what is surely bound where.

Structured definite assignment: ways that meet keep what all of them bind, a loop's body counts for itself alone, and
whatever is doubtful is left out.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence

from ctm.bugs.static_analysis.trees import nodes_of

NO_VARIABLES = frozenset((*dir(builtins), "self", "cls", "_"))
"""Names that nobody takes for a variable."""

_BINDS = frozenset((ast.Name, ast.Global, ast.Nonlocal, ast.MatchAs, ast.MatchStar, ast.ExceptHandler))

Bound = tuple[str, ...]
"""Variables that are surely bound, in the order in which they were."""


class Walk:
    """Walks a tree in the order in which it runs; each method is given what is bound before and returns what is after.

    None stands for a place that is never reached: behind `return`, `raise`, `break` and `continue`.
    """

    def __init__(self) -> None:
        self.reads: list[tuple[ast.Name, int, Bound]] = []
        self.starts: dict[int, Bound] = {}
        """What is bound where a line's first statement begins."""
        self.binds: set[str] = set()
        """Names that the snippet binds anywhere, functions, classes and modules too."""
        self.variables: set[str] = set()
        """Of these, the variables."""
        self.values: dict[str, None] = {}
        """Names that are read as a value somewhere."""
        self.deleted: set[str] = set()
        """Names of which one is deleted somewhere, perhaps in a loop's round before."""
        self.scope = self.scopes = 0
        self.classes: list[Bound] = []
        """What is visible to the functions in a class body: not the names of the class."""

    def block(self, body: Sequence[ast.stmt], bound: Bound) -> Bound | None:
        now: Bound | None = bound
        for statement in body:
            # what stands behind a `return` is walked too, so that its names are known
            self.starts.setdefault(statement.lineno, bound)
            after = self.statement(statement, bound)
            now = None if now is None else after
            bound = bound if after is None else after
        return now

    def statement(self, node: ast.stmt, bound: Bound) -> Bound | None:
        match node:  # what is met most often first
            case ast.Expr():
                return self.expression(node.value, bound)
            case ast.Assign():
                bound = self.expression(node.value, bound)
                for target in node.targets:
                    bound = self.target(target, bound)
                return bound
            case ast.Return() | ast.Raise():
                self.expressions(ast.iter_child_nodes(node), bound)
                return None
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return self.function(node, bound)
            case ast.ClassDef():
                self.expressions([*node.bases, *(word.value for word in node.keywords)], bound)
                with_class = self.classes
                self.classes = [*with_class, with_class[-1] if with_class else bound]
                outer, self.scope = self.enter(), self.scopes
                self.block(node.body, bound)
                self.scope, self.classes = outer, with_class
                self.binds.add(node.name)
                return self.without(bound, node.name)
            case ast.If():
                bound = self.expression(node.test, bound)
                return _both([self.block(node.body, bound), self.block(node.orelse, bound)])
            case ast.For() | ast.AsyncFor():
                bound = self.expression(node.iter, bound)
                self.block(node.body, self.target(node.target, bound))
                self.block(node.orelse, bound)
                return bound  # a `break` gets here past the `else`
            case ast.While():
                bound = self.expression(node.test, bound)
                self.block(node.body, bound)
                self.block(node.orelse, bound)
                return bound
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    bound = self.expression(item.context_expr, bound)
                    if item.optional_vars is not None:
                        bound = self.target(item.optional_vars, bound)
                inside = self.block(node.body, bound)
                return bound if inside is None else inside  # a context manager may swallow what was raised
            case ast.Try() | ast.TryStar():
                return self.attempt(node, bound)
            case ast.Match():
                return self.matched(node, bound)
            case ast.Break() | ast.Continue():
                return None
            case ast.Import() | ast.ImportFrom():
                names = [(alias.asname or alias.name).split(".")[0] for alias in node.names]
                self.binds.update(names)
                return self.without(bound, *names)
            case ast.Global() | ast.Nonlocal():
                return bound
            case ast.Delete():
                self.expressions([t for t in node.targets if not isinstance(t, ast.Name)], bound)
                self.deleted.update(t.id for t in node.targets if isinstance(t, ast.Name))
                return bound
            case ast.AugAssign():
                return self.target(node.target, self.expression(node.value, bound))
            case ast.AnnAssign():
                if node.value is None:
                    return bound
                return self.target(node.target, self.expression(node.value, bound))
            case _:
                return self.expressions(ast.iter_child_nodes(node), bound)

    def attempt(self, node: ast.Try | ast.TryStar, bound: Bound) -> Bound | None:
        body = self.block(node.body, bound)
        after = self.block(node.orelse, bound if body is None else body)
        ways = [None if body is None else after]
        for handler in node.handlers:
            self.expressions([handler.type] if handler.type else [], bound)
            start = self.named([handler.name], bound) if handler.name else bound
            end = self.block(handler.body, start)
            ways.append(end if end is None or not handler.name else self.without(end, handler.name))
        out = _both(ways)
        last = self.block(node.finalbody, bound)
        if last is None or out is None:
            return None
        return (*out, *(name for name in last if name not in out))

    def matched(self, node: ast.Match, bound: Bound) -> Bound | None:
        bound = self.expression(node.subject, bound)
        ways: list[Bound | None] = [bound]
        for case in node.cases:
            names = [
                getattr(part, "name", None) or getattr(part, "rest", None) for part in ast.walk(case.pattern)
            ]
            inside = self.named([name for name in names if name], bound)
            if case.guard is not None:
                inside = self.expression(case.guard, inside)
            ways.append(self.block(case.body, inside))
        return _both(ways)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, bound: Bound) -> Bound:
        self.binds.add(node.name)
        self.expressions(_defaults(node.args), bound)
        outer, self.scope = self.enter(), self.scopes
        classes, self.classes = self.classes, []
        own = _own_names(node)
        # a name that the function binds itself is not that of the code around it
        around = tuple(name for name in (classes[-1] if classes else bound) if name not in own)
        self.block(node.body, self.named(_parameters(node.args), around))
        self.scope, self.classes = outer, classes
        return self.without(bound, node.name)

    def enter(self) -> int:
        """Begin a scope with a number of its own; returns the number of the one around it."""
        self.scopes += 1
        return self.scope

    def expressions(self, nodes: Iterable[ast.AST], bound: Bound) -> Bound:
        for node in nodes:
            bound = self.expression(node, bound)
        return bound

    def expression(self, node: ast.AST, bound: Bound) -> Bound:
        """Notes the reads of an expression; `:=` alone binds anything."""
        match node:
            case ast.Name():
                if isinstance(node.ctx, ast.Load):
                    self.reads.append((node, self.scope, bound))
                    self.values.setdefault(node.id)
                return bound
            case ast.Attribute(value=ast.Name()):
                value = node.value
                if isinstance(value, ast.Name) and isinstance(value.ctx, ast.Load):
                    self.reads.append((value, self.scope, bound))
                return bound
            case ast.Call():
                if not isinstance(node.func, ast.Name):  # a callee is no value
                    bound = self.expression(node.func, bound)
                return self.expressions([*node.args, *(word.value for word in node.keywords)], bound)
            case ast.Constant():
                return bound
            case ast.Attribute():
                return self.expression(node.value, bound)
            case ast.Compare():
                return self.expressions([node.left, *node.comparators], bound)
            case ast.BinOp() | ast.Subscript():
                left, right = (
                    (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value, node.slice)
                )
                return self.expression(right, self.expression(left, bound))
            case ast.JoinedStr() | ast.expr_context():
                return bound
            case ast.NamedExpr():
                return self.target(node.target, self.expression(node.value, bound))
            case ast.BoolOp():
                after = self.expression(node.values[0], bound)
                self.expressions(node.values[1:], after)
                return after
            case ast.IfExp():
                bound = self.expression(node.test, bound)
                self.expression(node.body, bound)
                self.expression(node.orelse, bound)
                return bound
            case ast.Lambda():
                self.expressions(_defaults(node.args), bound)
                outer, self.scope = self.enter(), self.scopes
                self.expression(node.body, self.named(_parameters(node.args), self.visible(bound)))
                self.scope = outer
                return bound
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self.comprehension(node, bound)
                return bound
            case _:
                return self.expressions(ast.iter_child_nodes(node), bound)

    def visible(self, bound: Bound) -> Bound:
        """What a scope inside this one sees: nothing of a class body."""
        return self.classes[-1] if self.classes else bound

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, bound: Bound
    ) -> None:
        first, *rest = node.generators
        self.expression(first.iter, bound)
        outer, self.scope = self.enter(), self.scopes
        inside = self.visible(bound)
        hidden = {
            part.id for one in node.generators for part in ast.walk(one.target) if isinstance(part, ast.Name)
        }
        inside = tuple(name for name in inside if name not in hidden)
        inside = self.expressions(first.ifs, self.target(first.target, inside))
        for one in rest:
            inside = self.target(one.target, self.expression(one.iter, inside))
            inside = self.expressions(one.ifs, inside)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.expressions(parts, inside)
        self.scope = outer

    def target(self, node: ast.expr, bound: Bound) -> Bound:
        """Names that a target binds; what it reads (`a[i] = x`) is noted first."""
        match node:
            case ast.Name():
                return self.named([node.id], bound)
            case ast.Tuple() | ast.List():
                for part in node.elts:
                    bound = self.target(part, bound)
                return bound
            case ast.Starred():
                return self.target(node.value, bound)
            case _:
                return self.expression(node, bound)

    def named(self, names: Iterable[str], bound: Bound) -> Bound:
        names = [name for name in names if name not in NO_VARIABLES]
        self.binds.update(names)
        self.variables.update(names)
        return (*bound, *(name for name in dict.fromkeys(names) if name not in bound))

    def without(self, bound: Bound, *names: str) -> Bound:
        return tuple(name for name in bound if name not in names)


def _both(ways: Sequence[Bound | None]) -> Bound | None:
    """What is bound where several ways meet; None where none of them gets there."""
    reached = [way for way in ways if way is not None]
    if not reached:
        return None
    return tuple(name for name in reached[0] if all(name in way for way in reached[1:]))


def _parameters(given: ast.arguments) -> list[str]:
    plain = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return [item.arg for item in (*plain, given.vararg, given.kwarg) if item is not None]


def _defaults(given: ast.arguments) -> list[ast.expr]:
    return [*given.defaults, *(value for value in given.kw_defaults if value is not None)]


def _own_names(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Names that a function binds or declares somewhere, those of functions inside it too: none of them is taken from
    the code around it, which errs on the safe side."""
    own: set[str] = set()
    for part in nodes_of(node, _BINDS):
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
            own.add(part.id)
        elif isinstance(part, (ast.Global, ast.Nonlocal)):
            own.update(part.names)
        elif isinstance(part, (ast.MatchAs, ast.MatchStar, ast.ExceptHandler)) and part.name:
            own.add(part.name)
    return own
