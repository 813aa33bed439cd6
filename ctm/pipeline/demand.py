"""What one job of a rule asks of the machine: the table of steps says it at full scale, the config where it differs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from ctm.bounds import Amount, Count, Few, Gigabytes, GigabytesOrNone, GpuPercent

EVERY_OTHER = "default"
"""Key of the config section `resources` that stands for the rules which it does not name."""


@dataclass(frozen=True)
class Demand:
    """What one job of a rule asks for."""

    threads: Few = 1
    """Processor cores."""
    mem_gb: Gigabytes = 1
    """Memory, GB."""
    vram: GigabytesOrNone = 0
    """Memory of the accelerator, GB."""
    gpu_percent: GpuPercent = 0
    """Share of the accelerator, percent."""
    runtime: Count = 60
    """Time limit on a cluster, minutes."""
    disk: Literal["low", "medium", "high", "very high"] = "low"
    """Class of disk traffic; information for a scheduler, no budget."""
    network_mbps: Amount = 0
    """Network traffic, Mbit/s."""


_ADAPTER: TypeAdapter[Demand] = TypeAdapter(Demand)


def demands(
    table: Mapping[str, Demand | None],
    resources: Mapping[str, Demand],
    given: Mapping[str, Mapping[str, Any]],
) -> dict[str, Demand]:
    """What a job of each step asks for: the demands of the table of steps, changed by the config section `resources`.

    resources: the section as checked. given: the same as written, since only what is written changes the table. A value
    is the step's own, else that of "default", else the table's. A step whose demand the table leaves to the config is
    there only if it is named. Names that are no step's stay as they are.
    """
    whole: dict[str, Demand] = {}
    for name, demand in table.items():
        if demand or name in given:
            values = dataclasses.asdict(demand or Demand())
            values |= {**given.get(EVERY_OTHER, {}), **given.get(name, {})}
            whole[name] = _ADAPTER.validate_python(values)
    return whole | {name: resources[name] for name in resources if name not in {*whole, EVERY_OTHER}}
