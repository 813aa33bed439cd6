"""Muon that takes the matrices of one size together; torch.optim.Muon takes them one by one.

A step of torch's calls some 20 small operators for each matrix, and a GPU waits for their launches. Here matrices of
one size (a tall one lies down) are a stack [k, m, n], and momentum, decay and the new weights are one call for all: 266
operators a step of the full model in place of 692 (`benchmarks/run.py muon`, on a CPU, where it is no faster). Formula,
coefficients, scaling and state are torch's: checkpoints of either go on in the other, with results that differ by the
rounding of bfloat16 products. Nothing waits for the device. On a GPU it has not run yet.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


class StackedMuon(torch.optim.Muon):
    """torch.optim.Muon, as it is called with adjust_lr_fn="match_rms_adamw" and Nesterov's momentum."""

    def __init__(self, parameters: Sequence[Tensor], weight_decay: float, momentum: float) -> None:
        super().__init__(
            list(parameters), weight_decay=weight_decay, momentum=momentum, adjust_lr_fn="match_rms_adamw"
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One step for every matrix that has a gradient. Raises ValueError for a closure, which nothing here has."""
        if closure is not None:
            raise ValueError("StackedMuon.step takes no closure: compute the gradients before")
        for group in self.param_groups:
            self._step_group(group)

    def _step_group(self, group: dict[str, Any]) -> None:
        matrices = [p for p in group["params"] if p.grad is not None]
        if not matrices:
            return
        gradients = [p.grad for p in matrices]
        momenta = [self._momentum(p) for p in matrices]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        updates = torch._foreach_lerp(gradients, momenta, group["momentum"])
        torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
        for members in by_size(matrices):
            turned = orthogonalized(
                [updates[i] for i in members], group["ns_coefficients"], group["ns_steps"], group["eps"]
            )
            # what AdamW's updates would measure (arXiv 2502.16982)
            rate = 0.2 * group["lr"] * math.sqrt(max(matrices[members[0]].shape))
            torch._foreach_add_([matrices[i] for i in members], turned, alpha=-rate)

    def _momentum(self, matrix: Tensor) -> Tensor:
        state = self.state[matrix]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        momentum: Tensor = state["momentum_buffer"]
        return momentum


def by_size(matrices: Sequence[Tensor]) -> list[list[int]]:
    """Places of the matrices that have one size, lying or standing; wide ones before tall ones."""
    found: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, matrix in enumerate(matrices):
        found[tuple(sorted(matrix.shape))].append(place)
    return [sorted(places, key=lambda i: _is_tall(matrices[i])) for places in found.values()]


def orthogonalized(
    matrices: Sequence[Tensor], coefficients: tuple[float, float, float], steps: int, eps: float
) -> list[Tensor]:
    """Near-orthogonal matrices to matrices of one size, wide ones first, in their type: Newton-Schulz in bfloat16.

    The iteration of torch.optim.Muon (Jordan et al. 2024), which leaves singular values between about 0.7 and 1.2.
    """
    wide = sum(not _is_tall(m) for m in matrices)
    lying = [m.mT if _is_tall(m) else m for m in matrices]
    # on a CPU a product of two matrices is faster than that of two stacks of one
    x = (lying[0] if len(lying) == 1 else torch.stack(lying)).bfloat16()
    a, b, c = coefficients
    x = x / torch.linalg.vector_norm(x, dim=(-2, -1), keepdim=True).clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.mT
        x = _add_product(x, _add_product(gram, gram, gram, b, c), x, a)
    x = x.to(matrices[0].dtype).reshape(len(matrices), *x.shape[-2:])
    # copied into the order of the weights' own memory, in which one kernel adds all of them
    return [*x[:wide].unbind(), *x[wide:].mT.contiguous().unbind()]


def _add_product(total: Tensor, left: Tensor, right: Tensor, beta: float, alpha: float = 1.0) -> Tensor:
    """beta total + alpha left @ right, of matrices or of stacks of them."""
    add = torch.addmm if total.ndim == 2 else torch.baddbmm
    result: Tensor = add(total, left, right, beta=beta, alpha=alpha)
    return result


def _is_tall(matrix: Tensor) -> bool:
    return matrix.shape[0] > matrix.shape[1]
