"""A REST API on loopback that plays GitHub, with a clock of its own: nobody waits, and every early request is noted."""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

TOKEN = "ghp_SecretSecretSecret0123456789"


@dataclass
class Clock:
    """Time that passes only where somebody sleeps."""

    now: float = 1_700_000_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Reply:
    """What the server does with one request. `cut`: send that many bytes of the body and close."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    hold: float = 0.0  # no request is allowed for these seconds
    late: float = 0.0  # seconds without a word, by the clock on the wall
    raw: bytes | None = None


class Api:
    """Scripted replies first (`script`), then `answer`; requests before they are allowed are counted in `early`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.script: list[Reply] = []
        self.answer: Callable[[str, dict[str, str], dict[str, str]], Reply] = lambda *_: Reply(body={})
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.allowed, self.early = 0.0, 0
        self.url = ""

    def reply(self, target: str, headers: dict[str, str]) -> Reply:
        parts = urlsplit(target)
        params = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.requests.append((parts.path, params, headers))
        self.early += self.clock.now < self.allowed
        reply = self.script.pop(0) if self.script else self.answer(parts.path, params, headers)
        if reply.hold:
            self.allowed = self.clock.now + reply.hold
        return reply


@contextmanager
def serve(clock: Clock) -> Iterator[Api]:
    """A running server; `api.url` is its address."""
    api = Api(clock)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one packet

        def do_GET(self) -> None:
            reply = api.reply(self.path, {key.lower(): value for key, value in self.headers.items()})
            time.sleep(reply.late)
            body = reply.raw if reply.raw is not None else json.dumps(reply.body).encode()
            body = b"" if reply.status == 304 else body
            self.send_response_only(reply.status)  # without a Date: the clock is not the machine's
            for key, value in reply.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            if reply.cut is not None:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body if reply.cut is None else body[: reply.cut])
            self.close_connection = reply.cut is not None

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # clients that go away are part of the play

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class FakeGitHub:
    """Search over `repositories` (creation times, seconds): at most 1,000 shown, pages by Link, ETags, a rate limit."""

    def __init__(self, api: Api, created: list[int], per_minute: int = 30) -> None:
        self.api, self.created, self.per_minute = api, sorted(created), per_minute
        self.used, self.window = 0, api.clock.now
        self.totals: list[int] = []
        api.answer = self.answer

    def answer(self, path: str, params: dict[str, str], headers: dict[str, str]) -> Reply:
        clock = self.api.clock
        if path != "/search/repositories":
            return Reply(404, {"message": "Not Found"})
        if clock.now - self.window >= 60:
            self.used, self.window = 0, clock.now
        limits = {"x-ratelimit-reset": str(int(self.window + 60))}
        if self.used >= self.per_minute:
            self.api.early += 1
            return Reply(403, {"message": "API rate limit exceeded"}, limits | {"x-ratelimit-remaining": "0"})
        bounds = re.search(r"created:(\S+)\.\.(\S+)", params["q"])
        assert bounds is not None
        first, last = (datetime.fromisoformat(text).timestamp() for text in bounds.groups())
        hits = [i for i, at in enumerate(self.created) if first <= at <= last]
        page, size = int(params.get("page", "1")), int(params["per_page"])
        if page * size > 1000:
            return Reply(422, {"message": "Only the first 1000 search results are available"})
        etag = f'"{hash((params["q"], page))}"'
        if headers.get("if-none-match") == etag:
            return Reply(304, headers={"etag": etag})
        self.used += 1
        self.totals.append(len(hits))
        limits["x-ratelimit-remaining"] = str(self.per_minute - self.used)
        if page * size < min(len(hits), 1000):
            query = f"q={quote_plus(params['q'])}"
            limits["link"] = (
                f'<{self.api.url}{path}?{query}&per_page={size}&page={page + 1}>; rel="next", <x>; rel="last"'
            )
        shown = hits[(page - 1) * size : page * size]
        body = {"total_count": len(hits), "incomplete_results": False, "items": [item(i) for i in shown]}
        return Reply(200, body, limits | {"etag": etag})


def item(number: int) -> dict[str, Any]:
    """One search result."""
    return {
        "id": number,
        "full_name": f"owner{number % 7}/tool-{number}",
        "clone_url": f"https://github.com/owner{number % 7}/tool-{number}.git",
        "default_branch": "main",
        "stargazers_count": number % 1000,
        "archived": number % 5 == 0,
        "fork": number % 11 == 0,
        "license": [{"spdx_id": "MIT"}, {"spdx_id": "NOASSERTION"}, None][number % 3],
        "created_at": "2020-01-01T00:00:00Z",
    }


KEY = "Secret*Key)0123456789(("
"""Keys of that API have characters that are written otherwise in an address."""


class FakeStackExchange:
    """Questions of `created` (their creation times); number n is answered by 10_000 + n.

    Answers are gzip, as that API's always are; `backoff` seconds are asked for with every third, and `quota` requests
    are answered a day.
    """

    def __init__(self, api: Api, created: list[int], quota: int = 10_000, backoff: int = 7) -> None:
        self.api, self.quota, self.backoff = api, quota, backoff
        self.created = dict(enumerate(sorted(created), 1))
        self.gone: set[int] = set()
        self.used, self.day = 0, 0
        self.shown: list[int] = []
        api.answer = self.answer

    def answer(self, path: str, params: dict[str, str], headers: dict[str, str]) -> Reply:
        clock = self.api.clock
        assert params["key"] == KEY and "authorization" not in headers
        assert (params["site"], params["filter"], params["pagesize"]) == (
            "stackoverflow.com",
            "withbody",
            "100",
        )
        if clock.now // 86_400 != self.day:
            self.day, self.used = clock.now // 86_400, 0
        if self.used >= self.quota:
            self.api.early += 1
        self.used += 1
        page = int(params["page"])
        if path == "/search/advanced":
            assert (params["tagged"], params["accepted"], params["order"]) == ("python", "True", "asc")
            first, last = int(params["fromdate"]), int(params["todate"])
            hits = [n for n, at in self.created.items() if first <= at <= last]
            items = [self.question(n) for n in hits[(page - 1) * 100 : page * 100]]
            more = page * 100 < len(hits)
        else:
            wanted = [int(text) - 10_000 for text in path.removeprefix("/answers/").split(";")]
            assert len(wanted) <= 100
            self.shown += wanted
            items, more = [self.reply(n) for n in wanted if n not in self.gone], False
        body = {"items": items, "has_more": more, "quota_remaining": self.quota - self.used}
        hold = 0.0
        if self.used % 3 == 0:
            body["backoff"] = hold = self.backoff
        return zipped(body, hold=hold)

    def post(self, number: int, text: str) -> dict[str, Any]:
        """What both have."""
        return {
            "creation_date": self.created[number],
            "body": f"<p>So:</p><pre><code>{text}\n</code></pre>",
            "content_license": "CC BY-SA 4.0",
            "owner": {"user_id": 100 + number, "display_name": "Zo&#235;"},
        }

    def question(self, number: int) -> dict[str, Any]:
        """A question with code that does not compile."""
        known = {"question_id": number, "accepted_answer_id": 10_000 + number, "tags": ["python", "list"]}
        return known | self.post(number, f"def total{number}(items)\n    return sum(items)")

    def reply(self, number: int) -> dict[str, Any]:
        """Its accepted answer."""
        known = {"answer_id": 10_000 + number, "question_id": number}
        return known | self.post(number, f"def total{number}(items):\n    return sum(items)")


def zipped(body: Any, status: int = 200, hold: float = 0.0) -> Reply:
    """A reply that is gzip."""
    raw = gzip.compress(json.dumps(body).encode())
    return Reply(status, raw=raw, headers={"content-encoding": "gzip"}, hold=hold)
