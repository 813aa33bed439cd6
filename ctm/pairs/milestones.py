"""Progress of a source: milestones in the log, and counts as JSON beside its raw file, for the report.

One way for all sources, so that their figures can be compared: items are what the source gives (pairs, or snippets),
hours those of the run under way.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from ctm.files import write_json

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
QUARTERS = (0.25, 0.5, 0.75, 1.0)


class Milestones:
    """Says in the log when a quarter, a half, three quarters and all of the work are done, and how fast it goes."""

    def __init__(self, unit: str = "pairs") -> None:
        self._unit, self._begun = unit, time.monotonic()
        self.passed: list[dict[str, Any]] = []

    def record(self, share: float, items: int, **besides: int) -> None:
        """`share` of the work (0 to 1) is done and gave `items`; `besides` are further counts to be told."""
        while len(self.passed) < len(QUARTERS) and share >= QUARTERS[len(self.passed)]:
            speed = self._speed(items)
            name = f"{QUARTERS[len(self.passed)]:.0%}"
            self.passed.append({"milestone": name, "items": items, **besides, **speed})
            counted = [f"{items} {self._unit}", *(f"{number} {what}" for what, number in besides.items())]
            log.info(
                "milestone %s: %s after %.2f h, %d %s/h",
                name, ", ".join(counted), speed["hours"], speed["items_per_hour"], self._unit,
            )  # fmt: skip

    def write(self, path: Path | None, items: int, figures: dict[str, Any]) -> None:
        """Write the counts of a source (`figures`), its speed and the milestones it passed; nothing without a path."""
        if path is not None:
            speed = {"unit": self._unit, "items": items, **self._speed(items)}
            content = {"format_version": FORMAT_VERSION, **speed, **figures, "milestones": self.passed}
            write_json(path, content, end="")

    def _speed(self, items: int) -> dict[str, float]:
        hours = max(time.monotonic() - self._begun, 1e-9) / 3600
        return {"hours": round(hours, 4), "items_per_hour": round(items / hours)}
