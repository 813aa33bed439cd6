"""Whether a fix takes a mutable default away: two places, the default and the guard."""

from __future__ import annotations

import ast
import re


def mutable_default(before: str, after: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The default and None, where `after` has None for it and sets the name to what the default was."""
    if after.count("None") <= before.count("None"):
        return None
    trees = ast.parse(before), ast.parse(after)
    functions = [tree.body[0] for tree in trees if tree.body]
    if len(functions) != 2 or not all(
        isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef)) for f in functions
    ):
        return None
    old, new = functions
    assert isinstance(old, (ast.FunctionDef, ast.AsyncFunctionDef))
    assert isinstance(new, (ast.FunctionDef, ast.AsyncFunctionDef))
    if ast.unparse(_bare(old.args)) != ast.unparse(_bare(new.args)):
        return None
    defaults = list(zip(old.args.defaults, new.args.defaults, strict=False))
    changed = [(a, b) for a, b in defaults if ast.dump(a) != ast.dump(b)]
    if len(old.args.defaults) != len(new.args.defaults) or len(changed) != 1:
        return None
    (mutable, none), names = changed[0], [item.arg for item in (*new.args.posonlyargs, *new.args.args)]
    name = names[len(names) - len(defaults) + [a for a, _ in defaults].index(mutable)]
    is_none = isinstance(none, ast.Constant) and none.value is None
    if not is_none or ast.unparse(mutable) not in ("[]", "{}", "set()", "list()", "dict()"):
        return None
    bodies = [[ast.dump(item) for item in function.body] for function in (old, new)]
    guards = [item for item in new.body if ast.dump(item) not in bodies[0]]
    rest = [text for text in bodies[1] if text in bodies[0]]
    if len(guards) != 1 or rest != bodies[0] or not _sets(guards[0], name):
        return None
    return (ast.unparse(mutable),), ("None",)


def _bare(arguments: ast.arguments) -> ast.arguments:
    """Parameters alone."""
    return ast.arguments(
        [ast.arg(item.arg) for item in arguments.posonlyargs],
        [ast.arg(item.arg) for item in arguments.args],
        arguments.vararg and ast.arg(arguments.vararg.arg),
        [ast.arg(item.arg) for item in arguments.kwonlyargs],
        [None for _ in arguments.kwonlyargs],
        arguments.kwarg and ast.arg(arguments.kwarg.arg),
        [],
    )


def _sets(statement: ast.stmt, name: str) -> bool:
    """Whether a statement gives `name` another value where it is None."""
    text = ast.unparse(statement)
    return bool(
        re.match(
            rf"(?:if {name} is None:\s+{name} = |{name} = {name} or |if not {name}:\s+{name} = |{name} = )",
            text,
        )
    )
