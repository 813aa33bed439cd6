"""Turns any nested JSON into tables for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LONG = 24
"""Rows of a table that is shown without being asked for."""


@dataclass(frozen=True)
class Cell:
    """One cell: text, whether it is a number, and a mark ("yes", "no")."""

    text: str
    number: bool = False
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells under a head (empty: none)."""

    head: list[str]
    rows: list[list[Cell]]


@dataclass(frozen=True)
class Block:
    """Part of a section: a table, a picture, or both."""

    title: str = ""
    note: str = ""
    table: Table | None = None
    svg: str = ""
    png: str = ""
    gif: str = ""
    """Moves, so it is shown where it is asked for."""

    @property
    def folded(self) -> bool:
        """Whether a reader has to ask for the table: it is a long one."""
        return self.table is not None and len(self.table.rows) > LONG


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    title: str
    blocks: list[Block] = field(default_factory=list)
    note: str = ""

    @property
    def id(self) -> str:
        """Anchor."""
        return self.title.lower().replace(" ", "-")


def cell(value: Any) -> Cell:
    """A value as a reader wants it: thousands separated, four digits of a fraction, yes and no."""
    if isinstance(value, bool):
        return Cell("yes" if value else "no", mark="yes" if value else "no")
    if value is None:
        return Cell("-")
    if isinstance(value, int):
        return Cell(f"{value:,}", number=True)
    if isinstance(value, float):
        return Cell(f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}", number=True)
    if isinstance(value, (Mapping, Sequence)) and not isinstance(value, str):
        return Cell(_inline(value) or "none")
    return Cell(str(value))


def rows(head: Sequence[str], items: Sequence[Sequence[Any]]) -> Table:
    """A table of plain values."""
    return Table(list(head), [[cell(value) for value in item] for item in items])


def blocks_of(title: str, content: Any) -> list[Block]:
    """Tables of nested figures: scalars of one level together, each deeper mapping or list on its own."""
    if isinstance(content, list):
        return [Block(title, table=_list_table(content))] if content else []
    if not isinstance(content, Mapping):
        return [Block(title, table=Table([], [[cell(content)]]))]
    if _is_matrix(content):
        columns = list(dict.fromkeys(key for row in content.values() for key in row))
        table = rows(
            ["", *columns], [[name, *(row.get(c) for c in columns)] for name, row in content.items()]
        )
        return [Block(title, table=table)]
    content = {key: value for key, value in content.items() if key != "format_version"}
    flat = [(key, value) for key, value in content.items() if _is_flat(value)]
    blocks = [Block(title, table=rows([], flat))] if flat else []
    for key, value in content.items():
        if not _is_flat(value):
            blocks += blocks_of(f"{title}: {key}" if title else str(key), value)
    return blocks


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float))


def _is_flat(value: Any) -> bool:
    return _is_scalar(value) or (isinstance(value, list) and len(value) <= 4 and all(map(_is_scalar, value)))


def _is_matrix(content: Mapping[str, Any]) -> bool:
    rows_ = list(content.values())
    return bool(rows_) and all(isinstance(r, Mapping) and r and all(map(_is_flat, r.values())) for r in rows_)


def _list_table(content: list[Any]) -> Table:
    if all(isinstance(item, Mapping) for item in content):
        columns = list(dict.fromkeys(key for item in content for key in item))
        return rows(columns, [[item.get(c) for c in columns] for item in content])
    if all(isinstance(item, list) for item in content):
        return rows([], content)
    return rows([], [[item] for item in content])


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {_inline(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_inline(item) for item in value)
    return cell(value).text
