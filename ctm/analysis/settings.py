"""How the analysis of the ticks is drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AnalysisSettings:
    """Iteration analysis, and the thought that is drawn."""

    groups: int = 5
    """Groups of equal size by length, for ticks by difficulty."""
    dpi: int = 150
    """Resolution of the plot, dots per inch."""
    thought_frames: int = 16
    """Most frames of the animation of a thought; of more ticks, as many are shown, evenly spaced."""
