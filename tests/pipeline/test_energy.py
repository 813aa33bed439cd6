"""Energy of a job: what the machine counts, no more than that, and nothing where it does not count."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter

from ctm.pipeline import energy_counters
from ctm.pipeline.energy import EnergyMeter, process_share
from ctm.pipeline.energy_counters import Nvml
from ctm.pipeline.sections import MachineBudget

RANGE = 262_143_328_850


class FakeMachine:
    """A tree of /sys and /proc whose counters a test moves."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.busy(0)

    def write(self, path: str, text: object) -> Path:
        """Write a file below the root."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
        return file

    def busy(self, seconds: float) -> None:
        """Set processor time of the whole machine; idle time and guests are in the line and must not count."""
        ticks = round(100 * seconds)
        self.write("proc/stat", f"cpu  {ticks} 0 0 999999 77 0 0 0 55 0\ncpu0 0 0 0 0 0 0 0 0 0 0")

    def zone(self, number: str, name: str, microjoules: int) -> Path:
        """Set a zone of RAPL."""
        folder = f"sys/class/powercap/intel-rapl:{number}"
        self.write(f"{folder}/name", name)
        self.write(f"{folder}/max_energy_range_uj", RANGE)
        return self.write(f"{folder}/energy_uj", microjoules)

    def card(self, watts: float, label: str = "") -> None:
        """Set an AMD GPU's power; label "vddnb": of an APU."""
        self.write("sys/class/hwmon/hwmon3/name", "amdgpu")
        self.write("sys/class/hwmon/hwmon3/power1_average", round(watts * 1e6))
        if label:
            self.write("sys/class/hwmon/hwmon3/in1_label", label)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    monkeypatch.setattr(energy_counters.os, "sysconf", lambda name: 100)
    return FakeMachine(tmp_path)


def started(machine: FakeMachine, accelerator: bool = False) -> EnergyMeter:
    meter = EnergyMeter(accelerator, machine.root)
    meter.start()
    return meter


def test_a_machine_without_counters_has_no_energy_and_not_zero(machine: FakeMachine) -> None:
    meter = started(machine, accelerator=True)
    meter.sample(1.0, {1})
    assert meter.stop(2.0) is None


def test_a_job_has_the_share_of_the_processor_time_that_it_used(machine: FakeMachine) -> None:
    """Two jobs at once: their energies add up to the machine's, 10 Wh here."""
    machine.zone("0", "package-0", 0)
    one, other = started(machine), started(machine)
    machine.busy(100)
    machine.zone("0", "package-0", 36_000_000_000)
    first, second = one.stop(75.0), other.stop(25.0)
    assert first == {"cpu_wh": 7.5, "gpu_wh": None, "source": "rapl"}
    assert second is not None and second["cpu_wh"] == 2.5


def test_parts_of_a_package_are_not_counted_twice(machine: FakeMachine) -> None:
    """Cores are in the package's counter, memory is not, and the platform holds all of them."""
    zones = [("0", "package-0"), ("0:0", "core"), ("0:1", "dram"), ("1", "package-1"), ("2", "psys")]
    for number, name in zones:
        machine.zone(number, name, 1000)
    meter = started(machine)
    machine.busy(1)
    for number, name in zones:
        machine.zone(number, name, 1000 + 3_600_000_000)
    measured = meter.stop(1.0)
    assert measured is not None and measured["cpu_wh"] == 3.0, "two packages and one memory, 1 Wh each"


def test_a_counter_that_runs_over_between_samples_goes_on(machine: FakeMachine) -> None:
    machine.zone("0", "package-0", RANGE - 1_800_000_000)
    meter = started(machine)
    machine.busy(1)
    machine.zone("0", "package-0", 1_800_000_000)
    measured = meter.stop(1.0)
    assert measured is not None and measured["cpu_wh"] == 1.0


def test_a_counter_that_only_root_may_read_is_none(machine: FakeMachine) -> None:
    """As on most systems since CVE-2020-8694; an unreadable file of a tree that root owns is a folder here."""
    machine.zone("0", "package-0", 1).unlink()
    (machine.root / "sys/class/powercap/intel-rapl:0/energy_uj").mkdir()
    assert started(machine).stop(1.0) is None


def test_a_figure_with_a_gap_is_none(machine: FakeMachine) -> None:
    counter = machine.zone("0", "package-0", 0)
    meter = started(machine)
    counter.unlink()
    meter.sample(1.0, {1})
    machine.zone("0", "package-0", 3_600_000_000)
    assert meter.stop(2.0) is None


def test_the_graphics_of_an_apu_are_in_the_package(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """amdgpu tells the power of the whole chip there: a GPU's beside RAPL's would count the same energy twice."""
    machine.card(100, label="vddnb")
    machine.zone("0", "package-0", 0)
    meter = started(machine, accelerator=True)
    machine.busy(1)
    machine.zone("0", "package-0", 3_600_000_000)
    assert meter.stop(1.0) == {"cpu_wh": 1.0, "gpu_wh": None, "source": "rapl"}

    clock = iter([0.0, 3600.0])
    monkeypatch.setattr(energy_counters.time, "monotonic", lambda: next(clock))
    (machine.root / "sys/class/powercap/intel-rapl:0/energy_uj").unlink()
    meter = started(machine, accelerator=True)
    machine.busy(2)
    assert meter.stop(1.0) == {"cpu_wh": 100.0, "gpu_wh": None, "source": "amdgpu, whole chip"}


def test_an_amd_card_is_integrated_and_shared_by_processes(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour at 200 W with one other process on the card; the job's last second is counted as the one before it."""
    machine.card(200)
    for pid in (10, 11):
        machine.write(f"sys/class/kfd/kfd/proc/{pid}/vram_1", 1)
        machine.write(f"proc/{pid}/stat", "")
    clock = iter([0.0, 3599.0, 3600.0])
    monkeypatch.setattr(energy_counters.time, "monotonic", lambda: next(clock))
    meter = started(machine, accelerator=True)
    meter.sample(1.0, {10})
    assert meter.stop(1.0) == {"cpu_wh": None, "gpu_wh": 100.0, "source": "amdgpu"}


class FakeNvml:
    """pynvml of two devices; this process computes on the first one."""

    NVMLError = RuntimeError

    def __init__(self) -> None:
        self.millijoules = {0: 5_000, 1: 7_000}
        self.pids = {0: [42], 1: [43]}

    def nvmlInit(self) -> None:
        """As NVML's."""

    def nvmlDeviceGetCount(self) -> int:
        """As NVML's."""
        return 2

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:
        """As NVML's."""
        return number

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:
        """As NVML's."""
        return self.millijoules[handle]

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[SimpleNamespace]:
        """As NVML's."""
        return [SimpleNamespace(pid=pid) for pid in self.pids[handle]]


def test_a_job_has_the_energy_of_its_own_device_alone(
    machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    machine.write("proc/driver/nvidia/version", "")
    for pid in (42, 43):
        machine.write(f"proc/{pid}/stat", "")
    meter = started(machine, accelerator=True)
    nvml.millijoules = {0: 5_000 + 3_600_000, 1: 7_000 + 9_999_999}
    meter.sample(1.0, {42})
    assert meter.stop(1.0) == {"cpu_wh": None, "gpu_wh": 1.0, "source": "nvml"}
    assert started(machine).stop(1.0) is None, "a job that asks for no accelerator has none of its energy"


def test_without_pynvml_there_is_no_figure(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    machine.write("proc/driver/nvidia/version", "")
    assert Nvml.find(machine.root) is None


@pytest.mark.parametrize(
    ("mine", "there", "here", "share"),
    [
        ({1}, [1], {1}, 1.0),
        ({1}, [1, 2], {1, 2}, 0.5),
        ({1}, [], set(), 0.0),
        ({1}, [2, 3], {2, 3}, 0.0),  # others' alone
        ({1}, [901, 902], set(), 0.5),  # named from outside of our container: one of them is taken for ours
    ],
)
def test_share_of_a_device(mine: set[int], there: list[int], here: set[int], share: float) -> None:
    assert process_share(mine, there, here.__contains__) == share


def test_importing_it_loads_no_library() -> None:
    """The supervisor of every job imports it: psutil, torch or NVML would cost each job more than the job itself."""
    code = (
        "import sys; before = set(sys.modules); import ctm.pipeline.energy; print(*set(sys.modules) - before)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in run.stdout.split()} - set(sys.stdlib_module_names)
    assert loaded == {"ctm"}


@pytest.mark.parametrize("price", [-0.1, float("nan"), float("inf")])
def test_a_price_that_is_none_is_refused(price: float) -> None:
    with pytest.raises(ValueError, match="price_per_kwh"):
        TypeAdapter(MachineBudget).validate_python({"price_per_kwh": price})
