"""`--watch`: run again on the files that changed, until Ctrl-C.

Files are looked at again and again, which needs no library, works on every file system, and sees new files as a folder
gets them. A look costs a stat of each file and a walk of the folders; a pause is as long as it has to be for
looks to take no more than a tenth of the time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import NoReturn

import click
from click.exceptions import Exit

from ctm.repair.discover import STDIN
from ctm.repair.input_options import make_discovery
from ctm.repair.terminal import CommandRefused, error_exit, print_error

PAUSE = 0.5
"""Seconds between two looks, at least."""
PAUSE_PER_LOOK = 9
"""Seconds of pause for each second that a look took."""
Stamp = tuple[int, int, int]
"""Of a file: when it was changed (ns), size, inode."""


def watch(context: click.Context) -> NoReturn:
    """Run the context's command on its paths, then again and again on what changed. Raises CommandRefused."""
    given = context.params
    paths = list(given["paths"])
    if STDIN in paths or given.get("output_file") is not None:
        raise error_exit("--watch needs files, and prints: give neither - nor --output-file")
    callback = context.command.callback
    assert callback is not None

    def run(paths: list[str]) -> None:
        try:
            callback(**{**given, "paths": paths, "watching": False})
        except CommandRefused:  # a bundle or an option that cannot be will not do better next time
            raise
        except Exit:
            return  # its status: the next run has another

    def look() -> Iterable[str]:
        return (path for path, problem in make_discovery(context).files(paths) if not problem)

    before = stamps(look())
    run(paths)
    if not given.get("quiet"):
        print_error(f"watching {len(before)} file{'s' * (len(before) != 1)}; Ctrl-C ends")
    while True:
        before = watch_once(before, look, run)


def watch_once(
    before: dict[str, Stamp], look: Callable[[], Iterable[str]], run: Callable[[list[str]], None]
) -> dict[str, Stamp]:
    """Pause and look until something changed, and run on it; the stamps of that look."""
    while True:
        begin = time.monotonic()
        now = stamps(look())
        changed = [path for path, stamp in now.items() if before.get(path) != stamp]
        if changed:  # stamped before it is read: what changes meanwhile is seen by the next look
            run(changed)
            return now
        before = now
        time.sleep(max(PAUSE, PAUSE_PER_LOOK * (time.monotonic() - begin)))


def stamps(paths: Iterable[str]) -> dict[str, Stamp]:
    """Of the files that are there."""
    found: dict[str, Stamp] = {}
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:  # gone meanwhile, as editors do it while they save
            continue
        found[path] = status.st_mtime_ns, status.st_size, status.st_ino
    return found
