"""The machine at hand, as far as it matters before a run: cores, memory, accelerator, disk, Python, torch, folders."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

GB = 10**9
DEVICES = {"nvidiactl": "NVIDIA", "kfd": "AMD", "dxg": "WSL"}
"""Device files of the drivers; without them no torch finds an accelerator."""


@dataclass(frozen=True)
class Machine:
    """What there is."""

    cores: int
    """Cores that this process may use."""
    memory_gb: float
    """Memory, less what a container's limit takes away, GB."""
    accelerator: str
    """Whose driver is loaded: "NVIDIA", "AMD", "WSL", "Apple"; "" for none."""
    disk_gb: float
    """Free space in the folder where runs go, GB."""
    python: tuple[int, int, int]
    """Version of Python."""
    torch: str
    """Version of torch with its build, such as "2.13.0+cpu"; "" where it is not installed."""
    torch_devices: str
    """What this build of torch computes on besides processors: "CUDA", "ROCm", "MPS"; "" for nothing."""
    missing_tools: tuple[str, ...]
    """Programs that are not found."""
    closed_folders: tuple[tuple[str, Path], ...]
    """(what it is for, folder) of those that cannot be written."""


def this_machine(run: Path, tools: tuple[str, ...] = ()) -> Machine:
    """Look at the machine at hand. run: where runs go (the folder need not exist). Imports no torch."""
    return Machine(
        cores=_cores(),
        memory_gb=min(psutil.virtual_memory().total, _container_limit()) / GB,
        accelerator=accelerator(),
        disk_gb=shutil.disk_usage(_existing(run)).free / GB,
        python=sys.version_info[:3],
        torch=_version("torch"),
        torch_devices=_torch_devices(),
        missing_tools=tuple(tool for tool in tools if shutil.which(tool) is None),
        closed_folders=tuple(
            (what, folder) for what, folder in _folders(run) if not _writable(_existing(folder))
        ),
    )


def accelerator(devices: Path = Path("/dev")) -> str:
    """Whose driver is loaded, "" for none. Costs nothing: torch takes a second to start."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return "Apple"
    return next((name for file, name in DEVICES.items() if (devices / file).exists()), "")


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _container_limit(groups: Path = Path("/sys/fs/cgroup")) -> float:
    """Bytes that a container may use, infinity where there is no limit or no control groups."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            return float((groups / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # "max" is no number
            continue
    return float("inf")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that there is."""
    folder = folder.absolute()
    return next((place for place in (folder, *folder.parents) if place.is_dir()), Path("/"))


def _writable(folder: Path) -> bool:
    """Tried, since permissions do not tell: of a read-only file system, or of /proc to root."""
    try:
        os.rmdir(tempfile.mkdtemp(prefix=".ctm-", dir=folder))
    except OSError:
        return False
    return True


def _folders(run: Path) -> list[tuple[str, Path]]:
    """What a run writes to: (what for, folder)."""
    home = Path(os.path.expanduser("~"))
    return [
        ("the run", run),
        ("Snakemake's and matplotlib's caches (XDG_CACHE_HOME, HOME)",
         Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")),
        ("temporary files (TMPDIR)", Path(os.environ.get("TMPDIR") or tempfile.gettempdir())),
    ]  # fmt: skip


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _torch_devices() -> str:
    """From the build's own note, which is read without starting torch."""
    try:
        note = importlib.metadata.distribution("torch").locate_file("torch/version.py")
        lines = Path(str(note)).read_text(encoding="utf-8").splitlines()
    except (importlib.metadata.PackageNotFoundError, OSError):
        return ""
    built = {
        line.split(":")[0].split("=")[0].strip(): line.rpartition("=")[2].strip()
        for line in lines
        if "=" in line
    }
    for key, name in (("cuda", "CUDA"), ("hip", "ROCm")):
        if built.get(key, "None") != "None":
            return name
    return "MPS" if sys.platform == "darwin" else ""
