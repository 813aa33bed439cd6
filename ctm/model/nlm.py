"""Neuron-level models: each neuron has an MLP of its own over its last M pre-activations (paper, section 3.3).

The weights lie as [D, outputs, inputs] and the trace as [D, M, B], so a tick is one batched matrix product
per layer with nothing copied; the einsum of [B, D, M] with [M, 2H, D] copies D small matrices at every tick. Over a
whole thought the trace is one buffer (`ctm.model.trace`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ctm.model.attention import product_dtype
from ctm.model.trace import TraceBuffer

# Keeps the variance through a layer and its gate (a * sigmoid(b) has about 0.29 of a's). With the usual small weights
# post-activations start near 0.03, their products near 0.001, and the ticks hardly learn.
GATED_GAIN = 1.85


class NeuronLinear(nn.Module):
    """The weights of one private linear layer per neuron: [D, inputs, B] -> [D, outputs, B]."""

    def __init__(self, neurons: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = GATED_GAIN * math.sqrt(3 / inputs)
        self.weight = nn.Parameter(torch.empty(neurons, outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(neurons, outputs, 1))


class NeuronLevelModels(nn.Module):
    """Trace [D, M, B] -> post-activations [B, D], at least float32.

    "deep": M -> 2H, gated to H, -> 2, gated to 1; "linear": M -> 2, gated to 1. Each output is divided by a learned
    temperature of its layer.
    """

    def __init__(self, neurons: int, memory_length: int, hidden: int, kind: str, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        sizes = [(memory_length, 2 * hidden), (hidden, 2)] if kind == "deep" else [(memory_length, 2)]
        self.layers = nn.ModuleList(NeuronLinear(neurons, i, o) for i, o in sizes)
        self.temperature = nn.Parameter(torch.ones(len(sizes)))

    def forward(self, trace: Tensor) -> Tensor:
        x = self.dropout(trace)
        for weight, bias, temperature in self._weights():
            x = F.glu(torch.baddbmm(bias, weight, x) / temperature, dim=1)
        return x.squeeze(1).transpose(0, 1)

    def allocate(self, start: Tensor, batch: int, ticks: int) -> TraceBuffer:
        """A buffer for a thought of `ticks` ticks that begins with the trace `start` [D, M]."""
        scaled = [p / temperature for *layer, temperature in self._weights() for p in layer]
        dropout = self.dropout.p if self.training else 0.0
        return TraceBuffer.allocate(start, scaled, batch, ticks, product_dtype(start), dropout)

    def step(self, trace: Tensor | TraceBuffer, pre: Tensor) -> tuple[Tensor | TraceBuffer, Tensor]:
        """The next trace and the post-activations [B, D], from pre-activations [B, D].

        A `TraceBuffer` is written into; a plain tensor [D, M, B] gives a new one, oldest step dropped (use and export).
        """
        if isinstance(trace, TraceBuffer):
            return trace.step(pre)
        trace = torch.cat([trace[:, 1:], pre.t().unsqueeze(1).to(trace.dtype)], dim=1)
        return trace, self(trace)

    def _weights(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Weight, bias and temperature of each layer."""
        for layer, temperature in zip(self.layers, self.temperature.unbind(), strict=True):
            assert isinstance(layer, NeuronLinear)
            yield layer.weight, layer.bias, temperature
