"""A REST API on loopback with a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api_server import Api, Clock, serve


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock) -> Iterator[Api]:
    with serve(clock) as api:
        yield api
