"""Which parts of a file the model is shown: functions where it compiles, surroundings of the error where it does not.

A window is a run of lines, dedented to column 0 as snippets are in training. Where a function is too long, its `def`
line goes in front of the run (`header`), since `return` does not compile outside a function.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_LINES = 64
"""Rows of the grid."""
REACH = (24, 8, 3)
"""Lines before and behind an error that a window takes in, widest first."""

_DEFINITION = re.compile(r"[ \t]*(?:async[ \t]+)?(?:def|class)\b")
_CLAUSE = re.compile(r"[ \t]*(?:else|elif|except|finally|case)\b|[ \t]*[)\]}]")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Window:
    """Lines [begin, end) of a file (0-based), and lines to show in front of them."""

    begin: int
    end: int
    indent: str = ""
    """Taken from the front of every line that has it."""
    header: tuple[str, ...] = ()

    def text(self, lines: Sequence[str]) -> str:
        """What the model sees: no line end behind the last line."""
        shown = (*self.header, *lines[self.begin : self.end])
        return "\n".join(line.removeprefix(self.indent) for line in shown)

    def restore(self, text: str, lines: Sequence[str]) -> list[str] | None:
        """The file's lines for [begin, end) from a repaired text; None where the repair changed the header.

        Lines that the repair left alone come from the file as they were; others get the indentation back.
        """
        old = self.text(lines).split("\n")
        new = text.split("\n")
        front = len(self.header)
        if new[:front] != old[:front]:
            return None
        old, new = old[front:], new[front:]
        first = common(old, new)
        last = common(old[first:][::-1], new[first:][::-1])
        kept = list(lines[self.begin : self.end])
        changed = [self.indent + line if line.strip() else line for line in new[first : len(new) - last]]
        return kept[:first] + changed + kept[len(kept) - last :]


def functions_of(text: str) -> list[Window]:
    """Functions and methods of a source that compiles, and runs of module-level statements between definitions.

    A function longer than the grid is left out unless it holds functions itself; those are taken.
    """
    lines = text.split("\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    return sorted(
        [*_functions(tree, lines), *_module_runs(tree, lines)], key=lambda window: (window.begin, window.end)
    )


def _functions(node: ast.AST, lines: Sequence[str]) -> Iterator[Window]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _FUNCTIONS):
            begin, end = _span(child)
            indent = lines[begin][: child.col_offset]
            if not indent.strip():
                yield Window(begin, end, indent)
                if end - begin <= MAX_LINES:
                    continue
        if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield from _functions(child, lines)


def _module_runs(tree: ast.Module, lines: Sequence[str]) -> Iterator[Window]:
    """Consecutive statements that are no definition, no import and no docstring, as far as the grid's rows go."""
    run: list[tuple[int, int]] = []
    for statement in tree.body:
        begin, end = _span(statement)
        skipped = isinstance(statement, (*_FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        )
        if run and (skipped or end - run[0][0] > MAX_LINES or begin < run[-1][1]):
            yield Window(run[0][0], run[-1][1])
            run = []
        if not skipped and not lines[begin][: statement.col_offset].strip():
            run.append((begin, end))
    if run:
        yield Window(run[0][0], run[-1][1])


def _span(node: ast.stmt) -> tuple[int, int]:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(item.lineno for item in decorators)]) - 1, node.end_lineno or node.lineno


def windows_around(lines: Sequence[str], error: int) -> list[Window]:
    """Windows around 0-based line `error` of a file that does not compile, the most telling first.

    The whole file, the definitions around the error from the inside out, then runs within the innermost definition
    (with its header), then runs at the outermost level. Those of more than 64 lines are left out.
    """
    error = min(max(error, 0), len(lines) - 1)
    found: list[Window] = []
    last = len(lines) - (not lines[-1].strip())
    if last <= MAX_LINES:
        found.append(Window(0, max(last, 1)))
    around = list(_definitions(lines, error))
    for begin in around:
        indent = _indentation(lines[begin])
        found.append(Window(begin, _block_end(lines, begin, max(begin, error)), indent))
    for reach in REACH:
        if around and around[0] < error:
            found.append(_inside(lines, error, around[0], reach))
        found.append(_outside(lines, error, reach))
    unique = dict.fromkeys(window for window in found if 0 < window.end - window.begin <= MAX_LINES)
    return list(unique)


def _definitions(lines: Sequence[str], error: int) -> Iterator[int]:
    """Lines of the `def` and `class` that enclose `error`, innermost first; the error's own line may be one."""
    width = _width(lines[error]) + 1 if _DEFINITION.match(lines[error]) else None
    if width is None:
        near = [_width(line) for line in lines[max(0, error - 1) : error + 2] if line.strip()]
        width = max([*near, 1])  # the error may be the line's indentation: its neighbors count too
    for index in range(error, -1, -1):
        if _width(lines[index]) < width and _DEFINITION.match(lines[index]):
            width = _width(lines[index])
            yield _with_decorators(lines, index)
            if width == 0:
                return


def _with_decorators(lines: Sequence[str], index: int) -> int:
    indent = _indentation(lines[index])
    while index and lines[index - 1].startswith(indent + "@"):
        index -= 1
    return index


def _block_end(lines: Sequence[str], begin: int, error: int) -> int:
    """End of the block that `begin` opens: the next line behind the error that is indented no deeper."""
    width = _width(lines[begin])
    end = error + 1
    while end < len(lines) and (
        not lines[end].strip() or _width(lines[end]) > width or _CLAUSE.match(lines[end])
    ):
        end += 1
    return _without_blanks(lines, begin, end)


def _inside(lines: Sequence[str], error: int, header: int, reach: int) -> Window:
    """A run of the body of the definition at `header`, with its `def` line in front."""
    while header < error and not _DEFINITION.match(lines[header]):
        header += 1  # past decorators
    block = _block_end(lines, header, error)
    width = next((_width(line) for line in lines[header + 1 : block] if line.strip()), 0)
    begin = max(header + 1, error - reach)
    while begin > header + 1 and not _begins_statement(lines[begin], width):
        begin -= 1
    end = min(block, error + reach + 1)
    while end < block and not _begins_statement(lines[end], width):
        end += 1
    if begin == header + 1:
        return Window(header, end, _indentation(lines[header]))
    return Window(begin, end, _indentation(lines[header]), (lines[header],))


def _outside(lines: Sequence[str], error: int, reach: int) -> Window:
    """A run of lines around the error that begins with a statement of the outermost level in reach."""
    low, high = max(0, error - reach), min(len(lines), error + reach + 1)
    width = min((_width(line) for line in lines[low : error + 1] if line.strip()), default=0)
    begin = error
    for index in range(error, low - 1, -1):
        if _begins_statement(lines[index], width):
            begin = index
    end = min(high, len(lines))
    for index in range(error + 1, high):
        if lines[index].strip() and _width(lines[index]) < width:
            end = index
            break
    else:
        while end < len(lines) and end - begin < MAX_LINES and not _begins_statement(lines[end], width):
            end += 1
    return Window(begin, _without_blanks(lines, begin, end), _indentation(lines[begin]))


def _begins_statement(line: str, width: int) -> bool:
    return bool(line.strip()) and _width(line) <= width and not _CLAUSE.match(line)


def _without_blanks(lines: Sequence[str], begin: int, end: int) -> int:
    while end > begin + 1 and not lines[end - 1].strip():
        end -= 1
    return end


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _width(line: str) -> int:
    return len(_indentation(line).expandtabs(8))


def common(a: Sequence[str], b: Sequence[str]) -> int:
    """Number of items with which both begin."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
