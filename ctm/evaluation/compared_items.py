"""First edits item by item, of every model that was compared, as Parquet: what the reference points stand beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ctm.files import replacing

if TYPE_CHECKING:  # torch, which readers need not load
    from ctm.evaluation.first_edits import FirstEdits
    from ctm.evaluation.suites import Case

FORMAT_VERSION = "1"
COMPARED = pa.schema(
    [
        ("id", pa.string()),
        ("model", pa.string()),
        ("edits", pa.int32()),  # that lead to the fixed text, 0 for clean code; null out of scope
        ("right", pa.bool_()),  # the first edit at the most certain tick
        ("first_tick_right", pa.bool_()),
    ],
    metadata={"format": "ctm.compared_items", "format_version": FORMAT_VERSION},
)


def write_compared(path: Path, cases: Sequence[Case], said: Mapping[str, FirstEdits]) -> None:
    """A row for each item and model, by the model's name."""
    edits = [None if case.goal is None else case.edits for case in cases]
    rows = {
        "id": [case.item.item_id for _ in said for case in cases],
        "model": [name for name in said for _ in cases],
        "edits": [number for _ in said for number in edits],
        "right": [hit for one in said.values() for hit in one.surest.tolist()],
        "first_tick_right": [hit for one in said.values() for hit in one.right[:, 0].tolist()],
    }
    with replacing(path) as temporary:
        pq.write_table(pa.table(rows, schema=COMPARED), temporary, compression="zstd")


def read_compared(path: Path) -> list[dict[str, Any]]:
    """All rows. Raises ValueError for another format or format version."""
    table = pq.read_table(path)
    metadata = table.schema.metadata or {}
    if (metadata.get(b"format"), metadata.get(b"format_version")) != (
        b"ctm.compared_items",
        FORMAT_VERSION.encode(),
    ):
        raise ValueError(
            f"{path}: not a file of compared items of format_version {FORMAT_VERSION}; run rule compare_trm again"
        )
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
