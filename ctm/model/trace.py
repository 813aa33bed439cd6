"""The trace of all ticks in one buffer [D, M + T, B]; backward recomputes the neuron-level models from it.

A tick writes one slice and reads the M newest as a view; what a tick keeps for its backward pass is nothing
but its place. Backward makes the hidden layer anew from the same view, and adds to one buffer of gradients for the
trace and one for the weights (`ctm.model.shared_gradients`), so memory grows with D a tick, not with D x M.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ctm.model.shared_gradients import SharedGradients, gradient_root


@dataclass(frozen=True)
class TraceBuffer:
    """Where a thought stands in its buffer; `step` hands on the next place, the buffer stays."""

    sums: _TraceGradients
    handle: Tensor
    """Carries the order of ticks through autograd, see `ctm.model.shared_gradients`."""
    place: int
    """Ticks done."""

    @staticmethod
    def allocate(
        start: Tensor, weights: Sequence[Tensor], batch: int, ticks: int, dtype: torch.dtype, dropout: float
    ) -> TraceBuffer:
        """start: [D, M]. weights: of each layer [D, outputs, inputs] and bias [D, outputs, 1]. dtype: of products."""
        sums = _TraceGradients(start, weights, batch, ticks, dtype, dropout)
        return TraceBuffer(sums, gradient_root(sums, start, *weights), 0)

    def step(self, pre: Tensor) -> tuple[TraceBuffer, Tensor]:
        """The trace after one more tick and post-activations [B, D] in pre's type, from pre-activations [B, D]."""
        handle, post = _TraceStep.apply(self.handle, pre, self.sums, self.place)
        return replace(self, handle=handle, place=self.place + 1), post


class _TraceGradients(SharedGradients):
    """The buffer, the weights, and the gradients of both as backward meets them."""

    def __init__(
        self,
        start: Tensor,
        weights: Sequence[Tensor],
        batch: int,
        ticks: int,
        dtype: torch.dtype,
        dropout: float,
    ) -> None:
        neurons, self.memory_length = start.shape
        self.dropout = dropout
        # a buffer of the products' own type: what the matrix product would round is rounded once, when written
        self.buffer = torch.empty(
            neurons, self.memory_length + ticks, batch, dtype=dtype, device=start.device
        )
        self.buffer[:, : self.memory_length] = start.detach()[:, :, None]
        self.weights = [weight.detach().to(dtype) for weight in weights]
        self.wide = [weight.dtype for weight in weights]
        self.trace_gradient = torch.empty(0)
        self.weight_gradients: list[Tensor] = []

    def window(self, place: int) -> Tensor:
        """The M newest pre-activations of the tick at `place`, a view [D, M, B]."""
        return self.buffer[:, place + 1 : place + 1 + self.memory_length]

    def layers(self, x: Tensor) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Inputs and ungated outputs of each layer, and the last gated output [D, 1, B], from x [D, M, B]."""
        inputs, ungated = [], []
        for weight, bias in zip(self.weights[::2], self.weights[1::2], strict=True):
            inputs.append(x)
            ungated.append(torch.baddbmm(bias, weight, x))
            x = F.glu(ungated[-1], dim=1)
        return inputs, ungated, x

    def add(self, place: int, keep: Tensor | None, gradient: Tensor) -> Tensor:
        """Add what the post-activations' gradient [D, 1, B] gives; returns that of the tick's own slice, [B, D]."""
        if self.is_new_pass():
            self.trace_gradient = torch.zeros(self.buffer.shape, dtype=self.wide[0], device=gradient.device)
            self.weight_gradients = [
                torch.zeros(weight.shape, dtype=wide, device=gradient.device)
                for weight, wide in zip(self.weights, self.wide, strict=True)
            ]
        window = self.window(place)
        inputs, ungated, _ = self.layers(window if keep is None else window * keep)
        for number in reversed(range(len(inputs))):
            gradient = torch.ops.aten.glu_backward(gradient, ungated[number], 1)
            of_weight, of_bias = self.weight_gradients[2 * number : 2 * number + 2]
            of_bias += gradient.sum(dim=2, keepdim=True)
            if of_weight.dtype == gradient.dtype:
                of_weight.baddbmm_(gradient, inputs[number].transpose(1, 2))
            else:
                of_weight += gradient @ inputs[number].transpose(1, 2)
            gradient = self.weights[2 * number].transpose(1, 2) @ gradient
        self.trace_gradient[:, place + 1 : place + 1 + self.memory_length] += (
            gradient if keep is None else gradient * keep
        )
        return self.trace_gradient[:, place + self.memory_length].t()

    def totals(self) -> tuple[Tensor | None, ...]:
        """Gradients of `start` [D, M] and of each weight."""
        return self.trace_gradient[:, : self.memory_length].sum(dim=2), *self.weight_gradients


class _TraceStep(torch.autograd.Function):
    """handle, pre [B, D] -> handle, post [B, D]. Saves no tensor (with dropout: which inputs were kept)."""

    @staticmethod
    def forward(
        ctx: Any, handle: Tensor, pre: Tensor, sums: _TraceGradients, place: int
    ) -> tuple[Tensor, Tensor]:
        sums.buffer[:, place + sums.memory_length] = pre.t()
        window, keep = sums.window(place), None
        if sums.dropout:
            keep = (torch.rand_like(window) >= sums.dropout) / (1 - sums.dropout)
            window = window * keep
        ctx.sums, ctx.place, ctx.keep, ctx.dtype = sums, place, keep, pre.dtype
        return torch.zeros_like(handle), sums.layers(window)[2].squeeze(1).t().to(pre.dtype, copy=True)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        after, post = gradients
        sums: _TraceGradients = ctx.sums
        pre = sums.add(ctx.place, ctx.keep, post.t().unsqueeze(1).to(sums.buffer.dtype))
        return after, pre.to(ctx.dtype), None, None
