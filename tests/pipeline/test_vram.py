"""Memory on accelerators: what drivers tell of the job's own processes, each client once, and nothing made up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ctm.pipeline.usage import Usage
from ctm.pipeline.vram import VramMeter, drm_bytes

KIB, MIB = 1 << 10, 1 << 20
APU = "0000:c5:00.0"


class FakeProc:
    """Processes of a tree of /proc, each with devices that it has open."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(
        self, pid: int, number: int, lines: dict[str, object], device: str = "/dev/dri/renderD128"
    ) -> None:
        """Process `pid` opens a device as descriptor `number`; `lines`: what the driver tells of it."""
        process = self.root / "proc" / str(pid)
        for name in ("fd", "fdinfo"):
            (process / name).mkdir(parents=True, exist_ok=True)
        link, told = process / "fd" / str(number), process / "fdinfo" / str(number)
        link.unlink(missing_ok=True)
        link.symlink_to(device)
        head = "pos:\t0\nflags:\t02100002\nmnt_id:\t24\nino:\t1204\n"
        told.write_text(head + "".join(f"{key}:\t{value}\n" for key, value in lines.items()))


@pytest.fixture
def proc(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path)


def amdgpu(client: int, vram: str, device: str = "0000:04:00.0", **more: str) -> dict[str, object]:
    """As amdgpu writes it."""
    return {
        "drm-driver": "amdgpu", "drm-client-id": client, "drm-pdev": device, "drm-total-vram": "999 MiB",
        "drm-shared-vram": "13584 KiB", "drm-resident-vram": vram, "drm-memory-vram": vram,
        "amd-requested-vram": "999 MiB", "drm-engine-gfx": "39456116802 ns", **more,
    }  # fmt: skip


def test_a_client_counts_once_however_many_files_it_is(proc: FakeProc) -> None:
    """A descriptor is duplicated, and inherited by a child; `memory` is the older name of `resident`."""
    proc.open(1, 7, amdgpu(30, "600 MiB"))
    proc.open(1, 8, amdgpu(30, "600 MiB"))
    proc.open(2, 7, amdgpu(30, "600 MiB"))
    assert drm_bytes([1, 2], proc.root) == 600 * MIB
    proc.open(2, 9, amdgpu(31, "1024 KiB"))
    proc.open(2, 10, amdgpu(30, "5", device="0000:05:00.0"), device="/dev/dri/renderD129")
    assert drm_bytes([1, 2], proc.root) == 601 * MIB + 5, (
        "another client, and the same number on another device"
    )
    assert drm_bytes([1], proc.root) == 600 * MIB, "others' processes are not looked at"


@pytest.mark.parametrize(
    ("lines", "held"),
    [
        ({"drm-memory-vram": "2048 KiB", "drm-memory-gtt": "7 MiB"}, 2 * MIB),  # amdgpu of older kernels
        (
            {"drm-resident-vram0": "3 MiB", "drm-resident-gtt": "7 MiB", "drm-resident-system": "9 MiB"},
            3 * MIB,
        ),  # xe
        ({"drm-resident-vram0": "3 MiB", "drm-resident-vram1": "4 MiB"}, 7 * MIB),  # xe with two tiles
        ({"drm-resident-local0": "20", "drm-resident-stolen-local0": "7"}, 20),  # i915
        ({"drm-resident-vram": "0"}, 0),  # nothing yet, and that is told
        ({"drm-resident-memory": "7 MiB"}, None),  # graphics without a memory of their own
        ({"drm-resident-vram": "7 GiB"}, None),  # a unit that the kernel's page does not have
        ({}, None),
    ],
)
def test_each_driver_in_its_own_words(proc: FakeProc, lines: dict[str, object], held: int | None) -> None:
    proc.open(1, 3, {"drm-driver": "some", "drm-client-id": 1, "drm-pdev": "0000:03:00.0", **lines})
    assert drm_bytes([1], proc.root) == held


def test_graphics_on_the_processors_chip_hold_either_memory(proc: FakeProc) -> None:
    """How an APU's memory is divided is the BIOS's: what is suggested for it must not come from the smaller half."""
    proc.open(1, 3, amdgpu(30, "512 MiB", device=APU, **{"drm-memory-gtt": "20480 MiB"}))
    assert drm_bytes([1], proc.root) == 512 * MIB, "a card's processes pin the machine's memory too: no vram"
    hwmon = proc.root / "sys/bus/pci/devices" / APU / "hwmon/hwmon5"
    hwmon.mkdir(parents=True)
    (hwmon / "in1_label").write_text("vddnb\n")
    assert drm_bytes([1], proc.root) == (512 + 20480) * MIB


def test_files_that_are_no_devices_and_processes_that_are_gone(proc: FakeProc) -> None:
    proc.open(1, 3, amdgpu(30, "1 MiB"), device="/dev/kfd")
    assert drm_bytes([1, 99], proc.root) is None


class FakeNvml:
    """pynvml of two devices."""

    NVMLError = RuntimeError

    def __init__(self) -> None:
        self.there: list[list[tuple[int, int | None]]] = [[], []]
        self.answers = True

    def nvmlInit(self) -> None:
        """As NVML's."""

    def nvmlDeviceGetCount(self) -> int:
        """As NVML's."""
        return 2

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:
        """As NVML's."""
        return number

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[SimpleNamespace]:
        """As NVML's."""
        if not self.answers:
            raise self.NVMLError("lost")
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in self.there[handle]]


@pytest.fixture
def nvml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    made = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", made)
    (tmp_path / "proc/driver/nvidia").mkdir(parents=True)
    return made


def test_the_peak_is_of_all_devices_and_of_the_jobs_processes_alone(proc: FakeProc, nvml: FakeNvml) -> None:
    meter = VramMeter(proc.root)
    meter.start()
    meter.sample([42, 43])
    assert meter.peak is None, "a job that was not seen there yet has no figure, and not 0"
    nvml.there = [[(42, 3000), (7, 10**9)], [(43, 500)]]
    meter.sample([42, 43])
    nvml.there = [[(42, 2000)], []]
    meter.sample([42])
    assert meter.peak == 3500
    nvml.answers = False
    meter.sample([42])
    assert meter.peak == 3500, "what was seen before a device was lost was so"


def test_nothing_is_known_where_the_driver_does_not_say(proc: FakeProc, nvml: FakeNvml) -> None:
    """Not how much (Windows' driver model), or not of whom (from outside of a container)."""
    meter = VramMeter(proc.root)
    meter.start()
    nvml.there = [[(42, None)], [(42, 5)]]
    meter.sample([42])
    nvml.there = [[(900_001, 5000)], []]
    meter.sample([42])
    assert meter.peak is None


def test_a_machine_without_any_and_a_job_that_asks_for_none(tmp_path: Path) -> None:
    meter = VramMeter(tmp_path)
    meter.start()
    meter.sample([1])
    assert meter.peak is None
    assert Usage().figures()["vram_gb"] is None and Usage().vram is None


def test_a_jobs_figures_have_it(proc: FakeProc, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = Usage(accelerator=True)
    usage.vram = VramMeter(proc.root)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as program:
        usage.start(program.pid)
        proc.open(program.pid, 3, amdgpu(30, "1500000 KiB"))
        usage.sample()
        program.communicate(b"\n")
    usage.stop()
    assert usage.figures()["vram_gb"] == 1.536 and usage.figures()["network_gb"] is None
