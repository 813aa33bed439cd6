"""`ctm-pipeline doctor`: demands that a machine cannot meet, and missing tools."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ctm.pipeline.demand import Demand
from ctm.pipeline.sections import Config

TOOLS = {
    "flock": "refuses a second trainer (package util-linux)",
    "git": "reads git histories (package git)",
    "dot": "draws the DAG for `make dag` (package graphviz)",
}


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


def read_profile(path: Path) -> tuple[dict[str, int], dict[str, Mapping[str, Any]]]:
    """(budgets, resources by rule) of a Snakemake profile's config.yaml."""
    profile = yaml.safe_load((path / "config.yaml").read_text(encoding="utf-8")) or {}
    given = profile.get("resources", {})
    pairs = given.items() if isinstance(given, Mapping) else (entry.split("=", 1) for entry in given)
    return {name: int(value) for name, value in pairs}, profile.get("set-resources", {})


def conflicts(demands: Mapping[str, Demand], profile: Path) -> list[Conflict]:
    """Rules whose mem_gb + vram exceed the profile's budget `unified_gb`."""
    budgets, overrides = read_profile(profile)
    budget = budgets.get("unified_gb")
    if budget is None:
        return []
    return [
        Conflict(rule, demand.mem_gb, demand.vram, budget, overrides.get(rule, {}).get("mem_gb"))
        for rule, demand in demands.items()
        if demand.mem_gb + demand.vram > budget
    ]


def findings(config: Config, profile: Path) -> list[str]:
    """One line for each thing worth knowing; empty where nothing is wrong."""
    lines = []
    for c in conflicts(config.resources, profile):
        asks = f"{c.rule} asks for mem {c.mem_gb} + vram {c.vram} = {c.unified_gb} GB of {c.budget} GB"
        if c.lowered_to is None:
            lines.append(f"{asks}; lower it in {profile}/config.yaml (set-resources)")
        else:
            lines.append(f"{asks}; {profile} lowers mem_gb to {c.lowered_to}")
    lines += [f"{tool} not found: it {why}" for tool, why in TOOLS.items() if shutil.which(tool) is None]
    return lines
