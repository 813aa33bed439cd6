"""What every tick of every item said, as arrays, from the per-item results of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ctm.pairs.overall import OVERALL, averages


@dataclass(frozen=True, eq=False)
class TickTable:
    """n items and T ticks. An item that the model was not asked about (out of scope) is right at no tick."""

    category: NDArray[np.str_]
    """[n]."""
    kind: NDArray[np.str_]
    """[n]."""
    projects: list[str]
    """Of every item, "" for none."""
    right: NDArray[np.bool_]
    """[n, T]."""
    certainty: NDArray[np.float32]
    """[n, T]; NaN of an item that was not asked about."""
    has_ticks: NDArray[np.bool_]
    """[n], whether the model was asked about the item."""

    @property
    def ticks(self) -> int:
        """T."""
        return self.right.shape[1]

    def overall(self, values: NDArray[np.generic]) -> float | None:
        """Mean of values [n] over kinds and categories, clean code apart; None where only clean code was tested."""
        mean = averages(self.category, self.kind, values.astype(np.float64)).get(OVERALL)
        return None if mean is None else float(mean)


def tick_table(items: pd.DataFrame) -> TickTable | None:
    """Of rows of ctm.evaluation.items; None where the model was asked about none of them."""
    has_ticks = items["tick_right"].notna().to_numpy(dtype=np.bool_)
    if not has_ticks.any():
        return None
    thought = items[has_ticks]
    said = np.stack(thought["tick_right"].to_list()).astype(np.bool_)
    right = np.zeros((len(items), said.shape[1]), dtype=np.bool_)
    right[has_ticks] = said
    certainty = np.full(right.shape, np.nan, dtype=np.float32)
    certainty[has_ticks] = np.stack(thought["tick_certainty"].to_list())
    category, kind = (items[name].to_numpy(dtype=np.str_) for name in ("category", "kind"))
    projects = items["project"].fillna("").astype(str).to_list()
    return TickTable(category, kind, projects, right, certainty, has_ticks)
