"""A REST API on loopback with a clock of its own, and a package index there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ctm.sources.pypi.client import pip_settings
from helpers.api_server import Api, Clock, serve
from helpers.fake_index import FakeIndex, running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock) -> Iterator[Api]:
    with serve(clock) as api:
        yield api


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIndex]:
    with running() as index:
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        monkeypatch.setattr("ctm.sources.pypi.client.PAUSE", 0.01)
        pip_settings.cache_clear()
        yield index
    pip_settings.cache_clear()
