"""Names that a source reads and nothing in it binds: a repair must not add one.

Notable: it is the compiler's own symbol table that is asked, without regard to the order in which things run; so a name
that is missed here would be a NameError for certain, but for what reaches in from outside (`from x import *`,
assignments into `globals()`).
"""

from __future__ import annotations

import builtins
import re
import symtable
from collections.abc import Iterator

_ALWAYS = frozenset(
    (*dir(builtins), "__file__", "__path__", "__annotations__", "__module__", "__qualname__", "WindowsError")
)
"""Builtins, and what every module, package or class body finds bound."""
_STAR = re.compile(r"^[ \t]*from\b.*\bimport[ \t(]*\*", re.MULTILINE)


def unbound_names(text: str) -> frozenset[str] | None:
    """Names that a source which compiles reads though neither it nor Python binds them anywhere.

    None where that cannot be known, because a star import may bind anything.
    """
    if _STAR.search(text):
        return None
    read: set[str] = set()
    bound: set[str] = set()
    for scope in _scopes(symtable.symtable(text, "", "exec")):
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
