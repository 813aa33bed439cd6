"""The synapse: a U-Net over the width that mixes all neurons into the next pre-activations (paper, section 3.2)."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn


def _layer(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.SiLU())


def widths(neurons: int, minimum: int, depth: int) -> list[int]:
    """Widths of the U-Net's levels, from D down to `minimum` (or D, if that is less) in `depth` even steps."""
    return [int(width) for width in torch.linspace(neurons, min(minimum, neurons), depth)]


class Synapse(nn.Module):
    """[B, inputs] -> pre-activations [B, D].

    Widths fall evenly from D to `minimum` in `depth` layers and rise again, each rise adding the layer of equal width
    from the way down and normalizing the sum. Depth 1 is one gated layer.
    """

    def __init__(self, inputs: int, neurons: int, depth: int, minimum: int, dropout: float) -> None:
        super().__init__()
        if depth < 1:
            raise ValueError(f"model: synapse_depth is {depth}; it must be at least 1")
        self.depth = depth
        if depth == 1:
            self.first: nn.Module = nn.Sequential(
                nn.Dropout(dropout), nn.Linear(inputs, 2 * neurons), nn.GLU(), nn.LayerNorm(neurons)
            )
            return
        steps = list(itertools.pairwise(widths(neurons, minimum, depth)))
        self.first = nn.Sequential(nn.Linear(inputs, neurons), nn.LayerNorm(neurons), nn.SiLU())
        self.down = nn.ModuleList(_layer(wide, narrow, dropout) for wide, narrow in steps)
        self.up = nn.ModuleList(_layer(narrow, wide, dropout) for wide, narrow in steps)
        self.skip = nn.ModuleList(nn.LayerNorm(wide) for wide, _ in steps)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        if self.depth == 1:
            return x
        levels = []
        for layer in self.down:
            levels.append(x)
            x = layer(x)
        for layer, norm, level in zip(reversed(self.up), reversed(self.skip), reversed(levels), strict=True):
            x = norm(layer(x) + level)
        return x
