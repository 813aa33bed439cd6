"""How the analyses of a trained model are made: of its ticks, and of its synchronization."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_DPI, MOST_DPI = 10, 1200
"""Below these a plot has no room for its letters; beyond, it is a picture of gigabytes that no page can show."""
MOST_TICKS = 4096
"""Every item thinks for the longest number of ticks asked for."""
MOST_SEED = 2**32 - 1
"""What the random numbers of scikit-learn begin with."""


@dataclass(frozen=True)
class AnalysisSettings:
    """Iteration analysis, and the thought that is drawn."""

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
    thought_frames: int = 16
    """Most frames of the animation of a thought; of more ticks, as many are shown, evenly spaced;
    1: the last one. The tick that answers is always shown."""

    def __post_init__(self) -> None:
        """Refuse what nothing can be measured with."""
        for name in ("groups", "scaling_items", "control_items", "thought_frames"):
            if getattr(self, name) < 1:
                raise ValueError(f"analysis.{name} is {getattr(self, name)}; it must be at least 1")
        _check_dpi("analysis", self.dpi)
        if not all(1 <= ticks <= MOST_TICKS for ticks in self.scaling_ticks):
            raise ValueError(
                f"analysis.scaling_ticks is {list(self.scaling_ticks)}; each must be 1 to {MOST_TICKS:,}"
            )
        if not all(0 < loss < 1 for loss in (*self.losses, self.confidence)):
            raise ValueError("analysis.losses and analysis.confidence must be above 0 and below 1")


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
            ("seed", 0),
            ("items", 1),
            ("ablated", 1),
            ("folds", 2),
            ("fewest", 2),
            ("ticks", 1),
            ("random_labels", 1),
            ("patched", 1),
            ("shown", 1),
        ):
            value = getattr(self, name)
            if value < least:
                raise ValueError(f"synchronization.{name} is {value}; it must be at least {least}")
        if self.seed > MOST_SEED:
            raise ValueError(f"synchronization.seed is {self.seed}; it must be at most {MOST_SEED:,}")
        _check_dpi("synchronization", self.dpi)


def _check_dpi(section: str, dpi: int) -> None:
    if not LEAST_DPI <= dpi <= MOST_DPI:
        raise ValueError(f"{section}.dpi is {dpi}; it must be {LEAST_DPI} to {MOST_DPI:,}")
