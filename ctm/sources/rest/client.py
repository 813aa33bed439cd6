"""Client of REST APIs that respects rate limits, retries, and never writes its token anywhere.

How long to wait is the server's to say: Retry-After first, then x-ratelimit-reset once x-ratelimit-remaining is 0.
Where it says nothing (a limit without either, 5xx, a cut connection, an answer that is no JSON) waits double, with
jitter that only lengthens them. Times to wait for survive a restart, as ETags do (ctm/sources/rest/etags.py). A host
that never answered is not waited for like one that falls silent: no run has begun that patience could save.
"""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from ctm.bounds import Amount, Few, Megabytes, Seconds, Wait
from ctm.sources.rest.etags import CachedResponse, ResponseCache

log = logging.getLogger(__name__)
for _name in (
    "httpcore",
    "httpx",
):  # they log headers of answers, and a server may send back what it was sent
    logging.getLogger(_name).setLevel(logging.WARNING)
EVERYTHING = "*"
"""The bucket of waits that hold for all requests: a Retry-After is about the client, not about one kind of request."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
MAX_REDIRECTS = 5


@dataclass(frozen=True)
class RestSettings:
    """How patient the client of a REST API is."""

    timeout: Seconds = 30
    """Time limit of one connection, of each read from it, and of a host that has not answered yet, seconds."""
    attempts: Few = 8
    """Most times that one request is sent before it counts as failed."""
    backoff: Wait = 1.0
    """First wait after a 5xx, a cut connection or an answer that is no JSON, seconds; it doubles each time."""
    limit_backoff: Wait = 60.0
    """First wait after a 403 or 429 that does not say how long, seconds; it doubles each time."""
    max_backoff: Wait = 900.0
    """Longest of these waits before jitter, seconds."""
    max_wait: Amount = 4000
    """Longest wait that the server may ask for, seconds; GitHub's limits start anew every hour."""
    max_answer_mb: Megabytes = 32
    """Largest answer that is read, MB."""


class RestError(RuntimeError):
    """A request that failed for good; `status` is the last answer's, 0 where there was none. Carries no token."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class JsonResponse:
    """Parsed JSON, the URL of the next page ("" after the last), and whether the server sent it anew (not 304)."""

    data: Any
    next: str
    fresh: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came."""

    status: int
    headers: httpx.Headers
    body: bytes


class RestClient:
    """GET requests to one API, one after the other. `counts` has requests, not modified, retries and seconds waited.

    The token goes into a header, or into the query parameter `parameter` for APIs that want it there; no address that
    is kept, logged or told has it. Sleep, clock (seconds since 1970) and `draw` (0 to 1, for jitter) can be given by
    tests. Raises ValueError for a token that cannot be one, or a base to which it would travel unencrypted.
    """

    def __init__(
        self,
        base: str,
        etags: ResponseCache,
        settings: RestSettings,
        token: str = "",
        headers: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
        parameter: str = "",
    ) -> None:
        self.base = httpx.URL(base.rstrip("/") + "/")
        token = token.strip()
        if not re.fullmatch(r"[!-~]*", token):
            raise ValueError("the token contains spaces or other invalid characters; set it again")
        local = self.base.host in LOOPBACK
        if self.base.scheme != "https" and not local:
            raise ValueError(
                f"{_bare(self.base)}: the address must begin with https://, or the token would be sent unencrypted"
            )
        self.counts: Counter[str] = Counter()
        self._token, self._etags, self._settings = token, etags, settings
        self._sleep, self._clock, self._draw = sleep, clock, draw
        sent = {"User-Agent": "ctm-code-repair", "Accept": "application/json", **(headers or {})}
        if token and not parameter:
            sent["Authorization"] = f"Bearer {token}"
        self._secret_query = {parameter: token} if token and parameter else {}
        # as it is, and as it stands in an address
        self._forms = sorted({token, quote(token), quote(token, safe="")} - {""}, key=len, reverse=True)
        self._answered = False
        self._http = httpx.Client(headers=sent, timeout=settings.timeout, trust_env=not local)

    @property
    def authorized(self) -> bool:
        """Whether requests carry a token."""
        return bool(self._token)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def pages(
        self, path: str, params: Mapping[str, Any] | None = None, bucket: str = "core"
    ) -> Iterator[JsonResponse]:
        """All pages of a list, as the Link header of each names the next one. Raises RestError."""
        answer = self.get(path, params, bucket)
        yield answer
        while answer.next:
            answer = self.get(answer.next, None, bucket)
            yield answer

    def get(self, path: str, params: Mapping[str, Any] | None = None, bucket: str = "core") -> JsonResponse:
        """The answer to one GET. `path` is joined to the base; `bucket` names the limit that it counts against.

        Raises RestError: at once where asking again is of no use, else after `attempts`, where the server asks for a
        longer wait than `max_wait`, or where it has answered no request at all for `timeout`.
        """
        url = self._url(path)
        if params:
            url = url.copy_merge_params(params)
        why, status, begun = "", 0, 0.0
        for attempt in range(self._settings.attempts):
            if attempt:
                self.counts["retries"] += 1
            self._wait(bucket)
            begun = begun or self._clock()
            kept = self._etags.get(str(url))
            reply: Reply | None = None
            try:
                reply = self._send(url, kept)
                status = reply.status
                if answer := self._understood(url, reply, kept):
                    self._note_limit(reply, bucket)
                    return answer
                why = f"status {status}: {self._message_of(reply)}"
            except (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL) as error:
                why = f"{type(error).__name__}: {error}"
            except ValueError as error:  # of JSON and of its encoding
                why = f"the answer is no JSON ({error})"
                self._etags.delete(str(url))
            if reply is not None:
                self._note_limit(reply, bucket)
            if not self._answered and self._clock() - begun >= self._settings.timeout:
                waited = f"no answer in {self._settings.timeout} s; is a proxy in the way?"
                raise self._error(url, f"{why}; {waited}")
            self._pause_after(reply, bucket, attempt)
            log.warning("%s", self._clean(f"{_bare(url)}: {why}; attempt {attempt + 1}"))
        raise self._error(url, f"{why}; gave up after {self._settings.attempts} attempts", status)

    def pause(self, seconds: float, bucket: str = EVERYTHING) -> None:
        """Ask nothing of `bucket` for some seconds, for APIs that say so in their answers."""
        self._etags.block_until(bucket, self._clock() + seconds)

    def _url(self, path: str) -> httpx.URL:
        try:
            url = self.base.join(path.lstrip("/") if "://" not in path else path)
        except httpx.InvalidURL as error:
            raise self._error(self.base, f"{path!r} is no path ({error})") from None
        if (url.scheme, url.host, url.port) != (self.base.scheme, self.base.host, self.base.port):
            raise self._error(
                url,
                f"refused to follow a link to another host than {self.base.host}: the token would be sent there",
            )
        return url

    def _wait(self, bucket: str) -> None:
        """Return no earlier than the server allows; a sleep may end early, so the clock decides."""
        while (left := self._etags.until(bucket, EVERYTHING) - self._clock()) > 0:
            if left > self._settings.max_wait * 2:
                raise RestError(
                    f"{_bare(self.base)}: the server allows no request for {left:.0f} s, more than twice max_wait "
                    f"({self._settings.max_wait} s); start again later, or raise max_wait"
                )
            log.info("waiting %.0f s for %s", left, self.base.host)
            self.counts["seconds waited"] += max(1, round(left))
            self._sleep(left)

    def _send(self, url: httpx.URL, kept: CachedResponse | None) -> Reply:
        headers = {"If-None-Match": kept.etag} if kept else {}
        limit = self._settings.max_answer_mb * 1_000_000
        for _ in range(MAX_REDIRECTS):
            self.counts["requests"] += 1
            asked = url.copy_merge_params(self._secret_query) if self._secret_query else url
            with self._http.stream("GET", asked, headers=headers) as response:
                self._answered = True
                body, begun = bytearray(), time.monotonic()
                for chunk in response.iter_bytes():
                    body += chunk
                    if time.monotonic() - begun > 10 * self._settings.timeout:
                        raise httpx.ReadTimeout("the answer comes too slowly")
                    if len(body) > limit:
                        raise self._error(
                            url, f"the answer is larger than {limit // 1_000_000} MB", response.status_code
                        )
                content = bytes(body)
                for form in self._forms:  # a server may send back what it was sent
                    content = content.replace(form.encode(), b"***")
                if not response.has_redirect_location:
                    return Reply(response.status_code, response.headers, content)
                url = self._url(str(url.join(response.headers["location"])))
        raise self._error(url, f"more than {MAX_REDIRECTS} redirects")

    def _understood(self, url: httpx.URL, reply: Reply, kept: CachedResponse | None) -> JsonResponse | None:
        """The answer, or None where it pays to ask again. Raises RestError where not, ValueError for no JSON."""
        if reply.status == 304 and kept:
            self.counts["not modified"] += 1
            return JsonResponse(json.loads(kept.body), self._next(kept.link), False)
        if reply.status == 200:
            data = json.loads(reply.body)
            link, etag = (self._clean(reply.headers.get(name, "")) for name in ("link", "etag"))
            if etag:
                self._etags.put(str(url), CachedResponse(etag, link, reply.body))
            return JsonResponse(data, self._next(link), True)
        if reply.status in (403, 408, 429) or reply.status >= 500 or reply.status < 400:
            return None
        remedy = "; the token is not accepted: set it again" if reply.status == 401 else ""
        raise self._error(url, f"status {reply.status}: {self._message_of(reply)}{remedy}", reply.status)

    def _next(self, link: str) -> str:
        match = re.search(r'<([^>]*)>\s*;[^,]*\brel="?next"?', link)
        return str(self._url(match[1])) if match else ""

    def _note_limit(self, reply: Reply, bucket: str) -> None:
        """Hold the bucket until its limit starts anew where nothing remains of it."""
        if _number(reply.headers.get("x-ratelimit-remaining")) == 0:
            reset = _number(reply.headers.get("x-ratelimit-reset"))
            if reset is not None:
                # By the server's clock where it says what that is: ours may be ahead.
                seconds = max(0.0, reset - self._server_time(reply))
                self._pause_for(seconds + 1, bucket)

    def _pause_after(self, reply: Reply | None, bucket: str, attempt: int) -> None:
        """Decide how long to wait after an answer that was none."""
        settings = self._settings
        limited = reply is not None and reply.status in (403, 429)
        if reply is not None and (seconds := self._retry_after(reply)) is not None:
            self._pause_for(seconds, EVERYTHING)
            return
        if limited and self._etags.until(bucket, EVERYTHING) > self._clock():
            return  # x-ratelimit-reset said it, or the answer itself
        first = settings.limit_backoff if limited else settings.backoff
        seconds = min(settings.max_backoff, first * 2**attempt) * (1 + self._draw() / 2)
        self._etags.block_until(EVERYTHING, self._clock() + seconds)

    def _pause_for(self, seconds: float, bucket: str) -> None:
        self._etags.block_until(bucket, self._clock() + seconds)  # for a later run too, if this one ends here
        if seconds > self._settings.max_wait:
            raise RestError(
                f"{_bare(self.base)}: the server asks to wait {seconds:.0f} s, more than max_wait "
                f"({self._settings.max_wait} s); start again later, or raise max_wait"
            )

    def _retry_after(self, reply: Reply) -> float | None:
        """Seconds of a Retry-After header, a number or a date; None without one that can be read."""
        text = reply.headers.get("retry-after")
        if (seconds := _number(text)) is not None:
            return max(0.0, seconds)
        date = _date(text)
        return None if date is None else max(0.0, date - self._server_time(reply)) + 1

    def _server_time(self, reply: Reply) -> float:
        date = _date(reply.headers.get("date"))
        return self._clock() if date is None else date

    def _message_of(self, reply: Reply) -> str:
        try:
            data = json.loads(reply.body)
            text = str(data.get("message") or data)
        except (ValueError, AttributeError):
            text = reply.body.decode("utf-8", "replace")
        return " ".join(text.split())[:200]

    def _error(self, url: httpx.URL, message: str, status: int = 0) -> RestError:
        return RestError(self._clean(f"{_bare(url)}: {message}"), status)

    def _clean(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, "***")
        return text


def _bare(url: httpx.URL) -> str:
    """A URL without user name and password."""
    return str(url.copy_with(username=None, password=None))


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\s*\d{1,12}(?:\.\d{1,6})?\s*", text) else None


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (TypeError, ValueError):
        return None
