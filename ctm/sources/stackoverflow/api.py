"""Questions with an accepted answer, and these answers, from the Stack Exchange API; rows in the form of the dump's.

For small runs: 100 posts a request, and a quota a day. Questions are asked for in the order of their creation, each
time from the second where the last answer ended, so that what comes or goes meanwhile moves no page under the reader's
feet. Each answer is one transaction of an SQLite file: whatever stops it, it goes on from there and asks nothing twice.
"""

from __future__ import annotations

import html
import json
import logging
import os
import re
import sqlite3
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from ctm.sources.rest.client import EVERYTHING, JsonResponse, Reply, RestClient, RestError
from ctm.sources.rest.days import day_seconds
from ctm.sources.rest.etags import CachedResponse, ResponseCache
from ctm.sources.stackoverflow.settings import StackOverflowSettings

log = logging.getLogger(__name__)
KEY = "STACKEXCHANGE_KEY"
"""The environment variable that has the key."""
PAGE = 100
"""Most posts of one answer, and most identities of one request."""
DAY = 86_400
FORMAT_VERSION = 1
UPPER_BOUND = 2**37
"""Larger than any identity, and than any time (the year 6325)."""
THROTTLED, FOR_NOW = 502, (500, 503)
"""`error_id` of too many requests, and of errors that pass."""

_TABLES = """
CREATE TABLE IF NOT EXISTS query (text TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS place (first INTEGER NOT NULL, page INTEGER NOT NULL, ended INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS questions
  (id INTEGER PRIMARY KEY, created INTEGER NOT NULL, answer INTEGER NOT NULL, asked INTEGER NOT NULL,
   post BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS answers (id INTEGER PRIMARY KEY, post BLOB NOT NULL);
"""


class StackExchange(RestClient):
    """The client of that API, which says in its answers' bodies how long to wait, and how much is left of the quota."""

    def _understood(self, url: httpx.URL, reply: Reply, kept: CachedResponse | None) -> JsonResponse | None:
        said = _json_object(reply.body)
        if seconds := _count(said.get("backoff")):
            self.pause(seconds)
        if said.get("quota_remaining") == 0:
            left = DAY - self._server_time(reply) % DAY
            log.warning("the quota of the day is used up: nothing is asked for %.0f s", left)
            self.pause(left)
        error = said.get("error_id")
        if error is None:
            return super()._understood(url, reply, kept)
        message = str(said.get("error_message"))
        if error == THROTTLED:
            found = re.search(r"\bin (\d{1,9}) seconds", message)
            self._pause_for(int(found[1]) if found else self._settings.limit_backoff, EVERYTHING)
            return None
        if error in FOR_NOW:
            return None
        raise self._error(url, f"error {error}, {said.get('error_name')}: {message[:200]}", reply.status)


class Questions:
    """The first questions of a period and their accepted answers; what is known of them is in the SQLite file `state`.

    `state` belongs to one query: another one empties it. Raises ValueError for a file that is no SQLite database.
    """

    def __init__(
        self, settings: StackOverflowSettings, state: Path, etags: Path, client: StackExchange | None = None
    ) -> None:
        self._settings, api = settings, settings.api
        self._client = client or StackExchange(
            api.address, ResponseCache(etags), api, stackexchange_key(), parameter="key"
        )
        self._last = day_seconds(api.created_to, "created_to") + DAY - 1
        self._site = httpx.URL(settings.site).host
        state.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(state, timeout=60)
        try:
            self._file.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            self._file.close()
            raise ValueError(
                f"{state}: not a usable SQLite file ({error}); delete it to fetch the questions again"
            ) from None
        self._begin()

    def run(self) -> None:
        """Ask until there are enough questions, or no more, and all their answers. Raises RestError."""
        wanted = self._settings.api.questions
        while (found := self._one("SELECT count(*) FROM questions")) < wanted:
            if self._one("SELECT ended FROM place"):
                break
            self._fetch_questions()
            log.info("question %d/%d", min(wanted, self._one("SELECT count(*) FROM questions")), wanted)
        while batch := [(key, answer) for key, answer, asked in self._chosen() if not asked][:PAGE]:
            self._fetch_answers(batch)
        log.info(
            "%d of %d questions, %d accepted answers", min(found, wanted), wanted,
            self._one("SELECT count(*) FROM answers"),
        )  # fmt: skip

    def rows(self) -> Iterator[dict[str, str]]:
        """The questions in the order of their creation, then the answers, with the attributes of Posts.xml."""
        chosen = self._chosen()
        for table, keys in (
            ("questions", [row[0] for row in chosen]),
            ("answers", [row[1] for row in chosen]),
        ):
            for key in keys:
                for (post,) in self._file.execute(f"SELECT post FROM {table} WHERE id = ?", (key,)):
                    yield _row(json.loads(zlib.decompress(post)))

    def close(self) -> None:
        """Close the file of the state and the connections."""
        self._file.close()
        self._client.close()

    def _begin(self) -> None:
        settings, api = self._settings, self._settings.api
        first = day_seconds(api.created_from, "created_from")
        query = f"{FORMAT_VERSION} {api.address} {self._site} {';'.join(settings.tags)} {first} {self._last}"
        if self._file.execute("SELECT 1 FROM query WHERE text = ?", (query,)).fetchone():
            return
        with self._file:
            for table in ("query", "place", "questions", "answers"):
                self._file.execute(f"DELETE FROM {table}")
            self._file.execute("INSERT INTO query VALUES (?)", (query,))
            self._file.execute("INSERT INTO place VALUES (?, 1, 0)", (first,))

    def _chosen(self) -> list[tuple[int, int, int]]:
        """(question, accepted answer or 0, whether that was asked for) of the questions that count."""
        query = "SELECT id, answer, asked FROM questions ORDER BY created, id LIMIT ?"
        return self._file.execute(query, (self._settings.api.questions,)).fetchall()

    def _fetch_questions(self) -> None:
        first, page = self._file.execute("SELECT first, page FROM place").fetchone()
        path = "search/advanced"
        items, more = self._page(
            path, page, tagged=";".join(self._settings.tags), accepted="True", sort="creation", order="asc",
            fromdate=first, todate=self._last,
        )  # fmt: skip
        rows = []
        for item in items:
            answer = _whole(path, item, "accepted_answer_id") if "accepted_answer_id" in item else 0
            key, created = _whole(path, item, "question_id"), _whole(path, item, "creation_date")
            rows.append((key, created, answer, not answer, _packed(item)))
        newest = max((row[1] for row in rows), default=first)
        # a page further only where one second fills a whole page
        place = (newest, 1) if newest > first else (first, page + 1)
        with self._file:
            self._file.executemany("INSERT OR IGNORE INTO questions VALUES (?, ?, ?, ?, ?)", rows)
            self._file.execute("UPDATE place SET first = ?, page = ?, ended = ?", (*place, not more))

    def _fetch_answers(self, batch: list[tuple[int, int]]) -> None:
        path = f"answers/{';'.join(str(answer) for _, answer in batch)}"
        rows, page, more = [], 1, True
        while more:
            items, more = self._page(path, page)
            rows += [(_whole("answers", item, "answer_id"), _packed(item)) for item in items]
            page += 1
        with self._file:  # those that did not come are gone: they are not asked for again
            self._file.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", rows)
            self._file.executemany(
                "UPDATE questions SET asked = 1 WHERE id = ?", [(key,) for key, _ in batch]
            )

    def _page(self, path: str, page: int, **params: str | int) -> tuple[list[dict[str, Any]], bool]:
        """(items of one page, whether there are more). Raises RestError for another shape too."""
        common = {"site": self._site, "filter": "withbody", "pagesize": PAGE, "page": page}
        data = self._client.get(path, common | params).data
        items = data.get("items") if isinstance(data, dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise RestError(
                f'{path.partition("/")[0]}: the server\'s answer has no list "items"; the API may have changed'
            )
        more = bool(data.get("has_more"))
        if more and not items:
            raise RestError(
                f"{path.partition('/')[0]}: the server returned an empty page but says that more follow; "
                "start again later"
            )
        return items, more

    def _one(self, query: str) -> int:
        return int(self._file.execute(query).fetchone()[0])


def stackexchange_key() -> str:
    """The key of the environment; "" without one."""
    return os.environ.get(KEY, "").strip()


def _row(item: dict[str, Any]) -> dict[str, str]:
    """An item with the attributes that the dump has of a post."""
    owner = item.get("owner")
    owner = owner if isinstance(owner, dict) else {}
    tags = item.get("tags")
    is_answer, created = "answer_id" in item, _count(item.get("creation_date"))
    row = {
        "Id": item["answer_id" if is_answer else "question_id"],
        "PostTypeId": 2 if is_answer else 1,
        "ParentId": item.get("question_id") if is_answer else None,
        "AcceptedAnswerId": item.get("accepted_answer_id"),
        "Tags": "".join(f"<{tag}>" for tag in tags) if isinstance(tags, list) else None,
        "Body": item.get("body"),
        "CreationDate": datetime.fromtimestamp(created, UTC).date() if created else None,
        "ContentLicense": item.get("content_license"),
        "OwnerUserId": owner.get("user_id"),
        "OwnerDisplayName": html.unescape(str(owner.get("display_name") or "")),  # the API sends it as HTML
    }
    return {key: str(value) for key, value in row.items() if value is not None}


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _count(value: Any) -> int:
    """A number that can be one of seconds; 0 for what is none."""
    return value if isinstance(value, int) and 0 <= value < UPPER_BOUND else 0


def _whole(path: str, item: dict[str, Any], key: str) -> int:
    value = item.get(key)
    if type(value) is not int or not 0 < value < UPPER_BOUND:
        raise RestError(f"{path}: an item whose {key} is {str(value)[:40]!r}")
    return value


def _packed(item: dict[str, Any]) -> bytes:
    return zlib.compress(json.dumps(item).encode())
