"""Attention of a tick to the code: one query a sample, keys and values made once a thought.

Notable: plain matmul-softmax-matmul with the softmax in float32; for a single query it is as fast as fused attention
and runs on every device.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

MASKED = -1e4  # not -inf: a row of -inf is NaN, and bfloat16 and ONNX Runtime agree on this one


def product_dtype(x: Tensor) -> torch.dtype:
    """Type in which matrix products of x run: autocast's where it is on, x's own else."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


class Attention(nn.Module):
    """Multi-head attention split in two: `remember` once, `step` at every tick."""

    def __init__(self, query: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(query, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def remember(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Keys [B, heads, d/heads, N] and values [B, heads, N, d/heads] of h [B, N, d]."""
        batch, cells, width = h.shape
        key, value = self.key_value(self.norm(h)).chunk(2, dim=-1)
        key = key.view(batch, cells, self.heads, width // self.heads).permute(0, 2, 3, 1)
        value = value.view(batch, cells, self.heads, width // self.heads).transpose(1, 2)
        return key.contiguous(), value.contiguous()

    def step(self, sync: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        """What the query of sync [B, n] reads, [B, d]; mask [B, N] is 0 on cells and MASKED on padding."""
        batch = sync.shape[0]
        query = self.query(sync).view(batch, self.heads, 1, -1)
        scores = (query @ key) / math.sqrt(query.shape[-1])
        wide = scores if scores.dtype == torch.float64 else scores.float()
        weights = torch.softmax(wide + mask[:, None, None, :], dim=-1).to(value.dtype)
        return self.out((weights @ value).view(batch, -1))
