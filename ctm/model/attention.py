"""Attention from a tick to the code: one query per sample and tick; keys and values are computed once.

It is plain matmul-softmax-matmul with the softmax in float32; for a single query it is as fast as fused attention
and runs on every device. Gradients of keys and values are one product over all ticks (`ctm.model.shared_gradients`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ctm.model.shared_gradients import SharedGradients, gradient_root, needs_gradient

MASK_VALUE = -1e4  # not -inf: a row of -inf is NaN, and bfloat16 and ONNX Runtime agree on this one


def product_dtype(x: Tensor) -> torch.dtype:
    """Type in which matrix products of x run: autocast's where it is on, x's own else."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


@dataclass(frozen=True)
class KeyValues:
    """Keys and values of a thought, and what collects their gradients where a backward pass can follow."""

    key: Tensor
    """[B, heads, d/heads, N]."""
    value: Tensor
    """[B, heads, N, d/heads]."""
    sums: _KeyValueGradients | None = None
    handle: Tensor | None = None


class Attention(nn.Module):
    """Multi-head attention split in two: `keys_and_values` once, `step` at every tick."""

    def __init__(self, query: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(query, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def keys_and_values(self, h: Tensor) -> KeyValues:
        """Keys and values of h [B, N, d]."""
        batch, cells, width = h.shape
        key, value = self.key_value(self.norm(h)).chunk(2, dim=-1)
        key = key.view(batch, cells, self.heads, width // self.heads).permute(0, 2, 3, 1).contiguous()
        value = value.view(batch, cells, self.heads, width // self.heads).transpose(1, 2).contiguous()
        if not needs_gradient(key, value):
            return KeyValues(key, value)
        sums = _KeyValueGradients(key.detach(), value.detach())
        return KeyValues(sums.key, sums.value, sums, gradient_root(sums, key, value))

    def step(self, sync: Tensor, key_values: KeyValues, mask: Tensor) -> Tensor:
        """What the query of sync [B, n] reads, [B, d]; mask [B, N] is 0 on cells and MASK_VALUE on padding."""
        batch = sync.shape[0]
        query = self.query(sync).view(batch, self.heads, 1, -1)
        if key_values.sums is None:
            read, _ = attend(query, key_values.key, key_values.value, mask)
        else:
            read = _AttentionStep.apply(key_values.handle, query, mask, key_values.sums)
        return self.out(read.view(batch, -1))


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """What [B, heads, 1, d/heads] each query reads, and its weights [B, heads, 1, N], at least float32."""
    scores = (query @ key) / math.sqrt(query.shape[-1])
    wide = scores if scores.dtype == torch.float64 else scores.float()
    weights = torch.softmax(wide + mask[:, None, None, :], dim=-1)
    return weights.to(value.dtype) @ value, weights


class _KeyValueGradients(SharedGradients):
    """What the ticks' backward passes leave for the gradients of key and value."""

    def __init__(self, key: Tensor, value: Tensor) -> None:
        self.key, self.value = key, value
        self.parts: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []

    def totals(self) -> tuple[Tensor | None, ...]:
        query, weights, scores, read = (torch.cat(column, dim=2) for column in zip(*self.parts, strict=True))
        self.parts = []
        return query.transpose(2, 3) @ scores, weights.transpose(2, 3) @ read


class _AttentionStep(torch.autograd.Function):
    """handle, query [B, heads, 1, d/heads] -> what it reads, as `attend`."""

    @staticmethod
    def forward(ctx: Any, handle: Tensor, query: Tensor, mask: Tensor, sums: _KeyValueGradients) -> Tensor:
        read, weights = attend(query, sums.key, sums.value, mask)
        ctx.sums = sums
        ctx.save_for_backward(handle, query, weights)
        return read

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        (read,) = gradients
        handle, query, weights = ctx.saved_tensors
        sums: _KeyValueGradients = ctx.sums
        of_weights = (read @ sums.value.transpose(2, 3)).to(weights.dtype)
        of_scores = weights * (of_weights - (weights * of_weights).sum(dim=-1, keepdim=True))
        of_scores = (of_scores / math.sqrt(query.shape[-1])).to(query.dtype)
        if sums.is_new_pass():
            sums.parts = []
        sums.parts.append((query, weights.to(read.dtype), of_scores, read))
        return torch.zeros_like(handle), of_scores @ sums.key.transpose(2, 3), None, None
