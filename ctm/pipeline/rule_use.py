"""What jobs asked for and what they used, rule by rule, from the ledger; and what they should ask for.

A rule's figures are the largest of its jobs, tries that failed included: a demand has to suffice for each of them. A
try that was refused used nothing and is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ctm.pipeline.ledger import Entry, that_ran

HEADROOM = 1.25
"""What suggested memory is a multiple of the peak: samples of a process tree miss short peaks."""
TIME_HEADROOM = 2.0
"""The same of a time limit: a busy machine is slower."""
TOLERANCE = 1.1
"""What mean cores may exceed the declared threads by: interpreters and loaders have threads of their own."""
SHORTEST = 5.0
"""Seconds below which a job's cores and rates say nothing."""


@dataclass(frozen=True)
class Measure:
    """One resource of a rule: what a job declares, and the most that one used; None: not declared, not available."""

    name: str
    """As in section `resources` of the config."""
    declared: float | None
    used: float | None

    @property
    def passed(self) -> bool:
        """Whether a job used more than it had declared."""
        if self.declared is None or self.used is None:
            return False
        return self.used > self.declared * (TOLERANCE if self.name == "threads" else 1)

    @property
    def text(self) -> str:
        """Such as "0.81 of 3"; a dash where it is not known what was used."""
        if self.used is None:
            return "-"
        return f"{self.used:.2g} of {'?' if self.declared is None else f'{self.declared:g}'}"

    @property
    def suggested(self) -> int | None:
        """What to declare, head-room included; None where nothing is known, or what is declared is right.

        Less than is declared is suggested of memory and vram alone, which decide how much runs side by side. Fewer
        threads can change a result, and a shorter time limit only ends jobs.
        """
        if self.used is None or self.declared is None:
            return None
        if self.name in ("mem_gb", "vram"):
            number = math.ceil(self.used * HEADROOM)
            return number if number != self.declared else None
        if not self.passed:
            return None
        if self.name == "threads":
            return math.ceil(self.used)
        return 10 * math.ceil(self.used * (TIME_HEADROOM if self.name == "runtime" else HEADROOM) / 10)


@dataclass(frozen=True)
class RuleUse:
    """A rule, how often it ran, and what its jobs asked for and used."""

    rule: str
    jobs: int
    measures: Sequence[Measure]
    disk: str
    """The class of disk traffic that is declared; a scheduler's information, which no number can pass."""
    disk_mb_per_second: float | None

    @property
    def passed(self) -> list[str]:
        """Names of the resources that a job used more of than it had declared."""
        return [measure.name for measure in self.measures if measure.passed]

    @property
    def suggested(self) -> dict[str, int]:
        """What to declare in section `resources` of the config where it differs from what is declared."""
        return {one.name: one.suggested for one in self.measures if one.suggested is not None}


def rule_uses(entries: Iterable[Entry]) -> list[RuleUse]:
    """One line a rule, in the order in which they first ran."""
    by_rule: dict[str, list[Entry]] = {}
    for entry in that_ran(entries):
        by_rule.setdefault(entry.rule, []).append(entry)
    return [_use(rule, jobs) for rule, jobs in by_rule.items()]


def _use(rule: str, jobs: Sequence[Entry]) -> RuleUse:
    declared = jobs[-1].declared
    used = {
        "threads": _most(_per_second(job, "cpu_seconds") for job in jobs),
        "mem_gb": _most(job.used.get("memory_gb") for job in jobs),
        "vram": _most(job.used.get("vram_gb") for job in jobs),
        "runtime": _most(_minutes(job) for job in jobs),
        "network_mbps": _most(_times(_per_second(job, "network_gb"), 8000) for job in jobs),
    }
    disk = _most(_times(_per_second(job, "read_gb", "written_gb"), 1000) for job in jobs)
    measures = [Measure(name, declared.get(name), value) for name, value in used.items()]
    return RuleUse(rule, len(jobs), measures, str(declared.get("disk") or ""), disk)


def _minutes(job: Entry) -> float | None:
    return _times(job.used.get("seconds"), 1 / 60)


def _per_second(job: Entry, *names: str) -> float | None:
    """Sum of some figures by the time of the job; None where one is not available or the job was too short."""
    seconds, values = job.used.get("seconds"), [job.used.get(name) for name in names]
    if not seconds or seconds < SHORTEST or None in values:
        return None
    return float(sum(value for value in values if value is not None)) / float(seconds)


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _most(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def resources_yaml(uses: Iterable[RuleUse]) -> str:
    """Section `resources` of a config with the suggested numbers; empty where nothing is to be changed."""
    lines = [
        f"  {use.rule}: {{{', '.join(f'{name}: {value}' for name, value in use.suggested.items())}}}"
        for use in uses
        if use.suggested
    ]
    return "\n".join(["resources:", *lines]) + "\n" if lines else ""
