"""The table of energy: watt-hours and cost by phase, from what the jobs' supervisor measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ctm.pipeline.ledger import Entry, that_ran
from ctm.pipeline.phases import PHASES, phase_of
from ctm.pipeline.tables import Block, rows

MISSING = "not available"
NOTE = (
    "As far as the machine counts energy (docs/dashboard.md): processors by RAPL, accelerators by their driver, each "
    "divided among the jobs that used it at the same time. The power supply, fans and disks are in no counter. Failed "
    "attempts are in it: they cost as much."
)
HEAD = ("phase", "attempts", "hours", "processor, Wh", "accelerator, Wh", "measured by", "cost")


@dataclass(frozen=True)
class PhaseUse:
    """What the jobs of a phase used, all attempts; None: not available."""

    phase: str
    jobs: int
    hours: float
    cpu_wh: float | None
    gpu_wh: float | None
    metered: int
    """Jobs whose energy is known; what the others used is in no sum."""
    sources: Sequence[str]

    @property
    def wh(self) -> float | None:
        """Of processor and accelerator, as far as they are known."""
        known = [one for one in (self.cpu_wh, self.gpu_wh) if one is not None]
        return sum(known) if known else None


def by_phase(entries: Sequence[Entry]) -> list[PhaseUse]:
    """A line for each phase that anything ran of, and one of all together."""
    ran = that_ran(entries)
    phases = {name: [e for e in ran if phase_of(e.rule) == n] for n, name in PHASES.items()}
    lines = [_use(name, jobs) for name, jobs in phases.items() if jobs]
    return [*lines, _use("All phases", ran)] if lines else []


def energy_block(entries: Sequence[Entry], price: float | None = None, currency: str = "") -> Block | None:
    """A table; None where the run has no ledger. price: of a kilowatt-hour; without one the costs are left out."""
    lines = by_phase(entries)
    if not lines:
        return None
    if price is None:
        return Block("Energy", NOTE, rows(HEAD[:-1], [row[:-1] for row in cost_rows(lines, 0.0, "")]))
    note = f"{NOTE} Cost at {price:g} {currency} a kilowatt-hour."
    return Block("Energy", note, rows(HEAD, cost_rows(lines, price, currency)))


def cost_rows(lines: Sequence[PhaseUse], price: float, currency: str) -> list[list[Any]]:
    """Rows under HEAD."""
    return [
        [
            line.phase,
            line.jobs,
            f"{line.hours:.2f}",
            _wh(line.cpu_wh),
            _wh(line.gpu_wh),
            _measured_by(line),
            MISSING if line.wh is None else f"{line.wh / 1000 * price:.2g} {currency}",
        ]
        for line in lines
    ]


def _use(name: str, entries: Sequence[Entry]) -> PhaseUse:
    measured = [entry.used["energy"] for entry in entries if entry.used.get("energy")]
    return PhaseUse(
        name,
        len(entries),
        sum(entry.used.get("seconds") or 0.0 for entry in entries) / 3600,
        _sum([one.get("cpu_wh") for one in measured]),
        _sum([one.get("gpu_wh") for one in measured]),
        len(measured),
        sorted({one.get("source", "") for one in measured}),
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _wh(value: float | None) -> str:
    return MISSING if value is None else f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"


def _measured_by(line: PhaseUse) -> str:
    if not line.metered:
        return "no counter that could be read"
    of = "" if line.metered == line.jobs else f", {line.metered} of {line.jobs} jobs"
    return f"{'; '.join(line.sources)}{of}"
