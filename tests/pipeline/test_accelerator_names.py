"""A run's record names the accelerator that it was made on, as its driver does, and nothing where nothing is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ctm.pipeline.accelerator_names import accelerators
from helpers.fake_checkout import ROOT

IDS = """# device_id,\trevision_id,\tproduct_name
1.0.0
1586,\tC1,\tAMD Radeon 8060S Graphics
1586,\tC2,\tAMD Radeon 8050S Graphics, mobile
"""


def card(root: Path, number: int, **files: str) -> None:
    """A graphics card of a tree of /sys, with a connector, which is none."""
    for name in (f"card{number}", f"card{number}-HDMI-A-1"):
        device = root / "sys/class/drm" / name / "device"
        device.mkdir(parents=True)
        for file, text in files.items():
            (device / file).write_text(f"{text}\n")


def test_amd_cards_have_the_boards_name_or_the_one_they_are_sold_by(tmp_path: Path) -> None:
    card(tmp_path, 0, vendor="0x1002", device="0x1586", revision="0xc2")
    assert accelerators(tmp_path) is None, "there is no list of names"
    (tmp_path / "usr/share/libdrm").mkdir(parents=True)
    (tmp_path / "usr/share/libdrm/amdgpu.ids").write_text(IDS)
    assert accelerators(tmp_path) == "AMD Radeon 8050S Graphics, mobile", "device and revision decide"
    card(tmp_path, 1, vendor="0x1002", device="0x74a1", revision="0x00", product_name="AMD Instinct MI300X")
    card(tmp_path, 2, vendor="0x1002", device="0x9999", revision="0x00")
    card(tmp_path, 3, vendor="0x8086", device="0x1586", revision="0xc1")
    assert accelerators(tmp_path) == "AMD Radeon 8050S Graphics, mobile, AMD Instinct MI300X"


def test_nvidias_are_counted_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = SimpleNamespace(
        NVMLError=RuntimeError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetName=lambda handle: "NVIDIA H200",
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    assert accelerators(tmp_path) is None, "without the driver nothing is asked"
    (tmp_path / "proc/driver/nvidia").mkdir(parents=True)
    assert accelerators(tmp_path) == "2 x NVIDIA H200"


def test_the_record_of_a_start_has_it_and_loads_no_torch() -> None:
    code = (
        "import json, sys; from pathlib import Path; from ctm.pipeline.session import record; "
        "found = record('x', Path.cwd(), [], None, {})['environment']; "
        "print(json.dumps(['accelerator' in found, 'torch' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert json.loads(done.stdout) == [True, False]
