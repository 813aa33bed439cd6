"""A package index (or a proxy before it) that accepts and never answers ends the collection after a few time limits."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from ctm.sources.pypi import client
from ctm.sources.pypi.pins import Pin


def test_a_silent_index_is_asked_three_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time for `timeout` seconds, whatever is on the list: not for each package, and not four times each."""
    monkeypatch.setattr(client, "PAUSE", 0.0)
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connections.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}/simple/"
        pins = [Pin(name, "1.0", "0" * 64) for name in ("a", "b", "c")]
        with pytest.raises(OSError, match=r"unreachable .*3 of 3 archives are missing"):
            client.IndexClient(tmp_path, timeout=1, downloads=1, endpoint=endpoint).fetch(pins)
        server.shutdown(socket.SHUT_RDWR)
    assert len(connections) == client.ATTEMPTS
    for connection in connections:
        connection.close()
