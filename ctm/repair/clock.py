"""How long tests may run together: one that hangs costs its own limit, and thousands of them cost days."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

OVER = "no time was left for its test"
"""Why a test was not run."""


@dataclass
class TestClock:
    """Counts the seconds in which tests run, and nothing between; for one thread that starts them, and any that ask."""

    __test__ = False

    seconds: float
    """That there are."""
    spent: float = 0.0
    _began: float | None = field(default=None, repr=False)

    @contextmanager
    def running(self) -> Iterator[None]:
        """While tests run."""
        self._began = time.monotonic()
        try:
            yield
        finally:
            self.spent += time.monotonic() - self._began
            self._began = None

    @property
    def is_over(self) -> bool:
        """Whether no other test may begin."""
        now = 0.0 if self._began is None else time.monotonic() - self._began
        return self.spent + now >= self.seconds
