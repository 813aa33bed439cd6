"""Follows all processes below one: what each ran, its processor time, and the peak of its resident memory (VmHWM).

Peak and time only ever grow, so what was read last is right but for the last tenth of a second of a process.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

PERIOD = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Seen:
    """One process."""

    command: list[str]
    seconds: float = 0.0
    """Processor time."""
    peak_mb: float = 0.0


class Watch:
    """A thread that looks at all descendants of a process until the block ends."""

    def __init__(self, root: int) -> None:
        self.root = root
        self.seen: dict[tuple[int, str], Seen] = {}
        """By process number and start time, for numbers come again."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            self._look()

    def _look(self) -> None:
        stats: dict[int, list[str]] = {}
        children: dict[int, list[int]] = {}
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                try:
                    # the name in brackets may hold anything: what counts comes behind it
                    fields = Path(entry.path, "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                except OSError:
                    continue
                stats[int(entry.name)] = fields
                children.setdefault(int(fields[1]), []).append(int(entry.name))
        below = list(children.get(self.root, ()))
        for pid in below:
            below += children.get(pid, ())
            self._note(pid, stats[pid])

    def _note(self, pid: int, fields: list[str]) -> None:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except OSError:
            return
        peak = status.partition("VmHWM:")[2].split()
        if not peak:  # a process that ended and waits for its parent
            return
        seen = self.seen.setdefault((pid, fields[19]), Seen(command))
        seen.command = command
        seen.seconds = (int(fields[11]) + int(fields[12])) / _TICKS
        seen.peak_mb = int(peak[0]) / 1024
