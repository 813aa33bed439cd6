"""Gradients of tensors that all ticks use, summed once per backward pass instead of once per tick.

Autograd adds a whole gradient to keys, values and weights after every tick; with 64 ticks that moves more
memory than the arithmetic does. Here a tick only notes its part with a `SharedGradients`, and the root, which runs when
all ticks have, returns the totals. A handle (a scalar 0) carries the order: root -> tick -> ... -> loss, and back.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class SharedGradients:
    """Gradients of shared tensors as they come in during one backward pass."""

    _pass = -1

    def is_new_pass(self) -> bool:
        """Whether this is the first call of a backward pass; what an earlier one left must be forgotten then.

        A pass that asks for a part of the gradients only (`torch.autograd.grad`) never reaches the root.
        """
        before, self._pass = self._pass, torch._C._current_graph_task_id()
        return before != self._pass

    def totals(self) -> tuple[Tensor | None, ...]:
        """One gradient for each tensor that `gradient_root` was given, in its order."""
        raise NotImplementedError


class _Root(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sums: SharedGradients, *tensors: Tensor) -> Tensor:
        ctx.sums = sums
        return tensors[0].new_zeros(())

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> tuple[Any, ...]:
        return (None, *ctx.sums.totals())


def gradient_root(sums: SharedGradients, *tensors: Tensor) -> Tensor:
    """The handle that ticks are given: whoever uses it is waited for before `sums.totals()` become gradients.

    `sums` must hold the tensors detached, and never the handle: that would be a cycle which is not collected.
    """
    return _Root.apply(sums, *tensors)


def needs_gradient(*tensors: Tensor) -> bool:
    """Whether a backward pass can follow."""
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
