"""Names that a source reads and nothing in it binds: a repair must not add one.

It is the compiler's own symbol table that is asked, without regard to the order in which things run. Reading a
name that is reported here raises NameError, unless something binds it from outside (`globals()`, another module).
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ctm.python.compiling import quiet

_OTHERS = "__file__ __path__ __cached__ __builtins__ __annotations__ __module__ __qualname__ WindowsError"
ALWAYS = frozenset((*dir(builtins), *_OTHERS.split()))
"""Builtins, and what every module, package or class body finds bound."""
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Names:
    """What a source does with global names, and which names the functions around a definition bind."""

    read: frozenset[str]
    """Global names that are read, wherever."""
    bound: frozenset[str]
    """Names that the module level binds, or a function by `global`."""
    around: Mapping[int, frozenset[str]]
    """By 1-based line on which a function, lambda or comprehension inside a function begins: the names that the
    functions around it bind. Lines outside any function are not in it."""

    @property
    def unbound(self) -> frozenset[str]:
        """Names that are read though neither the source nor Python binds them anywhere."""
        return self.read - self.bound - ALWAYS


def names_of(text: str) -> Names | None:
    """The names of a source, in time linear in its length.

    None where they cannot be known: a star import may bind anything, and the compiler does not take every text.
    """
    try:
        with quiet():
            table = symtable.symtable(text, "", "exec")
            if "import" in text and _has_star_import(ast.parse(text)):
                return None
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
        return None
    read: set[str] = set()
    bound: set[str] = set()
    around: dict[int, frozenset[str]] = {}
    waiting = [(table, _NOTHING)]
    while waiting:
        scope, outer = waiting.pop()
        is_module, is_function = scope.get_type() == "module", isinstance(scope, symtable.Function)
        if is_function and outer:
            around.setdefault(scope.get_lineno(), outer)
        own: set[str] = set()
        for symbol in _symbols(scope, is_module):
            name, binds = symbol.get_name(), symbol.is_assigned() or symbol.is_imported()
            if is_module or symbol.is_global():
                if symbol.is_referenced():
                    read.add(name)
                if binds:
                    bound.add(name)
            elif binds or symbol.is_parameter():
                own.add(name)
        inner = outer | own if is_function and own else outer
        waiting += [(child, inner) for child in scope.get_children()]
    return Names(frozenset(read), frozenset(bound), around)


def unbound_names(text: str) -> frozenset[str] | None:
    """Names that a source reads though neither it nor Python binds them anywhere; None where that cannot be known."""
    names = names_of(text)
    return None if names is None else names.unbound


def _has_star_import(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(tree))


def _symbols(scope: symtable.SymbolTable, is_module: bool) -> Iterator[symtable.Symbol]:
    """What `scope.get_symbols()` gives, but for each symbol's namespaces.

    To find those it looks at all children for every symbol: quadratic in the functions of a module or a class.
    """
    raw: Any = scope
    for name, flags in raw._table.symbols.items():
        yield symtable.Symbol(name, flags, (), module_scope=is_module)
