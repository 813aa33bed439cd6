"""Per-item results as Parquet: what the analysis of the ticks, and anyone who looks for errors, reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from ctm.parquet import read_parquet, write_parquet

FORMAT_VERSION = "1"
ITEMS = pa.schema(
    [
        ("suite", pa.string()),
        ("id", pa.string()),
        ("category", pa.string()),
        ("kind", pa.string()),
        ("project", pa.string()),  # what it was taken from; items of one are alike
        ("broken", pa.bool_()),  # the buggy text does not compile
        ("in_scope", pa.bool_()),
        ("reason", pa.string()),  # why out of scope
        ("cells", pa.int32()),
        ("edits", pa.int32()),  # that lead to the fixed text
        ("exact", pa.bool_()),
        ("bifi", pa.bool_()),
        ("guarded_bifi", pa.bool_()),
        ("edit_precision", pa.float32()),  # null where the answer, or the author, changed nothing
        ("edit_recall", pa.float32()),
        ("collateral", pa.int32()),  # names and literals lost that the author keeps
        ("over_deleted", pa.int32()),  # tokens
        ("statement_recall", pa.float32()),
        ("same_tree", pa.bool_()),
        ("compiles", pa.bool_()),  # the answer
        ("changed", pa.bool_()),
        ("confidence", pa.float32()),
        ("share", pa.float32()),  # of an answer for broken code: what the curve makes the confidence of
        ("certainty", pa.float32()),
        ("ticks", pa.float32()),  # to the answering tick, mean over the passes
        ("asked", pa.int32()),  # answers of the model
        ("passes", pa.int32()),
        ("stopped", pa.string()),
        ("answer", pa.string()),
        ("tick_right", pa.list_(pa.bool_())),  # of the first answer, tick by tick
        ("tick_certainty", pa.list_(pa.float32())),
    ],
    metadata={"format": "ctm.items", "format_version": FORMAT_VERSION},
)


def write_items(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows (schema ITEMS)."""
    write_parquet(path, pa.Table.from_pylist(list(rows), schema=ITEMS))


def read_items(path: Path, columns: Sequence[str] = ()) -> pa.Table:
    """All items. Raises ValueError for another format or format version, or if one of `columns` is missing.

    columns: those that earlier runs of this version did not write.
    """
    table = read_parquet(path)
    metadata = table.schema.metadata or {}
    found = (metadata.get(b"format"), metadata.get(b"format_version"))
    if found != (b"ctm.items", FORMAT_VERSION.encode()):
        raise ValueError(
            f"{path}: not a file of benchmark items of format_version {FORMAT_VERSION}; run the benchmark again"
        )
    if missing := [name for name in columns if name not in table.column_names]:
        raise ValueError(f"{path}: has no column {', '.join(missing)}; run the benchmark again")
    return table
