"""NVIDIA's management library, opened where its driver runs: for energy, memory and names of devices.

pynvml (the package nvidia-ml-py, 30 ms) is imported only there.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any


def open_nvml(root: Path) -> tuple[Any, list[Any]] | None:
    """The library, and a handle of each device; None without the driver, the library, a device, or the right to look.

    root: of the file system.
    """
    if not (root / "proc/driver/nvidia").is_dir():
        return None
    with suppress(Exception):  # an older driver, no permission: there is no figure then
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(n) for n in range(pynvml.nvmlDeviceGetCount())]
        return (pynvml, handles) if handles else None
    return None
