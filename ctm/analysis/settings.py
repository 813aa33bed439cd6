"""How the analyses of a trained model are made: of its ticks, and of its synchronization."""

from __future__ import annotations

from dataclasses import dataclass

from ctm.bounds import Count, Device, Dpi, Few, Groups, Inside, Seed


@dataclass(frozen=True)
class AnalysisSettings:
    """Iteration analysis, and the thought that is drawn."""

    groups: Few = 5
    """Groups of equal size by length, for ticks by difficulty."""
    scaling_items: Count = 1000
    """Test items whose thoughts are followed inside and beyond the trained ticks, categories in equal shares."""
    scaling_ticks: tuple[Few, ...] = (8, 16, 32, 48, 64, 128)
    """Numbers of ticks at which their answers are read; the trained number is always among them."""
    control_items: Count = 500
    """Of these items those that are thought about with frozen and with shuffled ticks too."""
    losses: tuple[Inside, ...] = (0.005, 0.01, 0.02, 0.05)
    """Shares of right answers that ending thoughts early may lose; for each a threshold is sought that keeps to it."""
    confidence: Inside = 0.9
    """How sure it is that a threshold keeps to its loss."""
    dpi: Dpi = 240
    """Resolution of the plots, dots per inch."""
    thought_frames: Few = 16
    """Most frames of the animation of a thought; of more ticks, as many are shown, evenly spaced;
    1: the last one. The tick that answers is always shown."""


@dataclass(frozen=True)
class SynchronizationSettings:
    """Synchronization analysis."""

    seed: Seed = 0
    """Draws the items, shuffles labels, draws control pairs and the weights of the untrained model."""
    items: Count = 3000
    """Test items that are thought about, categories in equal shares."""
    folds: Groups = 5
    """Parts of the projects; a probe is tested on the part that it did not learn from."""
    fewest: Groups = 30
    """Items of a category, or of any other group, below which nothing is said of it."""
    ticks: Few = 16
    """Ticks at which categories are probed, evenly from the first to the last."""
    random_labels: Count = 99
    """Times that each probe is fitted to shuffled labels; p cannot be below 1 / (1 + this)."""
    ablated: Count = 500
    """Items on which pairs are ablated."""
    patched: Count = 5000
    """Test items that are searched for twins, whose thoughts are patched; about one in eight is one."""
    shown: Count = 40
    """Pairs in the heatmaps, those that matter most."""
    dpi: Dpi = 150
    """Resolution of the heatmaps, dots per inch."""
    device: Device = "auto"
    """"auto" (CUDA or ROCm, MPS, else CPU) or a torch device."""
