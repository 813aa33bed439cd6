"""The programs that a run has going, from /proc: which output each writes, and whether two ever write the same one."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """A process `python workflow/scripts/NAME.py …` of a run."""

    pid: int
    name: str
    out: str
    """What it was told behind `--out`."""


def programs(run: Path) -> list[Program]:
    """Programs whose working folder is `run`; supervisors and shells that only name one are none."""
    pids = [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]
    return [program for pid in pids if (program := _program(pid, run))]


def _program(pid: int, run: Path) -> Program | None:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        if len(words) < 2 or Path(words[1]).parts[-3:-1] != ("workflow", "scripts"):
            return None
        if Path(os.readlink(f"/proc/{pid}/cwd")) != run:
            return None
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return None  # it has ended, and its parent has not asked yet
    except OSError:
        return None
    out = words[words.index("--out") + 1] if "--out" in words else ""
    return Program(pid, Path(words[1]).stem, out)


@dataclass
class Watcher:
    """Looks ten times a second whether two programs of a run write the same output, and keeps what it saw."""

    run: Path
    doubles: list[str] = field(default_factory=list)
    looks: int = 0
    seen: set[int] = field(default_factory=set)

    def __enter__(self) -> Watcher:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.1):
            now = programs(self.run)
            self.looks += 1
            self.seen |= {program.pid for program in now}
            by_output: dict[tuple[str, str], list[int]] = {}
            for program in now:
                by_output.setdefault((program.name, program.out), []).append(program.pid)
            for (name, out), pids in by_output.items():
                # a process that forks has, for a moment, a child with its own command line
                if len(pids) > 1 and not _related(pids):
                    self.doubles.append(f"{time.strftime('%H:%M:%S')} {name} --out {out}: {pids}")


def _related(pids: list[int]) -> bool:
    """All but one are children of another one (workers of a program that forks)."""
    return sum(_parent(pid) not in pids for pid in pids) <= 1


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return -1
