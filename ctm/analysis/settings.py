"""How the ticks are analyzed and drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AnalysisSettings:
    """Iteration analysis."""

    groups: int = 5
    """Groups of equal size by length, for ticks by difficulty."""
    scaling_items: int = 1000
    """Test items whose thoughts are followed inside and beyond the trained ticks, categories in equal shares."""
    scaling_ticks: tuple[int, ...] = (8, 16, 32, 48, 64, 128)
    """Numbers of ticks at which their answers are read; the trained number is always among them."""
    control_items: int = 500
    """Of these items those that are thought about with frozen and with shuffled ticks too."""
    losses: tuple[float, ...] = (0.005, 0.01, 0.02, 0.05)
    """Shares of right answers that ending thoughts early may lose; for each a threshold is sought that keeps to it."""
    confidence: float = 0.9
    """How sure it is that a threshold keeps to its loss."""
    dpi: int = 240
    """Resolution of the plots, dots per inch."""

    def __post_init__(self) -> None:
        """Refuse what nothing can be measured with."""
        for name in ("scaling_items", "control_items"):
            if getattr(self, name) < 1:
                raise ValueError(f"analysis.{name} is {getattr(self, name)}; it must be at least 1")
        if any(ticks < 1 for ticks in self.scaling_ticks):
            raise ValueError(f"analysis.scaling_ticks is {list(self.scaling_ticks)}; each must be at least 1")
        if not all(0 < loss < 1 for loss in (*self.losses, self.confidence)):
            raise ValueError("analysis.losses and analysis.confidence must be above 0 and below 1")
