"""How the model is measured."""

from __future__ import annotations

from dataclasses import dataclass

from ctm.model.config import Precision


@dataclass(frozen=True)
class WorkingSettings:
    """Working code of projects that never train, on which suggestions are measured."""

    seed: int = 0
    """Seed of the drawing of files."""
    per_project: int = 4000
    """Parts of one project from which on no further file of it is read, so that no project is nearly all there is."""


@dataclass(frozen=True)
class EvaluationSettings:
    """Thresholds and benchmarks."""

    seed: int = 0
    """Draws the items of the validation split and those that get several answers."""
    proposals_per_1000: float = 2.0
    """Most edits that may be proposed per 1,000 functions of working code, at the upper end of an interval; the edit
    threshold is chosen for it."""
    windows: int = 20_000
    """Parts of working code of each held-out split that are looked at for it, in equal shares of the projects."""
    prior: float = 0.005
    """Share of the functions of working code taken to hold a bug that one edit repairs; the probability that a
    suggestion is right stands and falls with it. ManySStuBs4J found one such bug in 1,600 to 2,500 lines."""
    tick_loss: float = 0.005
    """Accuracy that ending thoughts early may lose, in no category more, as a share; chooses the tick threshold."""
    tick_items: int = 800
    """Items of the validation split that the thresholds of ticks and of further edits are chosen on, categories in
    equal shares."""
    confidence_items: int = 3000
    """Syntax errors like real ones that are made of validation code, on which the confidence is fitted."""
    ranked_items: int = 150
    """Test items that get ten answers, for exact_at_5 and exact_at_10; 0 for none."""
    precision: Precision = "float32"
    """Of matrix products: "float32", as the exported model computes, "bfloat16", or "auto" (the faster one)."""
    device: str = "auto"
    """"auto" (CUDA or ROCm, MPS, else CPU) or a torch device."""

    def __post_init__(self) -> None:
        """Refuse shares that are none, and numbers of items below those that mean something."""
        for name, least in (
            ("seed", 0),
            ("windows", 1),
            ("tick_items", 1),
            ("confidence_items", 1),
            ("ranked_items", 0),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"evaluation.{name} is {getattr(self, name)}; it must be {least} or more")
        for name in ("prior", "tick_loss"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f"evaluation.{name} is {value}; it must be at least 0 and below 1")
        if not 0 < self.proposals_per_1000 <= 1000:
            raise ValueError(
                f"evaluation.proposals_per_1000 is {self.proposals_per_1000}; it must be 0 < x <= 1000"
            )


@dataclass(frozen=True)
class ReferenceSettings:
    """What is reached on the frozen test sets without a model, beside the model."""

    seed: int = 0
    """Draws items and training pairs."""
    items: int = 0
    """Items of the test set that are asked about, categories in equal shares; 0: all."""
    pairs: int = 200_000
    """Training pairs that the most frequent edits are counted over."""
    edits: int = 40
    """Edits that the list has, for code that does not compile and for code that does."""

    def __post_init__(self) -> None:
        """Refuse numbers below those that mean something."""
        for name, least in (("seed", 0), ("items", 0), ("pairs", 1), ("edits", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"references.{name} is {getattr(self, name)}; it must be {least} or more")
