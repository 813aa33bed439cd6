"""Hours, energy and disk of a config, from what a finished run measured: `ctm-pipeline plan`.

Each rule's time in the measured run is multiplied by how much its quantity (scales.py) grows. Nothing is said of a rule
that the run did not have. The specification's own figures stand beside it.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from ctm.pipeline.config import overlay, parse_config
from ctm.pipeline.ledger import Entry, latest
from ctm.pipeline.lineage_records import read_parts
from ctm.pipeline.phases import phase_of
from ctm.pipeline.scales import Quantities, disk_scale_of, jobs_of, scale_of
from ctm.pipeline.sections import Config
from ctm.pipeline.steps import WorkflowStep


@dataclass(frozen=True)
class Specified:
    """What the specification says of a phase."""

    hours: float
    watts: float
    kwh: float
    disk_gb: float | None
    """Raw data and grids, checkpoints, final model; 5 GB of logs are of no phase."""


MEASURED = "measured"
SPECIFICATION: Mapping[int, Specified] = {
    1: Specified(56, 80, 4.5, 245),
    2: Specified(14, 90, 1.3, None),
    3: Specified(90, 115, 10.4, 30),
    4: Specified(20, 100, 2.0, 0.06),
}
PINNED = {"collect_packages": "packages", "collect_releases": "releases"}
"""Rules with a pinned list, and the source whose `pins` it is: a lineage has it as a file, not as a key."""
SPECIFIED_PRICE = 0.15
"""Dollars a kilowatt-hour."""
SPECIFIED_TOTAL = (180, 18.2, 3, 280)
"""Hours, kWh, dollars and GB of the whole, as the specification adds them up."""


@dataclass(frozen=True)
class RuleEstimate:
    """What a rule would take; None where it is not known, and then `basis` says why."""

    rule: str
    hours: float | None
    """Of all its jobs, one after another."""
    longest: float | None
    """Of one job, where all of them run side by side."""
    disk_gb: float | None
    kwh: float | None
    """As measured and scaled like the time; None where the run measured no energy."""
    basis: str
    """"measured", "assumed: …" with the factor, or "not known: …"."""

    @property
    def phase(self) -> int:
        """Of the specification."""
        return phase_of(self.rule)


def estimates(
    config: Config, table: Iterable[WorkflowStep], run: Path | None, entries: Sequence[Entry], root: Path
) -> list[RuleEstimate]:
    """What each rule of `table` would take with `config`, by the `entries` of a finished run's ledger.

    run: its folder, which has the parts of its lineages; None: nothing was measured. Raises ConfigError, OSError.
    """
    jobs = {(entry.rule, entry.wildcards): entry for entry in latest(entries).values()}
    measured: dict[str, list[Entry]] = {}
    for entry in jobs.values():
        measured.setdefault(entry.rule, []).append(entry)
    now = Quantities(config, root)
    before = Quantities(config_of_run(run, list(jobs.values()), root), root) if run and measured else None
    found = [_estimate(step.name, measured.get(step.name, []), now, before) for step in table]
    if all(one.basis == MEASURED or one.hours is None for one in found):
        return found
    return [
        dataclasses.replace(one, basis="assumed: the same")
        if scale_of(one.rule) == "nothing" and one.hours
        else one
        for one in found
    ]


def config_of_run(run: Path, jobs: Sequence[Entry], root: Path) -> Config:
    """The config that a run was built with, from the parts of its lineages.

    What no job of it depended on is as config/config.yaml says: the run should have finished.
    """
    values: dict[str, Any] = yaml.safe_load((root / "config/config.yaml").read_text(encoding="utf-8"))
    for entry in jobs:
        parts = read_parts(run, entry.lineage) or {}
        for path, section in copy.deepcopy(dict(parts.get("config", {}))).items():
            *above, last = path.removesuffix(".*").split(".")
            nested = {last: section}
            for part in reversed(above):
                nested = {part: nested}
            overlay(values, nested)
        if entry.rule in PINNED and parts:
            values["sources"][PINNED[entry.rule]]["pins"] = next(iter(parts["files"]))
    return parse_config(values)


def _estimate(rule: str, jobs: Sequence[Entry], now: Quantities, before: Quantities | None) -> RuleEstimate:
    seconds = [entry.used.get("seconds") for entry in jobs]
    if before is None or not jobs or None in seconds:
        why = "no measured run was named" if before is None else "the measured run has no finished job of it"
        return RuleEstimate(rule, None, None, None, None, f"not known: {why}")
    scale, disk_scale = scale_of(rule), disk_scale_of(rule)
    if scale is None or disk_scale is None:
        return RuleEstimate(
            rule, None, None, None, None, "not known: no quantity of the config tells its size"
        )
    factor, disk_factor = (now.of(name, rule) / before.of(name, rule) for name in (scale, disk_scale))
    hours = sum(second for second in seconds if second is not None) / 3600 * factor
    size = sum(file.size for entry in jobs for file in entry.outputs) / 1e9 * disk_factor
    energy = _wh(jobs)
    basis = MEASURED if factor == 1 else f"assumed: {_times(factor)} what was measured, by {scale}"
    kwh = None if energy is None else energy / 1000 * factor
    return RuleEstimate(rule, hours, hours / jobs_of(rule, now.config), size, kwh, basis)


def _times(factor: float) -> str:
    return f"{factor:,.0f} times" if factor >= 10 else f"{factor:.2g} times"


def _wh(jobs: Sequence[Entry]) -> float | None:
    """Watt-hours of jobs; None where those of one are not available."""
    found = 0.0
    for entry in jobs:
        energy = entry.used.get("energy") or {}
        known = [energy[name] for name in ("cpu_wh", "gpu_wh") if energy.get(name) is not None]
        if not known:
            return None
        found += sum(known)
    return found


def longest_chain(
    estimated: Sequence[RuleEstimate], table: Mapping[str, WorkflowStep]
) -> tuple[float, list[str]]:
    """Hours and rules of the longest chain of rules that wait for each other, each with all of its jobs side by side.

    It is what stays of the time on a machine with any number of the same cores and devices. Rules without a figure
    count for nothing.
    """
    longest: dict[str, tuple[float, list[str]]] = {}
    hours = {one.rule: one.longest or 0.0 for one in estimated}
    parents = {name: [one for one in step.parents if one in table] for name, step in table.items()}
    for name in TopologicalSorter(parents).static_order():
        before = max((longest[one] for one in parents[name]), default=(0.0, []), key=lambda found: found[0])
        longest[name] = before[0] + hours[name], [*before[1], name]
    return max(longest.values(), key=lambda found: found[0])
