"""Sections of a page as Markdown (GitHub's tables), for readers without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ctm.pipeline.diffs import visible
from ctm.pipeline.tables import Block, Cell, Section, Table


def markdown(section: Section, level: int = 2) -> str:
    """A heading, and below it tables with their captions; pictures are left to the page."""
    lines = [f"{'#' * level} {_plain(section.title)}", ""]
    if section.note:
        lines += [_plain(section.note), ""]
    for block in section.blocks:
        lines += _block(block)
    return "\n".join(lines) + "\n"


def _block(block: Block) -> Iterator[str]:
    folds = block.folded and block.table is not None
    if folds:
        assert block.table is not None
        yield f"<details><summary>{escape(_plain(block.title))}: {len(block.table.rows):,} rows</summary>"
        yield ""
    elif block.title:
        yield f"**{_plain(block.title)}**"
        yield ""
    if block.note:
        yield _plain(block.note)
        yield ""
    if block.table is not None:
        yield from _table(block.table) if block.table.rows else ["None."]
        yield ""
    if folds:
        yield "</details>"
        yield ""


def _table(table: Table) -> Iterator[str]:
    columns = max([len(table.head), *(len(row) for row in table.rows)])
    head = [*table.head, *[""] * (columns - len(table.head))]
    numbers = [*table.numbers, *[False] * (columns - len(table.numbers))]
    yield f"| {' | '.join(map(_plain, head))} |"
    yield f"|{'|'.join('---:' if number else '---' for number in numbers)}|"
    for row in table.rows:
        cells = [*map(_cell, row), *[""] * (columns - len(row))]
        yield f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    text = _plain(cell.text)
    if "code" in cell.mark.split() and text:
        text = f"`{text.replace('`', chr(0x2019))}`"
    return f"[{text}]({cell.address})" if cell.address else text


def _plain(text: str) -> str:
    """One line in which nothing ends a cell, and nothing that hides or reorders text."""
    return visible(" ".join(text.split())).replace("|", "\\|")
