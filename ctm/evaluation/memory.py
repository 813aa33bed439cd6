"""Bytes that autograd saves for backward: counted storage by storage, and by the formula of docs/memory.md.

The formula has one line a module, so that a module which keeps more than it should shows as a difference. All
counts are bytes of float32; a whole training step adds weights, gradients and the two moments of AdamW.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ctm.model.config import CTMConfig
from ctm.model.model import CTM
from ctm.model.synapse import widths

FLOAT = 4
STATES = 4
"""Numbers a weight costs in a training step: itself, its gradient and AdamW's two moments (Muon has one)."""


@dataclass(frozen=True)
class SavedBytes:
    """Bytes that are kept for a backward pass."""

    fixed: float
    """By the encoding, whatever the number of ticks."""
    tick: float
    """By each tick."""

    def total(self, ticks: int) -> float:
        return self.fixed + ticks * self.tick


def formula(c: CTMConfig, batch: int, cells: int) -> SavedBytes:
    """Bytes kept for `batch` samples padded to `cells` cells (docs/memory.md)."""
    sample = cells * sum(encoding_floats(c).values()) + sum(start_floats(c).values())
    once = sum(inputs * outputs + outputs for inputs, outputs in _neuron_layers(c)) * c.neurons
    decays = 3 * (c.action_pairs + c.out_pairs)  # one row for all samples
    return SavedBytes(
        FLOAT * (batch * sample + once), FLOAT * (batch * sum(tick_floats(c, cells).values()) + decays)
    )


def encoding_floats(c: CTMConfig) -> dict[str, float]:
    """Floats that each part of the encoding keeps for one cell of one sample."""
    d = c.width
    return {
        "distances and masks": 8,
        "convolution": (c.kernel + 3) * d + 2,
        "attention blocks": c.blocks * (15 * d + c.heads + 4),
        "last norm": d + 2,
        "keys and values": 3 * d + 2,
        "keys of the copies": d,
    }


def start_floats(c: CTMConfig) -> dict[str, float]:
    """Floats that the start of a thought keeps for one sample, whatever its cells and ticks."""
    return {
        "trace before the first tick": c.neurons * c.memory,
        "first sums": c.action_pairs + 3 * c.out_pairs,
    }


def tick_floats(c: CTMConfig, cells: int) -> dict[str, float]:
    """Floats that each part of a tick keeps for one sample."""
    d = c.width
    return {
        "action synchronization": 4 * c.action_pairs,
        "attention": 2 * d + c.heads * cells,
        "synapse": _synapse_floats(c),
        "neuron-level models": c.neurons,  # a slice of the trace: the rest is made anew in backward
        "out synchronization": 4 * c.out_pairs,
        "pointers and certainty": 4 * d + 4 * cells + 1,
    }


def _synapse_floats(c: CTMConfig) -> float:
    """Input of each linear layer, of each norm (with mean and deviation), and of each SiLU or GLU."""
    inputs = c.width + c.neurons
    if c.synapse_depth == 1:
        return inputs + 3 * c.neurons + 2
    kept = inputs + 2 * c.neurons + 2
    for wide, narrow in itertools.pairwise(widths(c.neurons, c.synapse_minimum, c.synapse_depth)):
        kept += wide + 2 * narrow + 2  # down
        kept += narrow + 3 * wide + 4  # up, and the norm of the sum
    return kept


def _neuron_layers(c: CTMConfig) -> list[tuple[int, int]]:
    """(inputs, outputs) of a neuron's layers: their weights, divided by the temperatures, are kept once a thought."""
    return [(c.memory, 2 * c.nlm_hidden), (c.nlm_hidden, 2)] if c.nlm == "deep" else [(c.memory, 2)]


def weight_bytes(model: nn.Module) -> int:
    """Bytes of the weights alone."""
    return sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())


class _Made(TorchDispatchMode):
    """Notes every storage that is made, without keeping it."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = operation(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                self.made.setdefault(storage._cdata, (StorageWeakRef(storage), storage.nbytes()))
        return result


def saved_bytes(model: CTM, inputs: dict[str, Tensor], ticks: int) -> int:
    """Bytes that a thought holds until its backward pass, what it says included, weights and inputs not.

    Counted storage by storage, so it is the same on every machine. What autograd saves is not enough: the trace, and
    keys and values, are held by functions of our own (`ctm.model.shared_gradients`).
    """
    given = itertools.chain(model.parameters(), model.buffers(), inputs.values())
    own = {tensor.untyped_storage()._cdata for tensor in given}
    with torch.enable_grad(), _Made() as mode:
        thought = model(**inputs, ticks=ticks)
    alive = sum(size for at, (there, size) in mode.made.items() if at not in own and not there.expired())
    del thought
    return alive


def measured(model: CTM, inputs: dict[str, Tensor], few: int, many: int) -> SavedBytes:
    """Fixed part and bytes a tick, from thoughts of two lengths."""
    short, long = (saved_bytes(model, inputs, ticks) for ticks in (few, many))
    tick = (long - short) / (many - few)
    return SavedBytes(short - few * tick, tick)


def peak_on_gpu(model: CTM, inputs: dict[str, Tensor], ticks: int) -> int:
    """Peak bytes of forward and backward of a thought on the GPU, weights and gradients included.

    Leaves the model where it was. Raises RuntimeError without a GPU.
    """
    device = next(model.parameters()).device
    try:
        model.cuda()
        there = {name: value.cuda() for name, value in inputs.items()}
        torch.cuda.reset_peak_memory_stats()
        thought = model(**there, ticks=ticks)
        (thought.pointers.mean() + thought.certainty.mean()).backward()
        torch.cuda.synchronize()
        return int(torch.cuda.max_memory_allocated())
    finally:
        model.zero_grad(set_to_none=True)
        model.to(device)
