"""Milestones of a collection: when a quarter, a half, three quarters and all of it are done, and how fast it goes."""

from __future__ import annotations

import logging
import time
from typing import Any

log = logging.getLogger(__name__)
QUARTERS = (0.25, 0.5, 0.75, 1.0)


class Milestones:
    """Says them in the log as they are passed, and keeps them for the counts.

    `wanted` pairs are asked for (0: as many as there are) of `parts` that come one after the other, `name`d in the
    plural ("repositories"): whichever is further counts.
    """

    def __init__(self, wanted: int, parts: int, name: str) -> None:
        self._wanted, self._parts, self._name, self._begun = wanted, parts, name, time.monotonic()
        self.passed: list[dict[str, Any]] = []

    def at(self, pairs: int, parts: int) -> None:
        """So much has been collected."""
        hours = max(time.monotonic() - self._begun, 1e-9) / 3600
        done = max(pairs / self._wanted if self._wanted else 0.0, parts / self._parts)
        for quarter in QUARTERS[len(self.passed) :]:
            if done < quarter:
                break
            rate = round(pairs / hours)
            self.passed.append(
                {"milestone": f"{quarter:.0%}", "pairs": pairs, self._name: parts, "hours": round(hours, 4),
                 "pairs_per_hour": rate}
            )  # fmt: skip
            log.info(
                "milestone %.0f%%: %d pairs of %d %s after %.2f h, %d pairs/h",
                100 * quarter, pairs, parts, self._name, hours, rate,
            )  # fmt: skip
