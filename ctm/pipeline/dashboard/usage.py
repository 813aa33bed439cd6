"""What a job uses, from whoever wrote it down: its trainer, the ledger, Snakemake's benchmark, or the system now."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ctm.pipeline.dashboard.records import Records
from ctm.pipeline.dashboard.snakemake_log import Job
from ctm.pipeline.dashboard.stages import Stage

GB = 10**9


@dataclass(frozen=True)
class Use:
    """Figures of one job; None: not available."""

    source: str = "no log has its use"
    gpu: float | None = None
    """Share of the accelerator that was busy."""
    vram_gb: float | None = None
    cores: float | None = None
    ram_gb: float | None = None
    disk_mb_per_second: float | None = None
    """To and from disks."""


@dataclass(frozen=True)
class Machine:
    """The whole machine now, whoever uses it."""

    cores: int
    load: float
    """Processes that ran or wanted to, mean of a minute."""
    ram_used_gb: float
    ram_gb: float
    disk_free_gb: float
    disk_gb: float
    """Of the file system that the run lies on."""


def use_of(records: Records, job: Job, stage: Stage | None, moment: datetime, now: bool) -> Use:
    """Of a job at a moment. stage: what it trains, if it does; now: whether the moment is the present."""
    line = stage.last("machine") if stage else None
    if line is not None and line["at"] >= job.started:
        return _of_trainer(line["machine"], f"the trainer's line of {line['at']:%H:%M:%S} UTC")
    if entry := records.entry(job, moment):
        return _of_ledger(entry.used)
    if job.ended and job.ended <= moment:
        return _of_benchmark(records.run / Path(job.log).with_suffix(".tsv"))
    return _of_processes(records.run, job) if now else Use()


def machine_now(run: Path) -> Machine:
    """As psutil and the file system say."""
    import psutil

    memory, disk = psutil.virtual_memory(), shutil.disk_usage(run)
    return Machine(
        cores=psutil.cpu_count() or 1,
        load=psutil.getloadavg()[0],
        ram_used_gb=(memory.total - memory.available) / GB,
        ram_gb=memory.total / GB,
        disk_free_gb=disk.free / GB,
        disk_gb=disk.total / GB,
    )


def number(value: Any) -> float | None:
    """A figure of a log; None for "not available" and for what is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return None
    return float(value)


def _of_trainer(figures: Mapping[str, Any], source: str) -> Use:
    vram = ("vram_in_use_gb", "vram_reserved_gb", "vram_gb")
    return Use(
        source,
        number(figures.get("gpu_busy")),
        next((figure for name in vram if (figure := number(figures.get(name))) is not None), None),
        number(figures.get("cores_busy")),
        number(figures.get("ram_gb")),
        number(figures.get("disk_mb_per_second")),
    )


def _of_ledger(used: Mapping[str, Any]) -> Use:
    seconds, cpu = number(used.get("seconds")), number(used.get("cpu_seconds"))
    read, written = number(used.get("read_gb")), number(used.get("written_gb"))
    moved = None if read is None or written is None else read + written
    return Use(
        "the ledger; memory at its peak, the others as means of the job",
        vram_gb=number(used.get("vram_gb")),
        cores=cpu / seconds if seconds and cpu is not None else None,
        ram_gb=number(used.get("memory_gb")),
        disk_mb_per_second=1000 * moved / seconds if seconds and moved is not None else None,
    )


def _of_benchmark(path: Path) -> Use:
    """Snakemake's: one line under a head; a job that was too short has "NA" or "-"."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            given = next(csv.DictReader(file, delimiter="\t"))
    except (OSError, StopIteration):
        return Use()

    def of(name: str) -> float | None:
        try:
            return number(float(given[name]))
        except (KeyError, TypeError, ValueError):
            return None

    seconds, moved, load, ram = of("s"), (of("io_in"), of("io_out")), of("mean_load"), of("max_rss")
    disk = None if None in moved or not seconds else sum(one for one in moved if one is not None) / seconds
    return Use(
        "Snakemake's benchmark; memory at its peak, the others as means of the job",
        cores=None if load is None else load / 100,
        ram_gb=None if ram is None else ram * 2**20 / GB,
        disk_mb_per_second=disk,
    )


def _of_processes(run: Path, job: Job) -> Use:
    """All processes of the job's supervisor (`--rule RULE … --wildcards …`), as means of their lives."""
    import time

    import psutil

    folder, name = str(run.resolve()), job.name.split()
    for process in psutil.process_iter(["cwd", "cmdline"]):
        command = process.info["cmdline"] or []
        own = command[: command.index("--")] if "--" in command else command
        if process.info["cwd"] != folder or "--rule" not in own or not set(name) <= set(own):
            continue
        try:
            tree = [process, *process.children(recursive=True)]
            seconds = time.time() - process.create_time()
            times = [one.cpu_times() for one in tree]
            memory = sum(one.memory_info().rss for one in tree)
        except psutil.Error:  # it has just ended
            break
        busy = sum(one.user + one.system for one in times)
        return Use("its processes now", cores=busy / max(seconds, 1e-3), ram_gb=memory / GB)
    return Use()
