"""How the analyses of a trained model are made: of its ticks, and of its synchronization."""

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


@dataclass(frozen=True)
class SynchronizationSettings:
    """Synchronization analysis."""

    seed: int = 0
    """Draws the items, shuffles labels, draws control pairs and the weights of the untrained model."""
    items: int = 3000
    """Test items that are thought about, categories in equal shares."""
    folds: int = 5
    """Parts of the projects; a probe is tested on the part that it did not learn from."""
    fewest: int = 30
    """Items of a category, or of any other group, below which nothing is said of it."""
    ticks: int = 16
    """Ticks at which categories are probed, evenly from the first to the last."""
    random_labels: int = 99
    """Times that each probe is fitted to shuffled labels; p cannot be below 1 / (1 + this)."""
    ablated: int = 500
    """Items on which pairs are ablated."""
    patched: int = 5000
    """Test items that are searched for twins, whose thoughts are patched; about one in eight is one."""
    shown: int = 40
    """Pairs in the heatmaps, those that matter most."""
    dpi: int = 150
    """Resolution of the heatmaps, dots per inch."""
    device: str = "auto"
    """"auto" (CUDA or ROCm, MPS, else CPU) or a torch device."""

    def __post_init__(self) -> None:
        """Refuse numbers that leave nothing to analyze."""
        for name, least in (
            ("items", 1),
            ("ablated", 1),
            ("folds", 2),
            ("fewest", 2),
            ("ticks", 1),
            ("patched", 1),
            ("shown", 1),
        ):
            value = getattr(self, name)
            if value < least:
                raise ValueError(f"synchronization.{name} is {value}; it must be at least {least}")
