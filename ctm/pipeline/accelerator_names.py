"""Names of the machine's accelerators, as drivers and libdrm's list of marketing names have them; without torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ctm.pipeline.energy_counters import ROOT
from ctm.pipeline.nvml import open_nvml

AMD = "0x1002"
"""Vendor of a PCI device."""
MARKETING_NAMES = ("usr/share/libdrm/amdgpu.ids", "opt/amdgpu/share/libdrm/amdgpu.ids")
"""libdrm's list: `device id, revision, name`, numbers hexadecimal."""


def accelerators(root: Path = ROOT) -> str | None:
    """Such as "NVIDIA H200" or "2 x NVIDIA H200"; None where there is none, or none has a name."""
    names = Counter([*_of_nvidia(root), *_of_amd(root)])
    return ", ".join(f"{number} x {name}" if number > 1 else name for name, number in names.items()) or None


def _of_nvidia(root: Path) -> Iterator[str]:
    opened = open_nvml(root)
    if opened is None:
        return
    library, handles = opened
    for handle in handles:
        with suppress(library.NVMLError):
            yield str(library.nvmlDeviceGetName(handle))


def _of_amd(root: Path) -> Iterator[str]:
    """The name that the board holds, which boards for servers do, else the one under which it is sold."""
    for device in sorted(root.glob("sys/class/drm/card*/device")):
        is_connector = "-" in device.parent.name
        if not is_connector and _text(device / "vendor") == AMD:
            name = _text(device / "product_name") or _marketing_name(
                root, _number(device / "device"), _number(device / "revision")
            )
            if name:
                yield name


def _marketing_name(root: Path, device: int, revision: int) -> str | None:
    for path in MARKETING_NAMES:
        for line in (_text(root / path) or "").splitlines():
            fields = [field.strip() for field in line.split(",", 2)]
            with suppress(ValueError):  # a comment, the version of the list
                if len(fields) == 3 and (int(fields[0], 16), int(fields[1], 16)) == (device, revision):
                    return fields[2]
    return None


def _number(path: Path) -> int:
    """A hexadecimal number; -1, which nothing has, where it is not told."""
    text = _text(path)
    return int(text, 16) if text else -1


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
