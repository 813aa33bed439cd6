"""Which variables are surely bound where a snippet reads one: scopes, and definite assignment along the branches.

A name that another may be mistaken for must be visible at that place (function, comprehension and lambda scopes; the
body of a class is invisible to its methods) and assigned on every way there. The compiler's own tree is read, at a
fortieth of the cost of libcst's ScopeProvider, which knows scopes but no branches (benchmarks/scopes.py): in 300
functions nothing is named that it does not see, and of what it sees 15 % is not bound on every way. Names that a
snippet reads and never binds come from code around it and are bound everywhere in it.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from ctm.bugs.static_analysis.scope_walk import NO_VARIABLES, Bound, Walk


class Read(NamedTuple):
    """A place that reads a variable: span in characters, name, number of its scope, other variables there."""

    start: int
    end: int
    name: str
    scope: int
    others: tuple[str, ...]


class Variables(NamedTuple):
    """Of a snippet: its reads of variables in order of the text, and what is bound where a statement begins."""

    reads: list[Read]
    bound: dict[int, tuple[str, ...]]
    """By line, from 1, those bound around the snippet last; without lines on which no statement begins."""


def variables_of(text: str) -> Variables:
    """Reads and bound variables; nothing for a text that does not parse.

    Of the reads, left out are callees, decorators, annotations, fields of f-strings, and names of functions, classes
    and modules.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return Variables([], {})
    found = Walk()
    found.block(tree.body, ())
    free = [name for name in found.values if name not in found.binds and not _is_type(name)]
    lines = _Lines(text)
    visible: dict[Bound, Bound] = {}  # most places share what is bound with others

    def known(bound: Bound) -> Bound:
        names = visible.get(bound)
        if names is None:
            names = tuple(dict.fromkeys(name for name in (*bound, *free) if name not in found.deleted))
            visible[bound] = names
        return names

    reads = []
    for node, scope, bound in found.reads:
        start, name, names = lines.offset(node.lineno, node.col_offset), node.id, known(bound)
        if text[start : start + len(name)] != name or name in NO_VARIABLES:
            continue
        if name in found.variables or name in names:
            reads.append(Read(start, start + len(name), name, scope, tuple(n for n in names if n != name)))
    return Variables(sorted(reads), {line: known(names) for line, names in found.starts.items()})


def _is_type(name: str) -> bool:
    """Whether a name from outside is a builtin or, by its spelling, a class: nobody takes those for a variable."""
    return name in NO_VARIABLES or (name[0].isupper() and not name.isupper())


class _Lines:
    """Offsets in characters of the compiler's positions, which are in bytes of UTF-8."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    def offset(self, number: int, byte: int) -> int:
        if number > len(self.lines):
            return 0
        line = self.lines[number - 1]
        if not line.isascii():
            byte = len(line.encode("utf-8", "surrogatepass")[:byte].decode("utf-8", "replace"))
        return self.starts[number - 1] + byte
