"""What a page of figures is made of: sections of blocks, each a table or a picture with its caption.

A module that adds figures to the report makes a `Section` and leaves colors, folding, links and headings to the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from ctm.pipeline.svg import drawing
from ctm.pipeline.words import is_key, is_share, plain
from ctm.shares import percent, percents

LONG = 12
"""Rows of a table that is shown without being asked for."""
NARROW = 5
"""Columns of a table that finds room beside another one."""
NARROW_TEXT = 30
"""Characters of its longest cell behind the first of a row."""

_NUMBER = re.compile(r"-?[\d,]*\.?\d+%?( to -?[\d,]*\.?\d+%?)?( \(90 %\))?")
"""A number, a percentage or an interval that came as text."""


@dataclass(frozen=True)
class Cell:
    """One cell: text, whether it is a number, and a mark ("yes", "no"; "code": a name that stays as it is written).

    A mark is a class of the page or several; "whole" is never broken into lines.
    address: where a reader gets from it, relative to the page; empty: nowhere.
    """

    text: str
    number: bool = False
    mark: str = ""
    address: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of cells under a head (empty: none)."""

    head: list[str]
    rows: list[list[Cell]]

    @property
    def numbers(self) -> list[bool]:
        """Of each column, whether its cells are numbers as far as they have any text but "-"."""
        columns = zip_longest(*self.rows, fillvalue=Cell(""))
        said = [[one.number for one in column if one.text not in ("", "-")] for column in columns]
        return [bool(column) and all(column) for column in said]


@dataclass(frozen=True)
class Block:
    """Part of a section: a table, a picture, both, or words alone (title and note)."""

    title: str = ""
    note: str = ""
    """The caption: what it is of and what to see. A picture needs one; a table may have it from its section."""
    table: Table | None = None
    svg: str = ""
    """SVGs as matplotlib writes them, one behind the other. Black and white become the page's, light or dark."""
    png: str = ""
    """A PNG or a GIF in base64; it lies on a card of its own color, as its colors cannot be changed."""
    file: str = ""
    """Where its figures stand, relative to the page; empty: the first artifact that its section was made of."""
    fold: bool | None = None
    """Whether a reader has to open it; None: if its table is long."""

    @property
    def folded(self) -> bool:
        """Whether a reader has to open it."""
        is_long = self.table is not None and len(self.table.rows) > LONG
        return is_long if self.fold is None else self.fold

    @property
    def wide(self) -> bool:
        """Whether it needs the whole width of the page: all but tables of few columns do."""
        if self.table is None or self.svg or self.png:
            return True
        columns = max((len(row) for row in self.table.rows), default=0)
        longest = max((len(one.text) for row in self.table.rows for one in row[1:]), default=0)
        return columns > NARROW or longest > NARROW_TEXT

    @property
    def image(self) -> str:
        """`png` as the address of an image: the kind of file is read from how it begins."""
        kind = "gif" if self.png.startswith("R0lGOD") else "png"
        return f"data:image/{kind};base64,{self.png}"

    @property
    def drawing(self) -> str:
        """`svg` in the colors of the page."""
        return drawing(self.svg)


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    title: str
    blocks: list[Block] = field(default_factory=list)
    note: str = ""

    @property
    def id(self) -> str:
        """Anchor: letters and digits of the title."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


def cell(value: Any, share: bool = False) -> Cell:
    """A value as a reader wants it: thousands separated, four digits of a fraction, yes and no; a share as percent.

    A key (`missing_colon`) becomes words; a name that has to stay as it is comes as a `Cell`.
    """
    if isinstance(value, Cell):
        return value
    if isinstance(value, bool):
        return Cell("yes" if value else "no", mark="yes" if value else "no")
    if value is None:
        return Cell("-")
    if share and isinstance(value, float):
        return Cell(percent(value), number=True)
    if isinstance(value, int):
        return Cell(f"{value:,}", number=True)
    if isinstance(value, float):
        return Cell(f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}", number=True)
    if isinstance(value, (Mapping, Sequence)) and not isinstance(value, str):
        return Cell(_inline(value, share) or "none")
    text = str(value)
    return Cell(plain(text) if is_key(text) else text, _NUMBER.fullmatch(text) is not None)


def rows(head: Sequence[str], items: Sequence[Sequence[Any]]) -> Table:
    """A table of plain values; keys in its head become words, and columns of shares percent."""
    shares = [is_share(name) for name in head]
    shares += [False] * max((len(item) - len(head) for item in items), default=0)
    return Table(
        [plain(name) for name in head],
        [[cell(value, share) for value, share in zip(item, shares, strict=False)] for item in items],
    )


def blocks_of(title: str, content: Any, share: bool = False) -> list[Block]:
    """Tables of nested figures: scalars of one level together, each deeper mapping or list on its own.

    Keys become words. share: whether the numbers are shares, as those below a key that names one are.
    """
    if isinstance(content, list):
        return [Block(title, table=_list_table(content, share))] if content else []
    if not isinstance(content, Mapping):
        return [Block(title, table=Table([], [[cell(content, share)]]))]
    if _is_matrix(content):
        return [Block(title, table=_matrix(content, share))]
    content = {key: value for key, value in content.items() if key != "format_version"}
    flat = [
        [cell(plain(str(key))), cell(value, share or is_share(str(key)))]
        for key, value in content.items()
        if _is_flat(value)
    ]
    blocks = [Block(title, table=Table([], flat))] if flat else []
    for key, value in content.items():
        if not _is_flat(value):
            name = plain(str(key))
            blocks += blocks_of(f"{title}: {name}" if title else name, value, share or is_share(str(key)))
    return blocks


def _matrix(content: Mapping[str, Mapping[str, Any]], share: bool) -> Table:
    columns = list(dict.fromkeys(str(key) for row in content.values() for key in row))
    of_row = {name: share or is_share(name) for name in map(str, content)}
    return Table(
        ["", *map(plain, columns)],
        [
            [cell(plain(str(name))), *(cell(row.get(c), of_row[str(name)] or is_share(c)) for c in columns)]
            for name, row in content.items()
        ],
    )


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float))


def _is_flat(value: Any) -> bool:
    return _is_scalar(value) or (isinstance(value, list) and len(value) <= 4 and all(map(_is_scalar, value)))


def _is_matrix(content: Mapping[str, Any]) -> bool:
    rows_ = list(content.values())
    return bool(rows_) and all(isinstance(r, Mapping) and r and all(map(_is_flat, r.values())) for r in rows_)


def _list_table(content: list[Any], share: bool) -> Table:
    if all(isinstance(item, Mapping) for item in content):
        columns = list(dict.fromkeys(key for item in content for key in item))
        return rows(columns, [[item.get(c) for c in columns] for item in content])
    if all(isinstance(item, list) for item in content):
        return Table([], [[cell(value, share) for value in item] for item in content])
    return Table([], [[cell(item, share)] for item in content])


def _inline(value: Any, share: bool) -> str:
    if isinstance(value, Mapping):
        return "; ".join(
            f"{plain(str(key))} {_inline(item, share or is_share(str(key)))}" for key, item in value.items()
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        if share and len(value) == 2 and all(isinstance(end, float) for end in value):
            return percents(value, "%")
        return ", ".join(_inline(item, share) for item in value)
    return cell(value, share).text
