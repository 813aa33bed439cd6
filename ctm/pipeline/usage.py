"""What a job uses: time, processor, memory, disk and energy of all its processes."""

from __future__ import annotations

import contextlib
import resource
import time
from pathlib import Path
from typing import Any

import psutil

GB = 1e9


class Usage:
    """Measures from `start` to `stop`, and looks at memory whenever `sample` is called."""

    def __init__(self) -> None:
        self.peak = 0
        self.process: psutil.Process | None = None
        self.seconds = self.cpu = 0.0
        self.bytes: tuple[int, int] | None = None

    def start(self, process: int) -> None:
        """The job's first process has begun."""
        self._began, self._cpu, self._bytes = time.monotonic(), _cpu_seconds(), _bytes()
        with contextlib.suppress(psutil.NoSuchProcess):  # a short one
            self.process = psutil.Process(process)
        self.sample()

    def sample(self) -> None:
        """Look at the memory of all its processes now; shared pages count for each of them."""
        if self.process is None:
            return
        total = 0
        try:
            for process in (self.process, *self.process.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    total += process.memory_info().rss
        except psutil.Error:
            pass
        self.peak = max(self.peak, total)

    def stop(self) -> None:
        """The job is over, its processes have been waited for."""
        self.seconds, self.cpu = time.monotonic() - self._began, _cpu_seconds() - self._cpu
        after = _bytes()
        if self._bytes is not None and after is not None:
            self.bytes = after[0] - self._bytes[0], after[1] - self._bytes[1]
        # the largest single process, where all was over before the first look
        self.peak = max(self.peak, 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)

    def figures(self) -> dict[str, Any]:
        """As the ledger has them (Entry.used); null where this machine does not tell."""
        read, written = (None, None) if self.bytes is None else self.bytes
        return {
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu, 3),
            "memory_gb": round(self.peak / GB, 4) if self.peak else None,
            "vram_gb": None,
            "read_gb": None if read is None else round(read / GB, 6),
            "written_gb": None if written is None else round(written / GB, 6),
            "network_gb": None,
            "energy": None,
        }


def _cpu_seconds() -> float:
    """Of all children that have ended, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _bytes() -> tuple[int, int] | None:
    """(read, written) from and to disks by this process and all children that have ended (proc(5), /proc/PID/io)."""
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = dict(line.split(": ") for line in lines)
    return int(found["read_bytes"]), int(found["write_bytes"])
