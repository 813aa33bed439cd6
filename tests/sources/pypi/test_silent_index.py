"""A package index (or a proxy before it) that accepts and never answers ends the collection after one time limit."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ctm.sources.pypi import client
from ctm.sources.pypi.pins import Pin
from helpers.fake_index import FakeIndex
from helpers.silent_server import silent_server

PINS = [Pin(name, "1.0", "0" * 64) for name in ("a", "b", "c")]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between attempts, and no proxy of this machine."""
    monkeypatch.setattr(client, "PAUSE", 0.0)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("through", ["index", "proxy"])
def test_a_silent_index_is_asked_once(through: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For `timeout` seconds whatever is on the list: not for each package, and not three times, since the job is tried
    three times itself."""
    with silent_server() as server:
        endpoint = f"{server.url}/simple/"
        if through == "proxy":
            monkeypatch.setenv("https_proxy", server.url)
            endpoint = "https://example.org/simple/"
        with pytest.raises(OSError, match=r"\(no answer in 0.2 s; .*proxy.*\): 3 of 3 archives are missing"):
            client.IndexClient(tmp_path, timeout=0.2, downloads=1, endpoint=endpoint).fetch(PINS)
        assert len(server.connections) == 1


def test_an_index_that_falls_silent_is_asked_three_times(tmp_path: Path, index: FakeIndex) -> None:
    """It has answered before, so it may again."""
    index.add("a", "a-1.0.tar.gz", b"x")
    index.silent.add("a-1.0.tar.gz")
    pins = [Pin("a", "1.0", hashlib.sha256(b"x").hexdigest())]
    with pytest.raises(OSError, match=r"\(no answer in 0.2 s"):
        client.IndexClient(tmp_path, timeout=0.2, downloads=1, endpoint=index.url).fetch(pins)
    assert sum(path.startswith("/files/") for path in index.asked) == client.ATTEMPTS
