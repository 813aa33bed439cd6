"""Parquet as the project writes and reads it: zstd, whole or not at all, and a checksum for each page.

Parquet's checksums are off unless both sides ask for them: of 100 changed bits more than half were read as other texts.
They cover what pages hold. Headers and the footer have none: most damage there is an error, and the sums of whole files
(the manifest of the grids, the ledger of a run) see all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ctm.files import replacing

_REMEDY = "delete it and run the workflow again, or copy it again"


@contextmanager
def parquet_writer(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """Writes tables one after the other; the file appears when the block ends well."""
    with (
        replacing(path) as part,
        pq.ParquetWriter(part, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        yield writer


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table."""
    with parquet_writer(path, table.schema) as writer:
        writer.write_table(table)


@contextmanager
def parquet_file(path: Path) -> Iterator[pq.ParquetFile]:
    """An open file, to be read within the block; files without checksums are taken as they are.

    Raises ValueError naming a file that is damaged or no Parquet, OSError where it cannot be opened.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(f"{path}: damaged, or no Parquet ({str(error)[:200]}); {_REMEDY}") from error


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A whole file, or some of its columns. Raises what `parquet_file` does."""
    with parquet_file(path) as file:
        return file.read(columns=None if columns is None else list(columns))
