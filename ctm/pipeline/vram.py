"""Memory of accelerators that processes hold, from what the machine tells of each process.

- What the kernel's DRM drivers write beside each open device (amdgpu, xe, i915, nouveau):
  Documentation/gpu/drm-usage-stats of the Linux kernel.
- NVML for NVIDIA, whose own driver writes nothing there: nvmlDeviceGetComputeRunningProcesses.

Only what names a process of the job counts. A driver outside of a container names processes by ids that mean nothing
inside: then the figure is None, "not available", as everywhere where nothing is told.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ctm.pipeline.energy_counters import ROOT, is_apu
from ctm.pipeline.nvml import open_nvml

REGION = re.compile(r"drm-(?:resident|memory)-(.+)")
"""Memory of a client in a region; `memory` is what older drivers call `resident`, and newer ones may write both."""
ON_DEVICE = re.compile(r"(?:vram|local)\d*")
"""Regions of a device's own memory: `vram` of amdgpu and nouveau, `vram0` of xe, `local0` of i915."""
SHARED = "gtt"
"""Region of the machine's memory that amdgpu maps. An APU's graphics work in either, by how its memory was divided."""
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20}


class VramMeter:
    """Peak of the memory that a job holds on accelerators. Call `start` as it begins, `sample` every few seconds.

    root: of the file system, for tests.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.peak: int | None = None
        """Bytes, the most that any look found; None where none found a process of the job."""
        self._nvml: tuple[Any, list[Any]] | None = None

    def start(self) -> None:
        """Find what tells. Raises nothing: without it there is no figure."""
        self._nvml = open_nvml(self.root)

    def sample(self, pids: Collection[int]) -> None:
        """Look at the processes of the job: those that it has now."""
        found = [drm_bytes(pids, self.root), nvml_bytes(*self._nvml, pids) if self._nvml else None]
        held = [value for value in found if value is not None]
        if held:
            self.peak = max(self.peak or 0, sum(held))


def drm_bytes(pids: Collection[int], root: Path = ROOT) -> int | None:
    """What processes hold by their open devices; None where no driver tells.

    A client, which several files of several processes may be, counts once. What clients share counts for each.
    """
    clients: dict[tuple[str, str], int] = {}
    for pid in pids:
        for told in _clients(root / "proc" / str(pid)):
            held, client = _held(told, root), told.get("drm-client-id")
            if held is not None and client is not None:
                clients[told.get("drm-pdev") or told.get("drm-driver", ""), client] = held
    return sum(clients.values()) if clients else None


def nvml_bytes(library: Any, handles: Collection[Any], pids: Collection[int]) -> int | None:
    """What processes hold on NVIDIA's devices.

    None where none of them is named, or a device does not answer or does not say how much one holds.
    """
    held: list[int | None] = []
    for handle in handles:
        try:
            there = library.nvmlDeviceGetComputeRunningProcesses(handle)
        except library.NVMLError:
            return None
        held += [process.usedGpuMemory for process in there if process.pid in pids]
    known = [value for value in held if value is not None]
    return sum(known) if held and len(known) == len(held) else None


def _clients(process: Path) -> Iterator[dict[str, str]]:
    """What the kernel tells of each graphics device that a process has open: keys and values."""
    try:
        files = sorted(os.listdir(process / "fd"))
    except OSError:  # it has ended, or is not ours
        return
    for number in files:
        try:
            if os.readlink(process / "fd" / number).startswith("/dev/dri/"):
                lines = (
                    (process / "fdinfo" / number).read_text(encoding="utf-8", errors="replace").splitlines()
                )
                yield {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
        except OSError:
            continue


def _held(told: dict[str, str], root: Path) -> int | None:
    """Bytes of the device's memory that a client holds; None where that is not told."""
    regions: dict[str, int] = {}
    for key, value in told.items():
        found, held = REGION.fullmatch(key), _bytes(value)
        if found and held is not None:
            regions[found[1]] = held
    counted = [held for region, held in regions.items() if ON_DEVICE.fullmatch(region)]
    if SHARED in regions and _is_apu(told.get("drm-pdev", ""), root):
        counted.append(regions[SHARED])
    return sum(counted) if counted else None


def _bytes(text: str) -> int | None:
    number, _, unit = text.partition(" ")
    return int(number) * UNITS[unit] if number.isdigit() and unit in UNITS else None


def _is_apu(device: str, root: Path) -> bool:
    """Whether a device, by its PCI address, is graphics on the processor's chip."""
    cards = (root / "sys/bus/pci/devices" / device / "hwmon").glob("hwmon*")
    return bool(device) and any(map(is_apu, cards))
