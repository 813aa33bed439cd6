"""The records every phase exchanges (snippet, pair, reject), their identity and their Parquet form.

A row is flat: the fields of the record, then those of its origin, all text but the line number, "" where unknown.
Files carry `format_version` in the schema's metadata; readers refuse any other. Writers stream row groups to a
temporary name beside the target and rename it once complete, so a file that exists is whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from datetime import date as calendar
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ctm.parquet import parquet_file, parquet_writer

FORMAT_VERSION = 3
CATEGORIES = ("syntax", "logic", "security", "complex", "clean")
SPLITS = ("train", "validation", "test")

ROW_GROUP = 8192
"""Rows held in memory by a writer, and rows a reader turns into objects at a time."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a text was found. `line` is 1-based in `path`; 0 where unknown. `date` is the day of the fix (ISO 8601)."""

    project: str = ""
    path: str = ""
    qualname: str = ""
    line: int = 0
    commit: str = ""
    parent: str = ""
    version_from: str = ""
    version_to: str = ""
    url: str = ""
    license: str = ""
    license_source: str = ""
    author_url: str = ""
    author: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Snippet:
    """Clean code of 1 to 64 lines, dedented to column 0; `split` is "" until it is decided."""

    snippet_id: str
    text: str
    shape: str
    group: str
    split: str = ""
    origin: Origin = field(default_factory=Origin)


@dataclass(slots=True)  # to be made in a quarter of the time of a frozen one, of which there are millions
class Pair:
    """Buggy and fixed text of one snippet. Clean samples have both equal and kind "clean". Nobody changes one."""

    pair_id: str
    buggy: str
    fixed: str
    category: str
    kind: str
    source: str
    split: str
    group: str
    origin: Origin = field(default_factory=Origin)
    filters: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """An item that was dropped: by which step, why, and what it was."""

    step: str
    reason: str
    item: str
    group: str = ""
    detail: str = ""


def day(text: str) -> str:
    """The day (ISO 8601) that a day or time begins with; "" for what is none, as histories and dumps have some."""
    try:
        return calendar.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return ""


def pair_id(buggy: str, fixed: str) -> str:
    """Identity of a pair: blake2b-16 of both texts as 32 hex characters; the first's length keeps the joint apart."""
    first, second = _encoded(buggy), _encoded(fixed)
    return hashlib.blake2b(b"%d:" % len(first) + first + second, digest_size=16).hexdigest()


def snippet_id(text: str) -> str:
    """Identity of a snippet: blake2b-16 of its text as 32 hex characters."""
    return hashlib.blake2b(_encoded(text), digest_size=16).hexdigest()


def make_snippet(text: str, shape: str, group: str, origin: Origin, split: str = "") -> Snippet:
    """A snippet with its identity computed."""
    return Snippet(snippet_id(text), text, shape, group, split, origin)


def make_pair(
    buggy: str,
    fixed: str,
    *,
    category: str,
    kind: str,
    source: str,
    split: str,
    group: str,
    origin: Origin,
    filters: str = "",
) -> Pair:
    """A pair with its identity computed."""
    return Pair(pair_id(buggy, fixed), buggy, fixed, category, kind, source, split, group, origin, filters)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


_ORIGIN_FIELDS = tuple(item.name for item in fields(Origin))


def _schema(record: type, name: str) -> pa.Schema:
    names = [item.name for item in fields(record)]
    if "origin" in names:
        at = names.index("origin")
        names[at : at + 1] = _ORIGIN_FIELDS
    columns = [pa.field(column, pa.int32() if column == "line" else pa.string(), False) for column in names]
    return pa.schema(columns, {"format": name, "format_version": str(FORMAT_VERSION)})


SNIPPET_SCHEMA = _schema(Snippet, "ctm.snippets")
PAIR_SCHEMA = _schema(Pair, "ctm.pairs")
REJECT_SCHEMA = _schema(Reject, "ctm.rejects")


def column_of(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    """A column of texts or integers, none of them missing; of type `dictionary` each text is stored once.

    `pa.array` gives the same, but imports pandas if there is one, which takes as long as encoding thousands of pairs.
    """
    if pa.types.is_dictionary(type_):
        encoded = column_of(values, type_.value_type).dictionary_encode()
        return pa.DictionaryArray.from_arrays(encoded.indices.cast(type_.index_type), encoded.dictionary)
    if not pa.types.is_string(type_):
        cells = np.asarray(values, type_.to_pandas_dtype())
        return pa.Array.from_buffers(type_, len(cells), [None, pa.py_buffer(cells)])
    joined = "".join(values)
    data = joined.encode()
    lengths = map(len, values) if len(data) == len(joined) else (len(value.encode()) for value in values)
    ends = np.cumsum(np.fromiter(lengths, np.int64, len(values)))
    assert not len(ends) or ends[-1] < 1 << 31, "more text than a column holds"
    offsets = np.concatenate(([0], ends)).astype(np.int32)
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(data))


_cells: Callable[[Origin], tuple[Any, ...]] = attrgetter(*_ORIGIN_FIELDS)


class Writer:
    """Streams records into one Parquet file (zstd); the file appears under its name when the block ends well.

    Raises UnicodeEncodeError for text that is not valid Unicode (lone surrogates): refuse that at the edge.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = Path(path)
        self.schema = schema
        self.rows = 0
        own = [name for name in schema.names if name not in _ORIGIN_FIELDS]
        self._own: Callable[[Any], tuple[Any, ...]] = attrgetter(*own)
        # where the origin's fields stand among the others, and those of the last row: most rows follow one of theirs
        self._at = schema.names.index(_ORIGIN_FIELDS[0]) if len(own) < len(schema.names) else -1
        self._origin, self._cells = Origin(), _cells(Origin())
        self._buffer: list[tuple[Any, ...]] = []

    def __enter__(self) -> Writer:
        with ExitStack() as stack:
            self._file = stack.enter_context(parquet_writer(self.path, self.schema))
            self._stack = stack.pop_all()
        return self

    def write(self, item: Snippet | Pair | Reject) -> None:
        """Append one record."""
        row = self._own(item)
        if self._at >= 0 and not isinstance(item, Reject):
            if item.origin is not self._origin:
                self._origin, self._cells = item.origin, _cells(item.origin)
            row = row[: self._at] + self._cells + row[self._at :]
        self._buffer.append(row)
        self.rows += 1
        if len(self._buffer) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._buffer:
            columns = zip(*self._buffer, strict=True)
            arrays = [column_of(column, item.type) for column, item in zip(columns, self.schema, strict=True)]
            self._file.write_table(pa.Table.from_arrays(arrays, schema=self.schema))
            self._buffer.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._flush()


def _write(path: Path, items: Iterable[Any], schema: pa.Schema) -> int:
    with Writer(path, schema) as writer:
        for item in items:
            writer.write(item)
    return writer.rows


def write_snippets(path: Path, items: Iterable[Snippet]) -> int:
    """Write snippets, streaming; returns how many."""
    return _write(path, items, SNIPPET_SCHEMA)


def write_pairs(path: Path, items: Iterable[Pair]) -> int:
    """Write pairs, streaming; returns how many."""
    return _write(path, items, PAIR_SCHEMA)


def write_rejects(path: Path, items: Iterable[Reject]) -> int:
    """Write rejects, streaming; returns how many."""
    return _write(path, items, REJECT_SCHEMA)


@contextmanager
def _open(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetFile]:
    with parquet_file(path) as file:
        metadata = file.schema_arrow.metadata or {}
        for key in (b"format", b"format_version"):
            found, wanted = metadata.get(key, b"none").decode(), schema.metadata[key].decode()
            if found != wanted:
                raise ValueError(
                    f"{path}: {key.decode()} is {found}, but this version reads {wanted}; "
                    "delete the file and run the workflow again"
                )
        yield file


RowFilter = tuple[str, Callable[[str], bool]]
"""A column and what its value must be."""


def _rows(
    path: Path, schema: pa.Schema, columns: Sequence[str] | None, where: RowFilter | None = None
) -> Iterator[list[Any]]:
    """Rows in the schema's column order; columns that were not asked for hold "" (0 for the line number).

    Row groups in which `where` holds nowhere are not read but for its column.
    """
    with _open(path, schema) as file:
        wanted = schema.names if columns is None else list(columns)
        if unknown := set(wanted) - set(schema.names):
            raise ValueError(
                f"{path}: no column {', '.join(sorted(unknown))}; there are {', '.join(schema.names)}"
            )
        for group in range(file.num_row_groups):
            chosen = None
            if where:
                values = file.read_row_group(group, columns=[where[0]]).column(0).to_pylist()
                chosen = [place for place, value in enumerate(values) if where[1](value)]
                if not chosen:
                    continue
            table = file.read_row_group(group, columns=wanted)
            if chosen is not None and len(chosen) < table.num_rows:
                table = table.take(column_of(chosen, pa.int64()))
            cells = []
            for item in schema:
                if item.name in wanted:
                    cells.append(table.column(item.name).to_pylist())
                else:
                    cells.append([0 if item.name == "line" else ""] * table.num_rows)
            yield from map(list, zip(*cells, strict=True))


def read_snippets(path: Path, columns: Sequence[str] | None = None) -> Iterator[Snippet]:
    """Snippets of a file, in order; with `columns`, the other fields are left empty and not read.

    Raises ValueError for another format or format version.
    """
    for row in _rows(path, SNIPPET_SCHEMA, columns):
        row[5:] = [Origin(*row[5:])]
        yield Snippet(*row)


def read_pairs(
    path: Path, columns: Sequence[str] | None = None, where: RowFilter | None = None
) -> Iterator[Pair]:
    """Pairs of a file, in order; with `columns`, the other fields are left empty and not read.

    where: only rows whose column holds such a value, ("split", "test".__eq__); the others become no objects.
    Raises ValueError for another format or format version.
    """
    origin, cells = Origin(), list(_cells(Origin()))
    for row in _rows(path, PAIR_SCHEMA, columns, where):
        if row[8:-1] != cells:  # pairs of one origin stand together
            cells = row[8:-1]
            origin = Origin(*cells)
        row[8:-1] = [origin]
        yield Pair(*row)


def read_pair_columns(path: Path, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Some columns of a file of pairs, in order: tuples with the values of each row.

    Raises ValueError for another format or format version.
    """
    with _open(path, PAIR_SCHEMA) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=list(columns))
            yield from zip(*(table.column(name).to_pylist() for name in columns), strict=True)


def read_rejects(path: Path) -> Iterator[Reject]:
    """Rejects of a file, in order. Raises ValueError for another format or format version."""
    for row in _rows(path, REJECT_SCHEMA, None):
        yield Reject(*row)
