"""How the analysis of the ticks is drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AnalysisSettings:
    """Iteration analysis."""

    groups: int = 5
    """Groups of equal size by length, for ticks by difficulty."""
    dpi: int = 150
    """Resolution of the plot, dots per inch."""
