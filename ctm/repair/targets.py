"""What `fix` repairs, one after the other: the files that discovery finds, and of notebooks their code cells.

Files that want to be left alone (`# ctm: ignore-file`) are counted with what discovery left out. A target is named by a
path; that of a cell knows its cell (notebook.CellPath).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ctm.python.newer_strings import Version
from ctm.repair.admit import refuse_or_skip
from ctm.repair.discover import STDIN, Discovery
from ctm.repair.file_repair import FileRepair, first_error
from ctm.repair.ignoring import IGNORED_FILE, has_ignored_head, ignores_file
from ctm.repair.selection import NOT_SELECTED, Selection
from ctm.repair.source import FileError, PythonFile, read_source
from ctm.repair.write import write_source

if TYPE_CHECKING:  # notebook.py and magics.py, with json, are 7 ms: who has only files need not wait for them
    from ctm.repair.notebook import Cell

NOTEBOOK = ".ipynb"
"""How the name of one ends."""


def targets_of(path: str, problem: str, discovery: Discovery) -> Iterator[tuple[str, str]]:
    """Of a file that was discovered: (path, "") for each target, (path, reason) for what cannot be read."""
    if problem or path == STDIN:
        yield path, problem
    elif path.endswith(NOTEBOOK):
        yield from _cells(discovery, path)
    elif has_ignored_head(path):
        discovery.left_out[IGNORED_FILE] += 1
    else:
        yield path, ""


def _cells(discovery: Discovery, path: str) -> Iterator[tuple[str, str]]:
    from ctm.repair.notebook import Cell, CellPath, read_notebook

    try:
        notebook = read_notebook(path)
        first = min(notebook.sources, default=None)
        if first is not None and ignores_file(notebook.cell(first).text):
            discovery.left_out[IGNORED_FILE] += 1
            return
    except FileError as error:
        yield path, str(error)
        return
    discovery.left_out.update(notebook.left_out)
    for number in list(notebook.sources):
        yield CellPath(Cell(notebook, number)), ""


def _cell_of(path: str) -> Cell | None:
    """The cell that a notebook.CellPath knows; None of the path of a file."""
    cell: Cell | None = getattr(path, "cell", None)
    return cell


def read_target(path: str) -> PythonFile:
    """The code of a file or a cell. Raises FileError."""
    cell = _cell_of(path)
    return read_source(Path(path)) if cell is None else cell.notebook.cell(cell.number)


def write_target(path: str, before: PythonFile, after: PythonFile) -> None:
    """Raises FileError, and leaves the file as it is, where it cannot be written or has changed (write.py)."""
    if (cell := _cell_of(path)) is not None:
        cell.notebook.write(cell.number, after)
    else:
        write_source(Path(path), before, after)


def repair_source(
    source: PythonFile,
    path: str,
    name: str,
    target: Version | None,
    repair: Callable[[PythonFile], FileRepair],
    *,
    selection: Selection,
) -> FileRepair:
    """What becomes of one target; `name` is "" for a text without a name. Raises FileError.

    repair: for a text that is broken, or for any with suggestions selected. What needs no model never gets there.

    A text on stdin that wants to be left alone counts as one that compiles.
    """

    def repaired(shown: PythonFile, name: str) -> FileRepair:
        if known := refuse_or_skip(shown, name, target):
            return known
        error = first_error(shown.text)
        if error is not None and not selection.syntax:
            return _unrepaired(shown, error, NOT_SELECTED)
        if error is None and not selection.suggestions:
            return FileRepair(shown, shown, True, True)
        return repair(shown)

    if _cell_of(path) is not None:
        from ctm.repair.magics import mask

        cell = mask(source)
        return _cell_known(cell.source, source) or cell.unmasked(repaired(cell.source, ""), source)
    if ignores_file(source.text):
        return FileRepair(source, source, True, True, skipped={IGNORED_FILE: 1})
    return repaired(source, name)


def _cell_known(shown: PythonFile, source: PythonFile) -> FileRepair | None:
    """The answer for a cell that waits at its top level, as a notebook may; None for others."""
    from ctm.repair.magics import awaits_at_top, compiles_in_cell

    if compiles_in_cell(shown.text):
        return FileRepair(source, source, True, True)
    error = first_error(shown.text)
    if error is None or not awaits_at_top(shown.text):
        return None
    return _unrepaired(source, error, "cells with await at the top level are not repaired")


def _unrepaired(source: PythonFile, error: SyntaxError, why: str) -> FileRepair:
    at = error.lineno or 1, max(1, error.offset or 1)
    left = f"line {error.lineno}: {error.msg}"
    return FileRepair(source, source, False, False, left, refused=why, error_at=at)
