"""Serves the dashboard of a run, live: the page, the pages of its days, and what changes as server-sent events.

It only reads, and it answers GET alone. A web page elsewhere that makes its name point here (DNS rebinding) sends that
name as Host: a Host that is neither loopback nor the address that was asked for is refused.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from pathlib import Path

from sse_starlette import EventSourceResponse, JSONServerSentEvent
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ctm.pipeline.dashboard import records
from ctm.pipeline.dashboard.days import day_page
from ctm.pipeline.dashboard.page import Curves, Price, fragment, index_page
from ctm.pipeline.dashboard.state import state_now, state_on

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
SCRIPT = Path(__file__).with_name("live.js")


class Live:
    """A run as it is now, for all who look at it."""

    def __init__(self, run: Path, price: Price) -> None:
        self.run, self.price, self.curves = run, price, Curves()

    def page(self) -> str:
        """The whole page."""
        found = records.read(self.run)
        return index_page(found, state_now(found), self.price, self.curves, live=True)

    def now(self) -> str:
        """The part that changes."""
        found = records.read(self.run)
        return fragment(found, state_now(found), self.price, self.curves)

    def day(self, number: int) -> str | None:
        """The page of a day in Markdown; None where nothing was written on it."""
        found = records.read(self.run)
        return next(
            (day_page(state_on(found, day)) for day in found.days() if found.number(day) == number), None
        )


class HostCheck:
    """Refuses requests whose Host is not one of `allowed`; ports are not looked at."""

    def __init__(self, app: ASGIApp, allowed: tuple[str, ...]) -> None:
        self.app, self.allowed = app, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or hand on."""
        if scope["type"] == "http":
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower()
            if without_port(host) not in self.allowed:
                refused = PlainTextResponse(f"Host {host!r} is not served here\n", 400, HEADERS)
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)


def without_port(host: str) -> str:
    """ "[::1]:8321" is "[::1]", "localhost:8321" is "localhost"."""
    end = host.rfind("]")
    return host[: end + 1] if end >= 0 else host.partition(":")[0]


def allowed_hosts(host: str) -> tuple[str, ...]:
    """Loopback's names and the address that was asked for.

    Raises ValueError for an address that stands for all of them: which names are meant could not be told.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return (*LOOPBACK, host.lower())
    if address.is_unspecified:
        raise ValueError(
            f"--host {host} would listen on every address of this machine; name the one that is meant "
            "(its Host header is checked)"
        )
    return (*LOOPBACK, f"[{address.compressed}]" if address.version == 6 else str(address))


def application(run: Path, price: Price, host: str, seconds: float) -> Starlette:
    """The ASGI application. seconds: between two looks at the logs, while anybody looks at the page.

    Raises ValueError for a host that stands for all.
    """
    live = Live(run, price)

    async def index(request: Request) -> Response:
        return HTMLResponse(await run_in_threadpool(live.page), headers=HEADERS)

    async def script(request: Request) -> Response:
        return Response(SCRIPT.read_bytes(), media_type="text/javascript", headers=HEADERS)

    async def day(request: Request) -> Response:
        text = await run_in_threadpool(live.day, request.path_params["number"])
        if text is None:
            raise HTTPException(404, "no such day")
        return PlainTextResponse(text, headers=HEADERS)

    async def events(request: Request) -> Response:
        async def changes() -> AsyncIterator[JSONServerSentEvent]:
            while True:
                yield JSONServerSentEvent({"html": await run_in_threadpool(live.now)})
                await asyncio.sleep(seconds)

        return EventSourceResponse(changes(), headers=HEADERS)

    routes = [
        Route("/", index),
        Route("/index.html", index),
        Route("/live.js", script),
        Route("/day-{number:int}.md", day),
        Route("/events", events),
    ]
    return Starlette(routes=routes, middleware=[Middleware(HostCheck, allowed=allowed_hosts(host))])


def serve(run: Path, price: Price, host: str, port: int, seconds: float = 5.0) -> None:
    """Serve until interrupted. Raises ValueError for a host that stands for all, FileNotFoundError where
    there is no run."""
    import uvicorn

    records.read(run)
    uvicorn.run(
        application(run, price, host, seconds),
        host=host, port=port, log_level="warning", server_header=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
