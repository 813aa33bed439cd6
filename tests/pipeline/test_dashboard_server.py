"""The live dashboard: it follows the run, answers only those who are meant, and changes nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from ctm.pipeline.dashboard.page import Price
from ctm.pipeline.dashboard.server import allowed_hosts, application, without_port
from helpers.dashboard_run import make_run, step_line


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("served") / "run")


@pytest.fixture(scope="module")
def client(run: Path) -> Iterator[httpx.Client]:
    """A client of a real server, on a port of loopback that the system chooses."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = application(run, Price(0.15, "USD"), "127.0.0.1", seconds=0.2)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client
    server.should_exit = True
    thread.join(timeout=60)
    assert not thread.is_alive(), "an open stream of events keeps the server from ending"


def test_the_page_is_served_with_the_script_that_keeps_it_live(client: httpx.Client) -> None:
    page = client.get("/")
    assert page.status_code == 200 and "train_stage1" in page.text
    assert '<script src="live.js">' in page.text
    assert "script-src 'self'; connect-src 'self'" in page.text, (
        "no script but its own, no word to anybody else"
    )
    assert client.get("/live.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/day-01.md").text.startswith("## CTM Training Progress - Day 1\n")
    assert client.get("/day-02.md").status_code == 404
    for name, value in (("x-frame-options", "DENY"), ("cache-control", "no-store")):
        assert page.headers[name] == value
    assert "access-control-allow-origin" not in page.headers, "other pages must not read it"


def test_changes_are_sent(client: httpx.Client, run: Path) -> None:
    """What the trainer writes while the page is open appears without a reload."""
    metrics = next(run.glob("work/*/*/metrics/metrics.jsonl"))
    with client.stream("GET", "/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = (line for line in answer.iter_lines() if line.startswith("data: "))
        assert "0.75" in json.loads(next(lines).removeprefix("data: "))["html"]
        with metrics.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps(step_line(70, 2.0, 0.8125)) + "\n")
        for _ in range(100):
            if "0.812" in json.loads(next(lines).removeprefix("data: "))["html"]:
                return
    pytest.fail("the new line never came")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8321", "127.0.0.1.evil.example", "localhost.", ""]
)
def test_a_name_that_was_pointed_here_is_refused(client: httpx.Client, host: str) -> None:
    """DNS rebinding: a page elsewhere makes its own name resolve to loopback, and would read all of this."""
    for path in ("/", "/events", "/nothing"):
        assert client.get(path, headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "[::1]:8321", "127.0.0.1"])
def test_names_of_loopback_are_served(client: httpx.Client, host: str) -> None:
    assert client.get("/live.js", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(client: httpx.Client, method: str) -> None:
    assert client.request(method, "/").status_code == 405


@pytest.mark.parametrize(
    "path", ["/../ledger.jsonl", "/..%2f..%2fetc/passwd", "/results/", "/day-../x.md", "/day-1x.md"]
)
def test_no_other_file_is_served(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_an_address_that_stands_for_all_is_refused() -> None:
    """The check of the Host would have nothing to compare with."""
    for host in ("0.0.0.0", "::"):
        with pytest.raises(ValueError, match="name the one that is meant"):
            allowed_hosts(host)
    assert allowed_hosts("192.168.1.5")[-1] == "192.168.1.5"
    assert allowed_hosts("::1")[-1] == without_port("[::1]:8321")
