"""Monitors the machine while a stage runs: memory, utilization, power.

A figure that cannot be read is "not available", never 0. AMD's are read from sysfs, which needs no tool and
cannot hang; NVIDIA's through torch, which asks NVML; the processor's power from RAPL where it may be read.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch

Figure = float | str
MISSING = "not available"
GB = 10**9
SYSFS = Path("/sys")


class MachineMonitor:
    """Figures of a device and of this process, each time since the last."""

    def __init__(self, device: torch.device, sysfs: Path = SYSFS) -> None:
        self.device, self.sysfs, self.process = device, sysfs, psutil.Process()
        self.last: tuple[float, float, float | None, int | None] = self._clocks()

    def figures(self) -> dict[str, Figure]:
        """GB, shares 0..1 of a device, cores busy, watts, MB to and from disks a second."""
        return {**self._processor(), **(self._device() if self.device.type == "cuda" else {})}

    def _clocks(self) -> tuple[float, float, float | None, int | None]:
        times = self.process.cpu_times()
        energy = _number(self.sysfs / "class/powercap/intel-rapl:0/energy_uj")
        return time.monotonic(), times.user + times.system, energy, self._disk_bytes()

    def _disk_bytes(self) -> int | None:
        """Read from and written to disks so far; None where the system does not say (macOS)."""
        try:
            counters = self.process.io_counters()
        except (AttributeError, psutil.Error, OSError):
            return None
        return counters.read_bytes + counters.write_bytes

    def _processor(self) -> dict[str, Figure]:
        before, self.last = self.last, self._clocks()
        seconds = max(self.last[0] - before[0], 1e-9)
        joules = None
        if self.last[2] is not None and before[2] is not None and self.last[2] >= before[2]:
            joules = (self.last[2] - before[2]) / 1e6
        disk = None
        if self.last[3] is not None and before[3] is not None:
            disk = (self.last[3] - before[3]) / 1e6
        now = self.process.memory_info().rss
        return {
            "ram_gb": now / GB,
            "ram_peak_gb": max(now, _peak_bytes()) / GB,  # the system updates the peak later than the size
            "cores_busy": (self.last[1] - before[1]) / seconds,
            "processor_watts": MISSING if not joules else joules / seconds,
            "disk_mb_per_second": MISSING if disk is None else disk / seconds,
        }

    def _device(self) -> dict[str, Figure]:
        properties: Any = torch.cuda.get_device_properties(self.device)
        place = f"{properties.pci_domain_id:04x}:{properties.pci_bus_id:02x}:{properties.pci_device_id:02x}.0"
        return {
            "vram_gb": torch.cuda.memory_allocated(self.device) / GB,
            "vram_peak_gb": torch.cuda.max_memory_allocated(self.device) / GB,
            "vram_reserved_gb": torch.cuda.memory_reserved(self.device) / GB,
            **device_figures(self.sysfs / "bus/pci/devices" / place, self.device),
        }


def device_figures(folder: Path, device: torch.device) -> dict[str, Figure]:
    """Utilization and power of a GPU; `folder`: its place in sysfs, which AMD's driver fills."""
    busy = _number(folder / "gpu_busy_percent")
    microwatts = next(
        (v for p in sorted(folder.glob("hwmon/hwmon*/power1_average")) if (v := _number(p))), None
    )
    used = _number(folder / "mem_info_vram_used")
    shared = _number(folder / "mem_info_gtt_used")
    if busy is None:
        busy = _read_or_none(lambda: float(torch.cuda.utilization(device)))
    if microwatts is None:
        # 0 is what torch says where it cannot read
        microwatts = _read_or_none(lambda: 1000.0 * torch.cuda.power_draw(device)) or None
    return {
        "gpu_busy": MISSING if busy is None else busy / 100,
        "gpu_watts": MISSING if microwatts is None else microwatts / 1e6,
        **({} if used is None else {"vram_in_use_gb": used / GB}),
        **({} if shared is None else {"gtt_in_use_gb": shared / GB}),
    }


def _read_or_none(question: Callable[[], float]) -> float | None:
    try:
        return question()
    except (
        Exception
    ):  # NVML missing, not permitted, a device it does not know: whatever it is, there is no figure
        return None


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _peak_bytes() -> int:
    """Largest resident set of this process so far."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
