"""Key-value tables on disk, for posts that wait for their question or answer while a dump is read.

A SQLite file with a page cache of fixed size and no journal (it is scratch: a run that dies begins anew), so that
memory does not grow with the dump. Records are JSON, compressed.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CACHE_KB = 65_536


class Spill:
    """Tables of records (anything JSON takes) by 63-bit number."""

    def __init__(self, path: Path, tables: tuple[str, ...]) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{CACHE_KB}", "temp_store=FILE"):
            self._connection.execute(f"PRAGMA {pragma}")
        for table in tables:
            self._connection.execute(f"CREATE TABLE {table} (key INTEGER PRIMARY KEY, record BLOB NOT NULL)")
        self._connection.execute("BEGIN")

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def put(self, table: str, key: int, record: Any) -> bool:
        """Keep a record; False where the key has one, which is replaced."""
        packed = zlib.compress(json.dumps(record, separators=(",", ":")).encode(), 1)
        added = self._connection.execute(
            f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", (key, packed)
        ).rowcount
        if not added:
            self._connection.execute(f"UPDATE {table} SET record = ? WHERE key = ?", (packed, key))
        return bool(added)

    def get(self, table: str, key: int) -> Any:
        """The record of a key, None where there is none."""
        row = self._connection.execute(f"SELECT record FROM {table} WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(zlib.decompress(row[0]))

    def pop(self, table: str, key: int) -> Any:
        """The record of a key, which is forgotten; None where there is none."""
        record = self.get(table, key)
        if record is not None:
            self._connection.execute(f"DELETE FROM {table} WHERE key = ?", (key,))
        return record

    def items(self, table: str) -> Iterator[tuple[int, Any]]:
        """All (key, record) of a table in order of the keys."""
        for key, packed in self._connection.execute(f"SELECT key, record FROM {table} ORDER BY key"):
            yield key, json.loads(zlib.decompress(packed))
