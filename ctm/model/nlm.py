"""Neuron-level models: each neuron has an MLP of its own over its last M pre-activations (paper, section 3.3).

Notable: the weights lie as [D, outputs, inputs] and the trace as [D, M, B], so a tick is one batched matrix product
per layer with nothing copied; the einsum of [B, D, M] with [M, 2H, D] copies D small matrices at every tick.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Keeps the variance through a layer and its gate (a * sigmoid(b) has about 0.29 of a's). With the usual small weights
# post-activations start near 0.03, their products near 0.001, and the ticks hardly learn.
GATED_GAIN = 1.85


class NeuronLinear(nn.Module):
    """One private linear layer per neuron: [D, inputs, B] -> [D, outputs, B]."""

    def __init__(self, neurons: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = GATED_GAIN * math.sqrt(3 / inputs)
        self.weight = nn.Parameter(torch.empty(neurons, outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(neurons, outputs, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, self.weight, x)


class NeuronLevelModels(nn.Module):
    """Trace [D, M, B] -> post-activations [B, D], at least float32.

    "deep": M -> 2H, gated to H, -> 2, gated to 1; "linear": M -> 2, gated to 1. Each output is divided by a learned
    temperature of its layer.
    """

    def __init__(self, neurons: int, memory: int, hidden: int, kind: str, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        sizes = [(memory, 2 * hidden), (hidden, 2)] if kind == "deep" else [(memory, 2)]
        self.layers = nn.ModuleList(NeuronLinear(neurons, i, o) for i, o in sizes)
        self.temperature = nn.Parameter(torch.ones(len(sizes)))

    def forward(self, trace: Tensor) -> Tensor:
        x = self.dropout(trace)
        for number, layer in enumerate(self.layers):
            x = F.glu(layer(x) / self.temperature[number], dim=1)
        return x.squeeze(1).transpose(0, 1)
