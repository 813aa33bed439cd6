"""`ctm-pipeline doctor`: what stands in the way of a run on the machine at hand, or on that of a profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ctm.pipeline.demand import Demand
from ctm.pipeline.machine_facts import Machine
from ctm.pipeline.profiles import Profile
from ctm.pipeline.sections import Config
from ctm.pipeline.steps import steps

TOOLS = {
    "git": "collect_commits reads histories with it, and pages name the commit (package git)",
    "dot": "`make dag` draws with it (package graphviz)",
}
LEAST_PYTHON = (3, 11)
LEAST_DISK_GB = 5
"""The demo needs about 2 GB with its downloads; the specification's full scale 280."""
DRIVERS = {"NVIDIA": ("CUDA",), "AMD": ("ROCm",), "WSL": ("CUDA", "ROCm"), "Apple": ("MPS",)}


@dataclass(frozen=True)
class Conflict:
    """A rule whose memories together exceed a unified budget, GB."""

    rule: str
    mem_gb: int
    vram: int
    budget: int
    lowered_to: int | None
    """What a profile sets mem_gb to; None if it leaves the conflict."""

    @property
    def unified_gb(self) -> int:
        """mem_gb and vram together."""
        return self.mem_gb + self.vram


def conflicts(demands: Mapping[str, Demand], profile: Profile) -> list[Conflict]:
    """Rules whose mem_gb + vram exceed the profile's budget `unified_gb`."""
    budget = profile.budgets.get("unified_gb")
    if budget is None:
        return []
    return [
        Conflict(rule, demand.mem_gb, demand.vram, budget, profile.demands.get(rule, {}).get("mem_gb"))
        for rule, demand in demands.items()
        if demand.mem_gb + demand.vram > budget
    ]


def facts(machine: Machine) -> str:
    """The machine in a line."""
    python = ".".join(map(str, machine.python))
    return (
        f"{machine.cores} cores, {machine.memory_gb:.1f} GB of memory, "
        f"{f'an accelerator ({machine.accelerator})' if machine.accelerator else 'no accelerator'}, "
        f"{machine.disk_gb:.0f} GB of disk free, Python {python}, "
        f"{f'torch {machine.torch}' if machine.torch else 'no torch'}"
    )


def profile_findings(config: Config, profile: Profile) -> list[str]:
    """A line for each demand that a profile's machine with one memory cannot meet."""
    lines = []
    for c in conflicts(config.resources, profile):
        asks = f"{c.rule} asks for mem {c.mem_gb} + vram {c.vram} = {c.unified_gb} GB of {c.budget} GB"
        if c.lowered_to is None:
            lines.append(f"{asks}; lower it in {profile.path} (set-resources)")
        else:
            lines.append(f"{asks}; {profile.path.parent} lowers mem_gb to {c.lowered_to}")
    return lines


def findings(config: Config, machine: Machine) -> list[str]:
    """A line for each thing that stands in the way of this configuration on this machine; empty where nothing does."""
    demands = {rule: config.resources[rule] for rule in steps(config)}
    return [*_missing(machine), *_too_much(config, demands, machine), *_accelerator(demands, machine)]


def _missing(machine: Machine) -> Iterator[str]:
    if machine.python[:2] < LEAST_PYTHON:
        yield f"Python {'.'.join(map(str, machine.python))}: 3.11 or later is needed (make PYTHON=python3.12)"
    if not machine.torch:
        yield "torch is not installed: make setup"
    for what, folder in machine.closed_folders:
        yield f"{folder} cannot be written, where {what} would go: name another folder"
    for tool in machine.missing_tools:
        yield f"{tool} not found: {TOOLS[tool]}"
    if machine.disk_gb < LEAST_DISK_GB:
        yield f"{machine.disk_gb:.1f} GB of disk are free: the demo needs about 2, the full scale 280"


def _too_much(config: Config, demands: Mapping[str, Demand], machine: Machine) -> Iterator[str]:
    wide = {rule: demand.threads for rule, demand in demands.items() if demand.threads > machine.cores}
    if wide:
        yield (
            f"{machine.cores} cores, but {_rules(wide)} more threads ({_most(wide)}): Snakemake gives them what there "
            "is; lower resources.RULE.threads in an overlay, since training with other threads has other last bits"
        )
    if config.machine.mem_gb > machine.memory_gb:
        yield (
            f"{machine.memory_gb:.1f} GB of memory, but machine.mem_gb is {config.machine.mem_gb}: jobs would start "
            f"that do not fit together; set machine.mem_gb to {int(machine.memory_gb)} in an overlay"
        )
    large = {rule: demand.mem_gb for rule, demand in demands.items() if demand.mem_gb > machine.memory_gb}
    if large:
        yield (
            f"{machine.memory_gb:.1f} GB of memory, but {_rules(large)} more ({_most(large)} GB): take a smaller "
            "configuration, or lower resources.RULE.mem_gb in an overlay"
        )


def _accelerator(demands: Mapping[str, Demand], machine: Machine) -> Iterator[str]:
    asked = {rule: demand.vram for rule, demand in demands.items() if demand.vram}
    if asked and not machine.accelerator:
        yield without_accelerator(asked)
    elif machine.torch and machine.accelerator and machine.torch_devices not in DRIVERS[machine.accelerator]:
        yield (
            f"torch {machine.torch} does not compute on the accelerator ({machine.accelerator}): install one that "
            f"does (make setup HARDWARE={'rocm' if machine.accelerator == 'AMD' else 'cuda'})"
        )


def without_accelerator(asked: Mapping[str, int]) -> str:
    """What is said where rules ask for vram (GB, by rule) and there is no accelerator."""
    return (
        f"no accelerator on this machine (no driver's file in /dev), but {_rules(asked)} vram ({_most(asked)} GB): "
        "they compute on the processor, which takes many times as long; config/demo.yaml is sized for that"
    )


def _rules(asked: Mapping[str, int]) -> str:
    return f"{len(asked)} rules ask for" if len(asked) > 1 else f"{next(iter(asked))} asks for"


def _most(asked: Mapping[str, int]) -> str:
    rule = max(asked, key=lambda name: asked[name])
    return f"{rule}: {asked[rule]}"
