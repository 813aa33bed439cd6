"""Energy of a job, from what the machine counts (energy_counters.py): RAPL and amdgpu in sysfs, NVML for NVIDIA.

Read by hand: the process that watches a job must start at once. Of the kept libraries, codecarbon 3.3 needs 80 ms to
import and takes the processor's nominal power where nothing is counted, zeus 0.16 needs a second; pynvml (30 ms) is
imported only where NVIDIA's driver runs. What cannot be read is None, never 0, and nothing is estimated.

Counters are the whole machine's, and jobs run at the same time. A job has that share of the processor's energy which
it has of the processor time that was used meanwhile, by it or by anything else, and of a GPU's energy the share that
it has of the processes there. So the jobs of a run add up to no more than the machine used. The power supply, fans
and disks are in no counter: what the wall gives is more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypedDict

from ctm.pipeline.energy_counters import ROOT, Counter, GpuCounter, busy_seconds, find_counters

JOULES_PER_WH = 3600.0


class Energy(TypedDict):
    """Of a job, Wh; None: not available. `source`: what counted, such as "rapl + nvml"."""

    cpu_wh: float | None
    gpu_wh: float | None
    source: str


class EnergyMeter:
    """Energy of one job. Call `start` as it begins, `sample` every few seconds, `stop` when it has ended.

    accelerator: whether the job asks for one; a GPU's energy is no other job's. root: of the file system, for tests.
    RAPL's counters run over within minutes on a large machine (65 kJ at 100 W: 11 minutes), so samples are needed.
    """

    def __init__(self, accelerator: bool = False, root: Path = ROOT) -> None:
        self.accelerator, self.root = accelerator, root
        self.cpu: Counter | None = None
        self.gpus: GpuCounter | None = None
        self.cpu_joules: float | None = None
        self.gpu_joules: float | None = None
        self.last_busy: float | None = None
        self.last_job = 0.0
        self.shares: list[float] = []

    def start(self) -> None:
        """Find the counters. Raises nothing: a machine without any has no energy."""
        self.cpu, self.gpus = find_counters(self.root, self.accelerator)
        self.cpu_joules = 0.0 if self.cpu else None
        self.gpu_joules = 0.0 if self.gpus else None
        self.last_busy = busy_seconds(self.root)

    def sample(self, cpu_seconds: float, pids: Collection[int]) -> None:
        """Add what was used since the last sample.

        cpu_seconds: processor time of the job so far, user and system, of all its processes, ended ones too. pids: its
        processes now.
        """
        self._add_cpu(cpu_seconds)
        if self.gpus is not None and self.gpu_joules is not None:
            used, mine = self.gpus.used(), set(pids)
            self.shares = [process_share(mine, there, self._is_here) for _, there in used or []]
            self._add_gpus(used)

    def stop(self, cpu_seconds: float) -> Energy | None:
        """What the job used; None where neither the processor's energy nor a GPU's can be told.

        cpu_seconds: as in `sample`. Its processes are gone, so its share of a GPU is what the last sample found; a job
        that ended before the first one has none.
        """
        self._add_cpu(cpu_seconds)
        if self.gpus is not None and self.gpu_joules is not None:
            self._add_gpus(self.gpus.used() if self.shares else None)
        counted = ((self.cpu, self.cpu_joules), (self.gpus, self.gpu_joules))
        sources = [counter.source for counter, joules in counted if counter and joules is not None]
        if not sources:
            return None
        return Energy(
            cpu_wh=_watt_hours(self.cpu_joules),
            gpu_wh=_watt_hours(self.gpu_joules),
            source=" + ".join(sources),
        )

    def _add_cpu(self, cpu_seconds: float) -> None:
        """A sum with a gap is none: once something could not be read, it stays None."""
        busy = busy_seconds(self.root)
        job, self.last_job = cpu_seconds - self.last_job, cpu_seconds
        machine = None if busy is None or self.last_busy is None else busy - self.last_busy
        self.last_busy = busy
        if self.cpu is not None and self.cpu_joules is not None:
            used, share = self.cpu.joules(), time_share(job, machine)
            self.cpu_joules = None if used is None or share is None else self.cpu_joules + used * share

    def _add_gpus(self, used: list[tuple[float, list[int]]] | None) -> None:
        if used is None or self.gpu_joules is None:
            self.gpu_joules = None
            return
        self.gpu_joules += sum(j * share for (j, _), share in zip(used, self.shares, strict=True))

    def _is_here(self, pid: int) -> bool:
        return (self.root / "proc" / str(pid)).is_dir()


def time_share(job: float, machine: float | None) -> float | None:
    """Share of the processor's energy that is a job's: seconds of processor time, its own and all. None: unknown.

    Clocks of the two tick at different moments, so the share is held within 0 and 1.
    """
    if machine is None:
        return None
    return min(1.0, max(0.0, job) / machine) if machine > 0 else 0.0


def process_share(mine: Collection[int], there: Collection[int], is_here: Callable[[int], bool]) -> float:
    """Share of a GPU's energy that is a job's: its own of all processes there.

    A driver outside of a container names processes by ids that mean nothing inside; where none of them `is_here`, the
    job is taken for one of them.
    """
    if not there:
        return 0.0
    own = sum(pid in mine for pid in there)
    if not own and not any(is_here(pid) for pid in there):
        return 1 / len(there)
    return own / len(there)


def _watt_hours(joules: float | None) -> float | None:
    return None if joules is None else round(joules / JOULES_PER_WH, 6)
