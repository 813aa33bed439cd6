"""The optimiser of a stage and its learning rate."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from ctm.training.settings import StageSettings, TrainingSettings


def make_optimiser(model: nn.Module, training: TrainingSettings) -> torch.optim.Optimizer:
    """AdamW over `parameter_groups`; the loop sets its rate before every step (`rate_at`)."""
    groups = parameter_groups(model, training.weight_decay)
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)


def parameter_groups(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay on matrices; none on norms, biases, decays, start states and embeddings."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in model.named_parameters():
        plain = parameter.ndim < 2 or "start_" in name or "bias" in name or name.endswith("token.weight")
        (others if plain else matrices).append(parameter)
    return [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def rate_at(step: int, steps: int, stage: StageSettings) -> float:
    """Learning rate of a step: linear warm-up, then a cosine down to `final_rate` of the peak."""
    warm = max(1, round(stage.warmup * steps))
    if step < warm:
        return stage.learning_rate * (step + 1) / warm
    along = (step - warm) / max(1, steps - warm)
    return stage.learning_rate * (
        stage.final_rate + (1 - stage.final_rate) * (1 + math.cos(math.pi * along)) / 2
    )
