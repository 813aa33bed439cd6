"""The optimizer of a stage and its learning rate.

"muon" (Jordan et al. 2024, `ctm.training.muon`) turns the momentum of each matrix into the nearest orthogonal one,
so that every direction of a layer learns as fast; embeddings, biases, norms and the neurons' private weights stay with
AdamW. Its rate is scaled to what AdamW's updates would measure (arXiv 2502.16982), so that one rate serves both.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from ctm.training.muon import StackedMuon
from ctm.training.settings import StageSettings, TrainingSettings

BETAS = (0.9, 0.98)
MUON_MOMENTUM = 0.95


class CombinedOptimizer:
    """Several optimizers over disjoint parameters as one."""

    def __init__(self, *parts: torch.optim.Optimizer) -> None:
        self.parts = parts

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Groups of all parts."""
        return [group for part in self.parts for group in part.param_groups]

    def set_learning_rate(self, rate: float) -> None:
        """Give every group the learning rate, times its own "factor" if it has one."""
        for group in self.param_groups:
            group["lr"] = rate * group.get("factor", 1.0)

    def allocate(self) -> None:
        """Make all moments, which torch else makes in the middle of the first step: one of rate 0, and counted off.

        Weights and moments are then what they were, and a later step takes no memory that stays.
        """
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)
        self.set_learning_rate(0.0)
        self.step()
        self.zero_grad()
        for part in self.parts:
            for moments in part.state.values():
                for moment in moments.values():
                    moment.zero_()

    def step(self) -> None:
        """One step of each."""
        for part in self.parts:
            part.step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none=set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """Of all parts, for a checkpoint."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What `state_dict` gave."""
        for part, kept in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(kept)


def make_optimizer(model: nn.Module, training: TrainingSettings) -> CombinedOptimizer:
    """AdamW over `parameter_groups`, or Muon and AdamW; `set_learning_rate` before every step (`learning_rate_at`)."""
    if training.optimizer == "adamw":
        groups = parameter_groups(model, training.weight_decay)
        return CombinedOptimizer(torch.optim.AdamW(groups, betas=BETAS, fused=True))
    turned = muon_matrices(model)
    known = {id(matrix) for matrix in turned}
    groups = parameter_groups(model, training.weight_decay)
    for group in groups:
        group["params"] = [p for p in group["params"] if id(p) not in known]
    muon = StackedMuon(turned, training.weight_decay, MUON_MOMENTUM)
    muon.param_groups[0]["factor"] = training.muon_factor
    return CombinedOptimizer(muon, torch.optim.AdamW(groups, betas=BETAS, fused=True))


def muon_matrices(model: nn.Module) -> list[Tensor]:
    """Weights of linear layers: matrices through which activations go, not tables that are looked up."""
    return [module.weight for module in model.modules() if isinstance(module, nn.Linear)]


def parameter_groups(model: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay on matrices; none on norms, biases, decays, start states and embeddings."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in model.named_parameters():
        plain = parameter.ndim < 2 or "start_" in name or "bias" in name or name.endswith("token.weight")
        (others if plain else matrices).append(parameter)
    return [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def learning_rate_at(step: int, steps: int, stage: StageSettings) -> float:
    """Learning rate of a step: linear warm-up, then a cosine down to `final_rate` of the peak."""
    warm = max(1, round(stage.warmup * steps))
    if step < warm:
        return stage.learning_rate * (step + 1) / warm
    along = (step - warm) / max(1, steps - warm)
    return stage.learning_rate * (
        stage.final_rate + (1 - stage.final_rate) * (1 + math.cos(math.pi * along)) / 2
    )
