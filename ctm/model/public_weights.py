"""Converts weights between this CTM and the public one: synapse, NLMs, synchronization, attention, initial state.

Their query passes two linear layers (q_proj, then the query rows of attention.in_proj), ours one, so the two
are multiplied; back, the second is the identity. Encoder and output projections are a task's own and stay outside: our
h takes the place of what their kv_proj.0 gives. Layout as in SakanaAI/continuous-thought-machines, models/ctm.py;
docs/public_weights.md has the table. All of it is differentiable, so gradients can be compared too.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ctm.model.config import CTMConfig
from ctm.model.model import CTM
from ctm.model.synapse import widths
from ctm.model.synchronization import LARGEST_DECAY, dense_pairs

CORE = (
    "synapses.", "trace_processor.", "decay_params_", "q_proj.", "kv_proj.1.", "attention.",
    "start_", "action_neuron_", "out_neuron_",
)  # fmt: skip
SETS = {"sync_action": "action", "sync_out": "out"}


class ConversionError(ValueError):
    """A state dict does not have the public layout of these sizes; the message names the keys."""


def load_public(model: CTM, public: Mapping[str, Tensor]) -> None:
    """Put a public state dict into the core of `model`, whose other weights stay. Errors as `from_public`."""
    core = from_public(public, model.config)
    unexpected = model.load_state_dict(core, strict=False).unexpected_keys
    assert not unexpected, unexpected


def public_sizes(public: Mapping[str, Tensor]) -> dict[str, Any]:
    """Sizes of a public state dict, for ModelConfig. Its heads and its ticks are in no tensor: they are not among them.

    Raises ConversionError if a key that tells a size is missing.
    """
    found = _Public(public)
    neurons, memory = found.any("start_trace").shape
    deep = "trace_processor.0.2.w1" in public
    down = sum(f"synapses.down_projections.{k}.1.weight" in public for k in range(len(public)))
    narrow = f"synapses.down_projections.{down - 1}.1.weight"
    pairs = {name: len(found.any(f"decay_params_{name}")) for name in SETS.values()}
    one, other = (found.any(f"out_neuron_indices_{side}") for side in ("left", "right"))
    dense = "first-last" if torch.equal(one, other) else "random"
    return {
        "neurons": neurons,
        "memory": memory,
        "width": len(found.any("q_proj.weight")),
        "nlm": "deep" if deep else "linear",
        "nlm_hidden": found.any("trace_processor.0.0.w1").shape[1] // 2 if deep else CTMConfig.nlm_hidden,
        "synapse_depth": down + 1,
        "synapse_minimum": len(public[narrow]) if down else CTMConfig.synapse_minimum,
        "action_pairs": pairs["action"],
        "out_pairs": pairs["out"],
        "self_pairs": 0,
        "pairing": "random-pairing" if len(one) == pairs["out"] else dense,
    }


def from_public(public: Mapping[str, Tensor], config: CTMConfig) -> dict[str, Tensor]:
    """Entries of a CTM's state dict (synapse, nlm, attention, sync_*, start_*), in the dtype of `public`.

    `config` gives the sizes; its heads must be those that the public model was built with, since no tensor tells them.
    Raises ConversionError for a key that is missing, misshapen, or part of the core and without a counterpart here.
    """
    found = _Public(public)
    c, d = config, config.width
    core: dict[str, Tensor] = {}
    for ours, theirs, shape in _same(c):
        core[ours] = found.take(theirs, shape)
    for layer, (inputs, outputs) in enumerate(_neuron_layers(c)):
        theirs = f"trace_processor.0.{2 * layer}"
        weight = found.take(f"{theirs}.w1", (inputs, outputs, c.neurons))
        core[f"nlm.layers.{layer}.weight"] = weight.permute(2, 1, 0).contiguous()
        core[f"nlm.layers.{layer}.bias"] = found.take(f"{theirs}.b1", (1, c.neurons, outputs)).permute(
            1, 2, 0
        )
    layers = range(len(_neuron_layers(c)))
    core["nlm.temperature"] = torch.cat([found.take(f"trace_processor.0.{2 * k}.T", (1,)) for k in layers])

    weight = found.take("attention.in_proj_weight", (3 * d, d))
    bias = found.take("attention.in_proj_bias", (3 * d,))
    first, offset = found.take("q_proj.weight", (d, c.action_pairs)), found.take("q_proj.bias", (d,))
    core["attention.query.weight"] = (weight[:d].double() @ first.double()).to(weight.dtype)
    core["attention.query.bias"] = (weight[:d].double() @ offset.double() + bias[:d]).to(weight.dtype)
    core["attention.key_value.weight"], core["attention.key_value.bias"] = weight[d:], bias[d:]

    for ours, theirs in SETS.items():
        pairs = c.action_pairs if theirs == "action" else c.out_pairs
        decay = found.take(f"decay_params_{theirs}", (pairs,))
        core[f"{ours}.decay"] = decay.clamp(0, LARGEST_DECAY)  # theirs does so at each forward pass
        core[f"{ours}.left"], core[f"{ours}.right"] = found.pairs(theirs, pairs)
    found.refuse_rest()
    return core


def to_public(model: CTM) -> dict[str, Tensor]:
    """The core of `model` in the public layout, of a model with neuron_select_type "random-pairing".

    `from_public` of it is the same core again. Their query layers are ours and the identity.
    """
    w, c = model.state_dict(), model.config
    public = {theirs: w[ours] for ours, theirs, _ in _same(c)}
    for layer in range(len(_neuron_layers(c))):
        theirs = f"trace_processor.0.{2 * layer}"
        public[f"{theirs}.w1"] = w[f"nlm.layers.{layer}.weight"].permute(2, 1, 0).contiguous()
        public[f"{theirs}.b1"] = w[f"nlm.layers.{layer}.bias"].permute(2, 0, 1).contiguous()
        public[f"{theirs}.T"] = w["nlm.temperature"][layer : layer + 1]
    key_value, bias = w["attention.key_value.weight"], w["attention.key_value.bias"]
    public["q_proj.weight"], public["q_proj.bias"] = w["attention.query.weight"], w["attention.query.bias"]
    public["attention.in_proj_weight"] = torch.cat([torch.eye(c.width).to(key_value), key_value])
    public["attention.in_proj_bias"] = torch.cat([torch.zeros_like(bias[: c.width]), bias])
    for ours, theirs in SETS.items():
        public[f"decay_params_{theirs}"] = w[f"{ours}.decay"]
        for side in ("left", "right"):
            public[f"{theirs}_neuron_indices_{side}"] = w[f"{ours}.{side}"]
    return public


def _same(c: CTMConfig) -> list[tuple[str, str, tuple[int, ...]]]:
    """What both keep alike: our name, theirs, the shape."""
    d, inputs = c.width, c.width + c.neurons
    linears = [("attention.out", "attention.out_proj", d, d)]
    norms = [("attention.norm", "kv_proj.1", d)]
    if c.synapse_depth == 1:
        linears.append(("synapse.first.1", "synapses.1", inputs, 2 * c.neurons))
        norms.append(("synapse.first.3", "synapses.3", c.neurons))
    else:
        sizes = widths(c.neurons, c.synapse_minimum, c.synapse_depth)
        linears.append(("synapse.first.0", "synapses.first_projection.0", inputs, c.neurons))
        norms.append(("synapse.first.1", "synapses.first_projection.1", c.neurons))
        for k, (wide, narrow) in enumerate(itertools.pairwise(sizes)):
            linears.append((f"synapse.down.{k}.1", f"synapses.down_projections.{k}.1", wide, narrow))
            linears.append((f"synapse.up.{k}.1", f"synapses.up_projections.{k}.1", narrow, wide))
            norms.append((f"synapse.down.{k}.2", f"synapses.down_projections.{k}.2", narrow))
            norms.append((f"synapse.up.{k}.2", f"synapses.up_projections.{k}.2", wide))
            norms.append((f"synapse.skip.{k}", f"synapses.skip_lns.{k}", wide))
    table: list[tuple[str, str, tuple[int, ...]]] = [
        ("start_z", "start_activated_state", (c.neurons,)),
        ("start_trace", "start_trace", (c.neurons, c.memory)),
    ]
    for ours, theirs, before, after in linears:
        table.append((f"{ours}.weight", f"{theirs}.weight", (after, before)))
        table.append((f"{ours}.bias", f"{theirs}.bias", (after,)))
    for ours, theirs, size in norms:
        table.extend((f"{ours}.{part}", f"{theirs}.{part}", (size,)) for part in ("weight", "bias"))
    return table


def _neuron_layers(c: CTMConfig) -> list[tuple[int, int]]:
    return [(c.memory, 2 * c.nlm_hidden), (c.nlm_hidden, 2)] if c.nlm == "deep" else [(c.memory, 2)]


class _Public:
    """A state dict in the public layout, which remembers what was asked for."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = tensors
        self.asked: set[str] = set()

    def any(self, name: str) -> Tensor:
        self.asked.add(name)
        if name not in self.tensors:
            near = [key for key in self.tensors if key.endswith(name)]
            hint = f" (there is {near[0]!r}: strip the prefix)" if near else ""
            raise ConversionError(f"public state dict: {name} is missing{hint}")
        return self.tensors[name]

    def take(self, name: str, shape: tuple[int, ...]) -> Tensor:
        tensor = self.any(name)
        if tuple(tensor.shape) != shape:
            raise ConversionError(f"public state dict: {name} is {list(tensor.shape)}, not {list(shape)}")
        return tensor

    def pairs(self, name: str, pairs: int) -> tuple[Tensor, Tensor]:
        """left and right int64 [n]: the buffers themselves ("random-pairing"), or densely paired (the other two)."""
        sides = [f"{name}_neuron_indices_{side}" for side in ("left", "right")]
        one = self.any(sides[0])
        if len(one) == pairs:
            return one, self.take(sides[1], (pairs,))
        if len(one) * (len(one) + 1) // 2 != pairs:
            raise ConversionError(
                f"public state dict: {sides[0]} has {len(one)} neurons; {pairs} pairs need {pairs} of them "
                f"(random-pairing) or k with k (k + 1) / 2 = {pairs} (random, first-last)"
            )
        return dense_pairs(one, self.take(sides[1], (len(one),)))

    def refuse_rest(self) -> None:
        rest = sorted(key for key in self.tensors if key.startswith(CORE) and key not in self.asked)
        if rest:
            raise ConversionError(
                f"public state dict: a model of these sizes has no place for: {', '.join(rest[:4])}"
                + (f" and {len(rest) - 4} more" if len(rest) > 4 else "")
                + "; check synapse_depth and nlm, or drop the keys"
            )
