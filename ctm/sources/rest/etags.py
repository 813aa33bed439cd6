"""Cache of a REST client in one SQLite file: responses by ETag, and when the next request is allowed.

An authorized request that GitHub answers with 304 costs nothing of the hourly limit, so every answer that carries an
ETag is kept. The times are kept too: a client that was killed while it had to wait goes on waiting.
"""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass
from pathlib import Path

_TABLES = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS answers (url TEXT PRIMARY KEY, etag TEXT NOT NULL, link TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS waits (bucket TEXT PRIMARY KEY, until REAL NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """An answer as it was: its ETag, its Link header ("" without) and its body."""

    etag: str
    link: str
    body: bytes


class ResponseCache:
    """The file; `path` is made with its folders. Raises ValueError for a file that is no SQLite database."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path, timeout=60, isolation_level=None)
        try:
            self._file.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            self._file.close()
            raise ValueError(
                f"{path}: not a usable SQLite file ({error}); delete it and the cache is built again"
            ) from None

    def get(self, url: str) -> CachedResponse | None:
        """What was answered to `url` last, if it had an ETag."""
        row = self._file.execute("SELECT etag, link, body FROM answers WHERE url = ?", (url,)).fetchone()
        return CachedResponse(row[0], row[1], zlib.decompress(row[2])) if row else None

    def put(self, url: str, kept: CachedResponse) -> None:
        """Remember an answer in place of the one before."""
        row = (url, kept.etag, kept.link, zlib.compress(kept.body))
        self._file.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", row)

    def delete(self, url: str) -> None:
        """Drop what was answered to `url`."""
        self._file.execute("DELETE FROM answers WHERE url = ?", (url,))

    def until(self, *buckets: str) -> float:
        """The latest time, seconds since 1970, before which one of these buckets must not be asked; 0 if none."""
        marks = ",".join("?" * len(buckets))
        row = self._file.execute(f"SELECT max(until) FROM waits WHERE bucket IN ({marks})", buckets)
        return float(row.fetchone()[0] or 0)

    def block_until(self, bucket: str, until: float) -> None:
        """Ask nothing of `bucket` before `until`; never shortens a wait."""
        self._file.execute(
            "INSERT INTO waits VALUES (?, ?) ON CONFLICT (bucket) DO UPDATE SET until = max(until, excluded.until)",
            (bucket, until),
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()
