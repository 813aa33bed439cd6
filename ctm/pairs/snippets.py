"""Cuts a source file into snippets: functions, methods, classes, and runs of consecutive statements.

Runs are half of what comes out and are mostly short, since questions about broken code look like that: a few lines
of module level code, often without a `def`. One `ast.parse` a file; the compiler has the last word on each snippet.
"""

from __future__ import annotations

import ast
import itertools
import random
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

from ctm.python.compiling import compile_limit_reason, compiles

MAX_LINES = 64
"""Rows of the grid: a longer snippet could not be encoded."""
Shape = Literal["function", "method", "class", "statements"]
SHAPES = get_args(Shape)
"""What a snippet can be; "statements" is a run of them."""
MAX_LINE_CHARACTERS = 160
STRING_SHARE, DOCSTRING_SHARE = 0.5, 0.75
"""Largest share of a snippet's characters inside string literals: without docstrings, and with them."""
CONSTANT_SHARE, MANY_CONSTANTS = 0.4, 40
"""A snippet of at least so many literals that are this share of its syntax nodes is a table, not code."""

RUN_LINES = ((0.10, 1, 1), (0.49, 2, 5), (0.36, 6, 12), (0.05, 13, MAX_LINES))
"""Lengths of runs as (share, least, most) in lines; real questions: 22 % one line, 45 % two to five, 31 % to 15."""

_BLOCKS = ("body", "orelse", "finalbody")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LEAVES = (ast.Return, ast.Break, ast.Continue)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)


@dataclass
class Cuts:
    """What was cut from one file: (text, shape, qualname, line) each, and how many were refused, by reason."""

    snippets: list[tuple[str, str, str, int]] = field(default_factory=list)
    rejected: list[tuple[str, str, int]] = field(default_factory=list)
    """(reason, qualname, line) of each candidate that was refused."""


def snippets_of(source: str, seed: int = 0) -> Iterator[tuple[str, str, str, int]]:
    """Snippets of one file as (text, shape, qualified name, first line), the same for the same source and seed.

    Each text is 1 to 64 lines, dedented to column 0, compiles by itself and has no line end after its last line.
    Raises SyntaxError for a source that does not parse.
    """
    yield from cut(source, seed).snippets


def cut(source: str, seed: int = 0, max_lines: int = MAX_LINES) -> Cuts:
    """Like `snippets_of`, with what was refused. Raises SyntaxError for a source that does not parse."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (ValueError, MemoryError, RecursionError) as error:
        raise SyntaxError(f"{type(error).__name__}: {error}") from error
    file = _File(source, tree, max_lines)
    file.cut_whole()
    file.cut_runs(random.Random(f"{seed}\0{len(source)}\0{source[:4000]}"))
    return file.cuts


@dataclass(frozen=True, slots=True)
class _Block:
    statements: list[ast.stmt]
    qualname: str


class _File:
    def __init__(self, source: str, tree: ast.Module, max_lines: int) -> None:
        self.lines = source.split("\n")
        self.max_lines = max_lines
        self.cuts = Cuts()
        self.whole: list[tuple[ast.stmt, str, str]] = []
        self.blocks: list[_Block] = []
        count = len(self.lines) + 2
        self._strings, self._docstrings = [0] * count, [0] * count
        self._constants, self._nodes = [0] * count, [0] * count
        self._visit(tree, "", False)
        self._measure(tree)

    def _visit(self, node: ast.AST, qualname: str, in_class: bool) -> None:
        """Collect definitions and blocks with their qualified names; statements only, expressions are left out."""
        for name in _BLOCKS:
            statements = getattr(node, name, None)
            if isinstance(statements, list) and statements:
                # What leaves a function or a loop ends its block and would not compile without it.
                stays = statements[:-1] if isinstance(statements[-1], _LEAVES) else statements
                self.blocks.append(_Block(stays, qualname))
                for child in statements:
                    inner, inner_class = qualname, in_class and not isinstance(node, _DEFINITIONS)
                    if isinstance(child, _DEFINITIONS):
                        inner = f"{qualname}.{child.name}" if qualname else child.name
                        shape = "function"
                        if isinstance(child, ast.ClassDef):
                            shape = "class"
                        elif isinstance(node, ast.ClassDef) or inner_class:
                            shape = "method"
                        self.whole.append((child, shape, inner))
                    self._visit(child, inner, isinstance(node, ast.ClassDef) or inner_class)
        for handler in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            self._visit(handler, qualname, in_class)

    def _measure(self, tree: ast.Module) -> None:
        """Sums up to each line of string characters, literals and nodes: any range is then one subtraction."""
        documented: set[int] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.expr):
                self._nodes[node.lineno] += 1
                if isinstance(node, ast.Constant):
                    self._constants[node.lineno] += 1
                    if isinstance(node.value, (str, bytes)):
                        where = self._docstrings if id(node) in documented else self._strings
                        where[node.lineno] += len(node.value)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                documented.add(id(node.value))
        for sums in (self._strings, self._docstrings, self._constants, self._nodes):
            sums[:] = itertools.accumulate(sums)

    def cut_whole(self) -> None:
        """Functions, methods and classes."""
        for node, shape, qualname in self.whole:
            decorators: list[ast.expr] = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(item.lineno for item in decorators)])
            last = node.end_lineno or first
            if last - first < self.max_lines:  # longer ones are not candidates: their runs are
                self._emit(first, last, node.col_offset, shape, qualname)

    def cut_runs(self, rng: random.Random) -> None:
        """About as many runs as there are whole snippets (some where there are none), from blocks drawn by size."""
        blocks = [
            block for block in self.blocks if block.statements and self._starts_line(block.statements[0])
        ]
        if not blocks:
            return
        weights = [len(block.statements) * (1 if block.qualname else 2) for block in blocks]
        size = sum(len(block.statements) for block in blocks)
        wanted = max(len(self.cuts.snippets), min(size // 10, 20), 1)
        shares = [item[0] for item in RUN_LINES]
        seen: set[tuple[int, int]] = set()
        made = 0
        for block in rng.choices(blocks, weights, k=8 * wanted):
            if made >= wanted:
                return
            _, minimum, maximum = rng.choices(RUN_LINES, shares)[0]
            span = self._run(block.statements, rng.randint(minimum, maximum), rng)
            if span is None or span in seen:
                continue
            seen.add(span)
            made += self._emit(*span, block.statements[0].col_offset, "statements", block.qualname)

    def _run(self, statements: list[ast.stmt], wanted: int, rng: random.Random) -> tuple[int, int] | None:
        """First and last line of a random run of about `wanted` lines, None where there is none worth having."""
        stop = statements[-1].end_lineno or 0
        if stop - _first_line(statements[0]) + 1 < wanted:
            return None
        begin = rng.randrange(len(statements))
        while begin and stop - _first_line(statements[begin]) + 1 < wanted:
            begin -= 1
        first = _first_line(statements[begin])
        end = begin
        while end + 1 < len(statements) and (statements[end + 1].end_lineno or 0) - first < wanted:
            end += 1
        run = statements[begin : end + 1]
        last = run[-1].end_lineno or first
        if last - first >= self.max_lines or all(_is_trivial(item) for item in run):
            return None
        if not self._starts_line(run[0]) or (len(run) == 1 and isinstance(run[0], _DEFINITIONS)):
            return None  # a definition by itself is cut as a whole already
        if rng.random() < 0.5:
            first = self._with_comments(first, last)
        return first, last

    def _with_comments(self, first: int, last: int) -> int:
        """The first of the comment lines that stand directly above line `first`."""
        indent = _indentation(self.lines[first - 1])
        while first > 1 and last - first < self.max_lines - 1:
            above = self.lines[first - 2]
            if not above.strip().startswith("#") or _indentation(above) != indent:
                break
            first -= 1
        return first

    def _starts_line(self, node: ast.stmt) -> bool:
        return not self.lines[node.lineno - 1][: node.col_offset].strip()

    def _emit(self, first: int, last: int, offset: int, shape: str, qualname: str) -> bool:
        lines = self.lines[first - 1 : last]
        indent = lines[0][:offset]
        if offset:
            # Lines without the indentation are blank, or inside a string or brackets, where it says nothing.
            lines = [line.removeprefix(indent) for line in lines]
        text = "\n".join(lines)
        reason = self._refuse(text, lines, first, last)
        if reason:
            self.cuts.rejected.append((reason, qualname, first))
            return False
        self.cuts.snippets.append((text, shape, qualname, first))
        return True

    def _refuse(self, text: str, lines: list[str], first: int, last: int) -> str:
        if max(map(len, lines)) > MAX_LINE_CHARACTERS:
            return "line too long"
        strings = self._strings[last] - self._strings[first - 1]
        documentation = self._docstrings[last] - self._docstrings[first - 1]
        if strings > STRING_SHARE * len(text):
            return "mostly strings"
        if strings + documentation > DOCSTRING_SHARE * len(text):
            return "mostly documentation"
        constants = self._constants[last] - self._constants[first - 1]
        nodes = self._nodes[last] - self._nodes[first - 1]
        if constants >= MANY_CONSTANTS and constants > CONSTANT_SHARE * nodes:
            return "table of constants"
        if why := compile_limit_reason(text):
            return why
        return "" if compiles(text) else "does not compile by itself"


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(item.lineno for item in decorators)])


def _is_trivial(node: ast.stmt) -> bool:
    """`pass`, `...`, a docstring: nothing that could be wrong in an interesting way."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
