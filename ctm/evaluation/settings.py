"""How the model is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EvaluationSettings:
    """Thresholds and benchmarks."""

    seed: int = 0
    """Draws the items of the validation split and those that get several answers."""
    false_alarms: float = 0.05
    """Largest share of clean validation code that may be edited; chooses the edit threshold."""
    clean_items: int = 800
    """Clean texts of the validation split (clean samples, then fixed sides) that the edit threshold is chosen on."""
    tick_loss: float = 0.005
    """Accuracy that ending thoughts early may lose, in no category more, as a share; chooses the tick threshold."""
    tick_items: int = 800
    """Items of the validation split that the thresholds of ticks and of further edits are chosen on, categories in
    equal shares."""
    ranked_items: int = 150
    """Test items that get ten answers, for exact_at_5 and exact_at_10; 0 for none."""
    precision: str = "float32"
    """Of matrix products: "float32", as the exported model computes, "bfloat16", or "auto" (the faster one)."""
    device: str = "auto"
    """"auto" (CUDA or ROCm, MPS, else CPU) or a torch device."""

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        for name in ("false_alarms", "tick_loss"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f"evaluation.{name} is {value}; it must be a share, 0 <= x < 1")
