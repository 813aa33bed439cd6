"""What a job uses: time, processor, memory, vram, disk and energy of all its processes."""

from __future__ import annotations

import contextlib
import resource
import time
from pathlib import Path
from typing import Any

import psutil

from ctm.pipeline.energy import Energy, EnergyMeter
from ctm.pipeline.vram import VramMeter

GB = 1e9
SELDOM = 2.0
"""Seconds between two looks at all processes of a job that has run for that long: one takes some milliseconds."""


class Usage:
    """Measures from `start` to `stop`, and looks at the job's processes when `sample` is called.

    accelerator: whether the job asks for one; its memory and its energy are no other job's.
    """

    def __init__(self, accelerator: bool = False) -> None:
        self.meter = EnergyMeter(accelerator)
        self.vram = VramMeter() if accelerator else None
        self.energy: Energy | None = None
        self.peak = 0
        self.seconds = self.cpu = 0.0
        self.bytes: tuple[int, int] | None = None
        self._process: psutil.Process | None = None

    def start(self, process: int) -> None:
        """The job's first process has begun."""
        self._began, self._cpu, self._bytes = time.monotonic(), _ended_seconds(), _bytes()
        self._looked = self._began
        with contextlib.suppress(psutil.NoSuchProcess):  # a short one
            self._process = psutil.Process(process)
        self.meter.start()
        if self.vram is not None:
            self.vram.start()

    def sample(self) -> None:
        """Look at the job's processes, if it is time to: their memory (shared pages count for each), energy so far."""
        now = time.monotonic()
        if self._process is None or (now - self._began > SELDOM and now - self._looked < SELDOM):
            return
        self._looked = now
        memory, seconds, processes = 0, _ended_seconds() - self._cpu, []
        with contextlib.suppress(psutil.Error):
            for process in (self._process, *self._process.children(recursive=True)):
                with contextlib.suppress(psutil.Error), process.oneshot():
                    memory += process.memory_info().rss
                    seconds += sum(process.cpu_times()[:4])  # its own, and its children's that have ended
                    processes.append(process.pid)
        self.peak = max(self.peak, memory)
        self.meter.sample(seconds, processes)
        if self.vram is not None:
            self.vram.sample(processes)

    def stop(self) -> None:
        """The job is over, its processes have been waited for."""
        self.seconds, self.cpu = time.monotonic() - self._began, _ended_seconds() - self._cpu
        after = _bytes()
        if self._bytes is not None and after is not None:
            self.bytes = after[0] - self._bytes[0], after[1] - self._bytes[1]
        # the largest single process, where all was over before the first look
        self.peak = max(self.peak, 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        self.energy = self.meter.stop(self.cpu)

    def figures(self) -> dict[str, Any]:
        """As the ledger has them (Entry.used); null where this machine does not tell.

        network_gb always is: Linux counts traffic by device and by socket, not by process. A network namespace of the
        job's own would have a counter, and no way out of the machine unless root makes one.
        """
        read, written = (None, None) if self.bytes is None else self.bytes
        vram = None if self.vram is None else self.vram.peak
        return {
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu, 3),
            "memory_gb": round(self.peak / GB, 4) if self.peak else None,
            "vram_gb": None if vram is None else round(vram / GB, 4),
            "read_gb": None if read is None else round(read / GB, 6),
            "written_gb": None if written is None else round(written / GB, 6),
            "network_gb": None,
            "energy": self.energy,
        }


def _ended_seconds() -> float:
    """Processor time of all children that have ended, and theirs."""
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
