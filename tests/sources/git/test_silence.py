"""A proxy or server that accepts and never answers costs a minute once, and is told apart from other faults."""

from __future__ import annotations

import socket
from pathlib import Path

import psutil
import pytest

from ctm.pairs.record import read_rejects
from ctm.sources.files import OUT_OF_REACH
from ctm.sources.git import plumbing, silence
from ctm.sources.git.collector import collect
from ctm.sources.git.commits import CommitSettings
from ctm.sources.git.process import GitError
from helpers.silent_server import silent_server


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """No host has answered yet, and no proxy of this machine is asked."""
    for known in ("_answered", "_silent"):
        monkeypatch.setattr(silence, known, {})
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("through", ["server", "proxy", "TLS"])
def test_silence_ends_a_clone(through: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In TLS and behind a proxy's CONNECT git has no limit of its own: libcurl's is 300 s."""
    with silent_server() as server:
        url = {
            "server": f"{server.url}/x.git",
            "proxy": "https://example.org/x.git",
            "TLS": f"https://127.0.0.1:{server.port}/x.git",
        }
        if through == "proxy":
            monkeypatch.setenv("https_proxy", server.url)
        with pytest.raises(GitError, match="no answer in 1 s") as caught:
            plumbing.clone_or_fetch(url[through], tmp_path / "x.git", 600, 10**9, silence=1)
    assert silence.is_transient(str(caught.value))
    left = [
        p for p in psutil.Process().children(recursive=True) if "git" in p.name() and p.status() != "zombie"
    ]
    assert not left, "no transport goes on without its git"


def test_a_silent_host_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of its repositories; each is told, and after a while the host is asked again."""
    monkeypatch.setattr(plumbing.clone_or_fetch, "__defaults__", (1,))
    with silent_server() as server:
        urls = [f"{server.url}/{name}.git" for name in ("a", "b", "c")]
        collect(urls, None, 0, 1, CommitSettings(), tmp_path / "work", tmp_path / "state", tmp_path / "pairs",
                tmp_path / "rejects")  # fmt: skip
        assert len(server.connections) == 1
        rejects = list(read_rejects(tmp_path / "rejects"))
        assert [(item.reason, item.item) for item in rejects] == [(OUT_OF_REACH, url) for url in urls]
        assert all(f"no answer in 1 s from {server.url}" in item.detail for item in rejects)
        monkeypatch.setattr(silence, "LEFT_ALONE_SECONDS", 0)
        with pytest.raises(GitError):
            silence.await_answer(urls[0], 1, tmp_path)
        assert len(server.connections) == 2


def test_what_answers_is_asked_once_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error is an answer; it is the clone's to tell. What answered long ago may be silent by now."""
    asked = []
    monkeypatch.setattr(silence, "command", lambda *line: asked.append(line[-2]) or ["false"])
    for name in ("a", "b"):
        silence.await_answer(f"https://name:secret@example.org/{name}.git", 5, tmp_path)
    silence.await_answer("https://name:secret@other.org:8443/a.git", 5, tmp_path)
    silence.await_answer(f"file://{tmp_path}", 5, tmp_path)
    once = ["https://name:secret@example.org/a.git", "https://name:secret@other.org:8443/a.git"]
    assert asked == once
    monkeypatch.setattr(silence, "ANSWER_SECONDS", 0)
    silence.await_answer("https://name:secret@example.org/b.git", 5, tmp_path)
    assert asked == [*once, "https://name:secret@example.org/b.git"]


@pytest.mark.parametrize(
    "message",
    [
        "fatal: unable to access 'https://x/': Could not resolve host: x",
        "fatal: unable to access 'http://x/': Operation too slow. Less than 1 bytes/sec transferred the last 60 s",
        "git clone: more than 900 s",
        "fatal: unable to access 'https://x/': The requested URL returned error: 503",
        "fatal: unable to access 'https://x/': The requested URL returned error: 429",
        "fatal: unable to access 'https://x/': Failed to connect to x port 443: Connection refused",
        "fatal: unable to access 'https://x/': Received HTTP code 502 from proxy after CONNECT",
        "error: RPC failed; curl 56 GnuTLS recv error fatal: early EOF",
    ],
)
def test_what_may_be_gone_tomorrow(message: str) -> None:
    assert silence.is_transient(message)


@pytest.mark.parametrize(
    "message",
    [
        "fatal: repository 'https://x/y.git/' not found",
        "fatal: unable to access 'https://x/': The requested URL returned error: 403",
        "fatal: '/nowhere' does not appear to be a git repository",
        "git clone: more than 2000 MB",
        "git rev-parse: fatal: Needed a single revision",
    ],
)
def test_what_stays_as_it_is(message: str) -> None:
    assert not silence.is_transient(message)


def test_the_reject_says_whether_asking_again_may_help(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    gone, away = f"file://{tmp_path}/nowhere", f"http://127.0.0.1:{port}/x.git"
    collect([gone, away], None, 0, 1, CommitSettings(), tmp_path / "work", tmp_path / "state", tmp_path / "pairs",
            tmp_path / "rejects")  # fmt: skip
    assert {item.item: item.reason for item in read_rejects(tmp_path / "rejects")} == {
        gone: "source failed", away: "source out of reach"
    }  # fmt: skip
