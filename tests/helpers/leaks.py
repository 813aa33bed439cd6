"""Whether a secret that a server sends back in every way comes to light somewhere: in logs, errors, output or files."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """All that is logged meanwhile, with every logger at its most talkative."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield written
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def assert_nowhere(secrets: Iterable[str], texts: Iterable[str], folder: Path) -> None:
    """None of the ways to write a secret stands in a text, or in a file below a folder."""
    ways = list(secrets)
    for text in texts:
        for way in ways:
            assert way not in text
    for path in folder.rglob("*"):
        assert path.is_dir() or not any(way.encode() in path.read_bytes() for way in ways), path
