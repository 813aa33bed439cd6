"""How the model is measured."""

from __future__ import annotations

from dataclasses import dataclass

from ctm.bounds import Amount, Count, Device, Part, PerThousand, Seed
from ctm.model.config import Precision


@dataclass(frozen=True)
class WorkingSettings:
    """Working code of projects that never train, on which suggestions are measured."""

    seed: Seed = 0
    """Seed of the drawing of files."""
    per_project: Count = 4000
    """Parts of one project from which on no further file of it is read, so that no project is nearly all there is."""


@dataclass(frozen=True)
class EvaluationSettings:
    """Thresholds and benchmarks."""

    seed: Seed = 0
    """Draws the items of the validation split and those that get several answers."""
    proposals_per_1000: PerThousand = 2.0
    """Most edits that may be proposed per 1,000 functions of working code, at the upper end of an interval; the edit
    threshold is chosen for it."""
    windows: Count = 20_000
    """Parts of working code of each held-out split that are looked at for it, in equal shares of the projects."""
    prior: Part = 0.005
    """Share of the functions of working code taken to hold a bug that one edit repairs; the probability that a
    suggestion is right stands and falls with it. ManySStuBs4J found one such bug in 1,600 to 2,500 lines."""
    tick_loss: Part = 0.005
    """Accuracy that ending thoughts early may lose, in no category more, as a share; chooses the tick threshold."""
    tick_items: Count = 800
    """Items of the validation split that the thresholds of ticks and of further edits are chosen on, categories in
    equal shares."""
    confidence_items: Count = 3000
    """Syntax errors like real ones that are made of validation code, on which the confidence is fitted."""
    ranked_items: Amount = 150
    """Test items that get ten answers, for exact_at_5 and exact_at_10; 0 for none."""
    precision: Precision = "float32"
    """Of matrix products: "float32", as the exported model computes, "bfloat16", or "auto" (the faster one)."""
    device: Device = "auto"
    """"auto" (CUDA or ROCm, MPS, else CPU) or a torch device."""


@dataclass(frozen=True)
class ReferenceSettings:
    """What is reached on the frozen test sets without a model, beside the model."""

    seed: Seed = 0
    """Draws items and training pairs."""
    items: Amount = 0
    """Items of the test set that are asked about, categories in equal shares; 0: all."""
    pairs: Count = 200_000
    """Training pairs that the most frequent edits are counted over."""
    edits: Count = 40
    """Edits that the list has, for code that does not compile and for code that does."""
