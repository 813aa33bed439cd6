"""Names that a source reads and nothing in it binds: a repair must not add one.

Notable: it is the compiler's own symbol table that is asked, without regard to the order in which things run. Reading a
name that is reported here raises NameError, unless something binds it from outside (`globals()`, another module).
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator

from ctm.pairs.categories import quiet

_OTHERS = "__file__ __path__ __cached__ __builtins__ __annotations__ __module__ __qualname__ WindowsError"
_ALWAYS = frozenset((*dir(builtins), *_OTHERS.split()))
"""Builtins, and what every module, package or class body finds bound."""


def unbound_names(text: str) -> frozenset[str] | None:
    """Names that a source reads though neither it nor Python binds them anywhere.

    None where that cannot be known: a star import may bind anything, and the compiler does not take every text.
    """
    try:
        with quiet():
            tree, table = ast.parse(text), symtable.symtable(text, "", "exec")
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
        return None
    if any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(tree)):
        return None
    read: set[str] = set()
    bound: set[str] = set()
    for scope in _scopes(table):
        for symbol in scope.get_symbols():
            if scope.get_type() == "module" or symbol.is_global():
                name = symbol.get_name()
                if symbol.is_referenced():
                    read.add(name)
                if symbol.is_assigned() or symbol.is_imported():
                    bound.add(name)
    return frozenset(read - bound - _ALWAYS)


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)
