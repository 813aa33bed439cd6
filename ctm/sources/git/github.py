"""Finding Python repositories with GitHub's search, which shows 1,000 results of any query and no more.

So the time of creation is halved until each part has fewer: the parts still to be asked, and what was found, are rows
of one SQLite file, and each part is ended in one transaction. A search that was killed anywhere goes on from there,
finds nothing twice and loses nothing. The list it writes is CSV; a list of one's own has the same columns.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ctm.bounds import Address, Amount, Count
from ctm.sources.rest.client import RestClient, RestError, RestSettings
from ctm.sources.rest.days import day_seconds

log = logging.getLogger(__name__)
SHOWN = 1000
"""Results that GitHub shows of one query."""
PAGE = 100
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
TOKEN = "GITHUB_TOKEN"
"""The environment variable that has the token."""

_TABLES = """
CREATE TABLE IF NOT EXISTS query (text TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS parts
  (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, total INTEGER, missing INTEGER NOT NULL DEFAULT 0,
   incomplete INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS repositories
  (id INTEGER PRIMARY KEY, name TEXT, url TEXT, license TEXT, branch TEXT, stars INTEGER, archived INTEGER,
   fork INTEGER, created TEXT);
"""


@dataclass(frozen=True)
class RepositorySearchSettings(RestSettings):
    """Which repositories GitHub's search is asked for."""

    api: Address = "https://api.github.com"
    """Address of the REST API. The token is read from the environment variable GITHUB_TOKEN, and works without."""
    min_stars: Amount = 50
    """Fewest stars of a repository."""
    created_from: str = "2008-01-01"
    """First day of creation."""
    created_to: str = "2025-12-31"
    """Last day of creation. Days that are over give the same list again, but for stars that came and went."""
    forks: bool = False
    """Whether forks are taken; their history is mostly that of another repository."""
    archived: bool = True
    """Whether archived repositories are taken; their history is as good as any."""
    licenses: tuple[str, ...] = ()
    """Licenses that are taken, as SPDX ids; empty: any, also repositories of which GitHub knows none."""
    most: Count = 200_000
    """Most repositories on the list, those with most stars."""

    def __post_init__(self) -> None:
        first, last = (
            day_seconds(self.created_from, "created_from"),
            day_seconds(self.created_to, "created_to"),
        )
        if first > last:
            raise ValueError(
                f"created_from {self.created_from} must not be after created_to {self.created_to}"
            )


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository of the list; `license` is an SPDX id, "" where none is known, `created` a time (UTC)."""

    name: str
    url: str
    license: str = ""
    branch: str = ""
    stars: int = 0
    archived: bool = False
    fork: bool = False
    created: str = ""


COLUMNS = tuple(field.name for field in fields(Repository))


class RepositorySearch:
    """A search that can be stopped and gone on with; its progress is in the SQLite file `state`.

    `state` belongs to one query: another one empties it. Raises ValueError for a file that is no SQLite database.
    """

    def __init__(self, client: RestClient, settings: RepositorySearchSettings, state: Path) -> None:
        self._client, self._settings = client, settings
        state.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(state, timeout=60, isolation_level=None)
        try:
            self._file.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            self._file.close()
            raise ValueError(
                f"{state}: not a usable SQLite file ({error}); delete it to start the search again"
            ) from None
        self._begin()

    def run(self) -> None:
        """Ask until no part is left. Raises RestError; what was found until then is kept."""
        while part := self._file.execute(
            "SELECT first, last FROM parts WHERE total IS NULL ORDER BY first"
        ).fetchone():
            self._search_part(*part)
            left, found = self._file.execute(
                "SELECT (SELECT count(*) FROM parts WHERE total IS NULL), (SELECT count(*) FROM repositories)"
            ).fetchone()
            log.info("%d repositories found, %d parts left", found, left)

    def found(self) -> Iterator[Repository]:
        """Everything found so far, most stars first, then by name."""
        columns = ", ".join(COLUMNS)
        for row in self._file.execute(f"SELECT {columns} FROM repositories ORDER BY stars DESC, name"):
            name, url, license, branch, stars, archived, fork, created = row
            yield Repository(name, url, license, branch, stars, bool(archived), bool(fork), created)

    def counts(self) -> dict[str, int]:
        """Parts asked, results that GitHub counted, repositories found, results that it counted but never showed, and
        parts of which it said that it ran out of time."""
        row = self._file.execute(
            "SELECT count(total), sum(total), sum(missing), sum(incomplete) FROM parts"
        ).fetchone()
        found = self._file.execute("SELECT count(*) FROM repositories").fetchone()[0]
        return {
            "parts": row[0],
            "counted": row[1] or 0,
            "found": found,
            "never shown": row[2] or 0,
            "incomplete parts": row[3] or 0,
        }

    def close(self) -> None:
        """Close the file of the state."""
        self._file.close()

    def _begin(self) -> None:
        settings = self._settings
        first = day_seconds(settings.created_from, "created_from")
        last = day_seconds(settings.created_to, "created_to") + 86_399
        query = f"{settings.api} {self._terms()} {first} {last}"
        if self._file.execute("SELECT 1 FROM query WHERE text = ?", (query,)).fetchone():
            return
        with _transaction(self._file):
            for table in ("query", "parts", "repositories"):
                self._file.execute(f"DELETE FROM {table}")
            self._file.execute("INSERT INTO query VALUES (?)", (query,))
            self._file.execute("INSERT INTO parts (first, last) VALUES (?, ?)", (first, last))

    def _terms(self) -> str:
        fork = " fork:true" if self._settings.forks else ""
        return f"language:python stars:>={self._settings.min_stars}{fork}"

    def _search_part(self, first: int, last: int) -> None:
        """Take one part of the time (seconds since 1970, both ends included), or halve it."""
        query = f"{self._terms()} created:{_time(first)}..{_time(last)}"
        items: dict[int, dict[str, Any]] = {}
        total, complete = 0, True
        params = {"q": query, "per_page": PAGE}
        for number, answer in enumerate(self._client.pages("search/repositories", params, "search")):
            page_total, page_items, page_complete = _checked(answer.data)
            complete = complete and page_complete
            if number == 0:
                total = page_total
                if total > SHOWN and first < last:
                    self._halve(first, last)
                    return
            items.update({int(item["id"]): item for item in page_items})
            if (number + 1) * PAGE >= SHOWN:
                break
        # Results move between pages while they are read, and a search that took too long shows only some.
        if (len(items) < min(total, SHOWN) or not complete) and first < last and total > 1:
            self._halve(first, last)
            return
        missing = max(0, total - len(items))
        if missing:
            log.warning("created %s..%s: %d of %d never shown", _time(first), _time(last), missing, total)
        rows = [(key, *_row(item)) for key, item in items.items()]
        with _transaction(self._file):
            self._file.executemany("INSERT OR REPLACE INTO repositories VALUES (?,?,?,?,?,?,?,?,?)", rows)
            self._file.execute(
                "UPDATE parts SET total = ?, missing = ?, incomplete = ? WHERE first = ?",
                (total, missing, not complete, first),
            )

    def _halve(self, first: int, last: int) -> None:
        middle = (first + last) // 2
        with _transaction(self._file):
            self._file.execute("UPDATE parts SET last = ? WHERE first = ?", (middle, first))
            self._file.execute("INSERT INTO parts (first, last) VALUES (?, ?)", (middle + 1, last))


class _transaction:
    """All statements of the block, or none of them."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file

    def __enter__(self) -> None:
        self._file.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.execute("COMMIT" if kind is None else "ROLLBACK")


def github_token() -> str:
    """The token of the environment; "" without one."""
    return os.environ.get(TOKEN, "").strip()


def _checked(data: Any) -> tuple[int, list[dict[str, Any]], bool]:
    """(results counted, those of this page, whether the search was complete). Raises RestError for other shapes."""
    try:
        return int(data["total_count"]), list(data["items"]), not data.get("incomplete_results", False)
    except (KeyError, TypeError, ValueError):
        raise RestError("search/repositories: the answer has no total_count and items") from None


def _row(item: dict[str, Any]) -> tuple[object, ...]:
    try:
        spdx = str((item.get("license") or {}).get("spdx_id") or "")
        repository = Repository(
            name=str(item["full_name"]),
            url=str(item["clone_url"]),
            license="" if spdx == "NOASSERTION" else spdx,
            branch=str(item.get("default_branch") or ""),
            stars=int(item.get("stargazers_count") or 0),
            archived=bool(item.get("archived")),
            fork=bool(item.get("fork")),
            created=str(item.get("created_at") or ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RestError(
            f"search/repositories: a result lacks a field or has a wrong one ({error}); the API may have changed"
        ) from None
    return astuple(repository)


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
