"""Counters of energy that a machine offers: RAPL and amdgpu in sysfs, NVML for NVIDIA.

Each counts the whole machine's; None is what cannot be read. Which share is a job's: energy.py.
Sources: Documentation/power/powercap, Documentation/gpu/amdgpu/thermal and the KFD's sysfs of the Linux kernel; NVML's
nvmlDeviceGetTotalEnergyConsumption.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ctm.pipeline.nvml import open_nvml

ROOT = Path("/")
COUNTED = ("package", "dram")
"""Zones of RAPL that add up; `core` and `uncore` are in their package's counter, and `psys` holds all packages."""


class Counter(Protocol):
    """Counts the energy of all processors."""

    source: str

    def joules(self) -> float | None:
        """Used since the last call, or None where it cannot be read (any more)."""


class GpuCounter(Protocol):
    """Counts the energy of GPUs."""

    source: str

    def used(self) -> list[tuple[float, list[int]]] | None:
        """Of each device the joules since the last call and the ids of the processes on it now."""


def busy_seconds(root: Path = ROOT) -> float | None:
    """Processor time that all processes of the machine have used; guests are within user (proc(5)). None: unknown."""
    try:
        with (root / "proc/stat").open(encoding="ascii") as file:
            user, nice, system, _, _, interrupts, soft, *_ = map(int, file.readline().split()[1:])
        return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return None


def find_counters(root: Path = ROOT, accelerator: bool = True) -> tuple[Counter | None, GpuCounter | None]:
    """Counters of this machine: of its processors, and of its GPUs where they are asked for.

    The graphics of an APU are on the processor's chip and in its counter. Where that may be read by root only, as on
    most systems, amdgpu still tells the power of the whole chip, which is the processor's then.
    """
    cards = list(_amd_cards(root))
    chips = [card for card in cards if is_apu(card)]
    boards = [card for card in cards if card not in chips]
    cpu: Counter | None = Rapl.find(root)
    if cpu is None and chips:
        cpu = AmdPower(root, chips, "amdgpu, whole chip")
    if not accelerator:
        return cpu, None
    return cpu, AmdPower(root, boards, "amdgpu") if boards else Nvml.find(root)


@dataclass
class Rapl:
    """The processors' packages and their memory: Intel's and AMD's, in powercap."""

    zones: dict[Path, tuple[int, int]]
    """Folder: its last reading, and where it runs over; µJ."""
    source: str = "rapl"

    @classmethod
    def find(cls, root: Path) -> Rapl | None:
        """None where there is none, or where any of it may not be read: half a machine is no figure."""
        zones: dict[Path, tuple[int, int]] = {}
        for zone in sorted((root / "sys/class/powercap").glob("intel-rapl:*")):
            if (_text(zone / "name") or "").partition("-")[0] in COUNTED:
                reading, range_ = _number(zone / "energy_uj"), _number(zone / "max_energy_range_uj")
                if reading is None or range_ is None:
                    return None
                zones[zone] = reading, range_
        return cls(zones) if zones else None

    def joules(self) -> float | None:
        """Used since the last call. What is below the last reading has run over, once."""
        used = 0
        for zone, (before, range_) in self.zones.items():
            now = _number(zone / "energy_uj")
            if now is None:
                return None
            used += now - before + (range_ if now < before else 0)
            self.zones[zone] = now, range_
        return used / 1e6


@dataclass
class AmdPower:
    """Power that amdgpu tells of cards, times the seconds since the last look."""

    root: Path
    cards: list[Path]
    source: str
    last: float = field(default_factory=lambda: time.monotonic())

    def joules(self) -> float | None:
        """Used since the last call, as if the power had been all the time what it is now."""
        before, self.last = self.last, time.monotonic()
        watts = [_watts(card) for card in self.cards]
        if any(power is None for power in watts):
            return None
        return sum(power for power in watts if power is not None) * (self.last - before)

    def used(self) -> list[tuple[float, list[int]]] | None:
        """As one device: the driver lists its processes, and not by card."""
        joules = self.joules()
        there = [int(p.name) for p in (self.root / "sys/class/kfd/kfd/proc").glob("*") if p.name.isdigit()]
        return None if joules is None else [(joules, there)]


@dataclass
class Nvml:
    """NVIDIA's own counter of each device, since the driver was loaded: Volta and later."""

    library: Any
    """pynvml."""
    devices: list[tuple[Any, int]]
    """Handle and last reading of each, mJ."""
    source: str = "nvml"

    @classmethod
    def find(cls, root: Path) -> Nvml | None:
        """None without the driver, without pynvml (nvidia-ml-py), or where a device does not count."""
        opened = open_nvml(root)
        if opened is None:
            return None
        library, handles = opened
        try:
            return cls(library, [(one, library.nvmlDeviceGetTotalEnergyConsumption(one)) for one in handles])
        except library.NVMLError:  # a device from before Volta
            return None

    def used(self) -> list[tuple[float, list[int]]] | None:
        """Of each device; None where one does not answer any more."""
        found: list[tuple[float, list[int]]] = []
        for place, (handle, before) in enumerate(self.devices):
            try:
                now = self.library.nvmlDeviceGetTotalEnergyConsumption(handle)
                there = [p.pid for p in self.library.nvmlDeviceGetComputeRunningProcesses(handle)]
            except self.library.NVMLError:
                return None
            found.append(((now - before) / 1e3, there))
            self.devices[place] = handle, now
        return found


def is_apu(card: Path) -> bool:
    """Whether the graphics of a hwmon folder are on the processor's chip: only then amdgpu knows a "vddnb"."""
    return _text(card / "in1_label") == "vddnb"


def _amd_cards(root: Path) -> Iterable[Path]:
    for card in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        if _text(card / "name") == "amdgpu" and _watts(card) is not None:
            yield card


def _watts(card: Path) -> float | None:
    """Of a card: the mean of the last moments, else what it is now."""
    for name in ("power1_average", "power1_input"):
        if (microwatts := _number(card / name)) is not None:
            return microwatts / 1e6
    return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text is not None and text.isdigit() else None
