"""A progress bar over many files, on stderr, for people only: never in a pipe, a log or the report."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ctm.repair.terminal import visible

FEWEST = 21
"""Files from which on there is a bar."""
PAUSE = 0.1
"""Seconds between two pictures of it."""
NAME = 40
"""Characters of a path that are shown."""


class Progress:
    """No bar: what is used where none is wanted."""

    def advance(self, path: str) -> None:
        """The next file is looked at."""

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """While something else is printed."""
        yield


class _Bar(Progress):
    def __init__(self, bar: Any, files: int) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=files, path="")
        self._done, self._shown = -1, 0.0

    def advance(self, path: str) -> None:
        self._done += 1
        if (now := time.monotonic()) - self._shown >= PAUSE:
            self._shown = now
            self._bar.update(self._task, completed=self._done, path=visible(path)[-NAME:], refresh=True)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        self._bar.stop()  # takes it off the screen
        try:
            yield
        finally:
            self._bar.start()


def is_wanted(quiet: bool) -> bool:
    """Whether somebody looks at stderr."""
    return not quiet and sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def progress_over(files: int, quiet: bool) -> Iterator[Progress]:
    """A bar while many files are worked on, gone at the end; none where nobody would see it."""
    if files < FEWEST or not is_wanted(quiet):
        yield Progress()
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[path]}", markup=False),
    )
    # no thread of its own: it is drawn between two files
    bar = progress.Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
    with bar:
        yield _Bar(bar, files)
