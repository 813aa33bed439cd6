"""How the model is exported and checked."""

from __future__ import annotations

from dataclasses import dataclass

from ctm.bounds import Count, Seed, Share


@dataclass(frozen=True)
class ExportSettings:
    """ONNX and its check."""

    items: Count = 500
    """Pairs of the test set on which onnxruntime must answer what torch does."""
    seed: Seed = 0
    """Draws them."""
    probability_tolerance: Share = 1e-4
    """Largest difference of a candidate's probability."""
    certainty_tolerance: Share = 1e-5
    """Certainties closer than this may choose another tick."""
