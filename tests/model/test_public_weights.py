"""Weights in the public layout, converted, think what the public forward pass thinks: synchronization and gradients.

The forward pass is written anew here, from hand-made tiny state dicts and one sample at a time: keys and values
projected at every tick, neuron by neuron, as the public code orders it.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ctm.model.config import CTMConfig
from ctm.model.model import CTM
from ctm.model.public_weights import ConversionError, from_public, load_public, public_sizes, to_public
from ctm.model.weights import load_weights, save_weights

DEEP, WIDTH, HEADS, MEMORY, HIDDEN, TICKS, CELLS = 20, 8, 2, 3, 2, 5, 6
VARIANTS = {
    "random-pairing with self pairs": {"pairing": "random-pairing", "action": 7, "out": 9, "depth": 3, "deep": True},
    "first-last": {"pairing": "first-last", "action": 4, "out": 5, "depth": 2, "deep": True},
    "random": {"pairing": "random", "action": 3, "out": 4, "depth": 4, "deep": True},
    "one layer, linear": {"pairing": "random-pairing", "action": 6, "out": 6, "depth": 1, "deep": False},
}  # fmt: skip


def make_public(
    pairing: str, action: int, out: int, depth: int, deep: bool, narrow: int = 16
) -> dict[str, Tensor]:
    """A state dict with the names and shapes that the public code's own `state_dict()` has; random values."""
    draw = torch.Generator().manual_seed(7)
    made: dict[str, Tensor] = {}

    def random(name: str, *shape: int, around: float = 0.0, size: float = 0.5) -> None:
        made[name] = around + size * torch.randn(shape, generator=draw, dtype=torch.float64)

    def linear(name: str, inputs: int, outputs: int) -> None:
        random(f"{name}.weight", outputs, inputs)
        random(f"{name}.bias", outputs)

    def norm(name: str, size: int) -> None:
        random(f"{name}.weight", size, around=1.0, size=0.2)
        random(f"{name}.bias", size, size=0.2)

    random("start_activated_state", DEEP)
    random("start_trace", DEEP, MEMORY)
    for name, count in (("action", action), ("out", out)):
        made[f"decay_params_{name}"] = 2 * torch.rand(pairs_of(pairing, count), generator=draw).double()
        left, right = torch.randint(DEEP, (2, count), generator=draw)
        if pairing == "random-pairing":
            right[:2] = left[:2]
        if pairing == "first-last":
            left = right = torch.arange(count) if name == "out" else torch.arange(DEEP - count, DEEP)
        made[f"{name}_neuron_indices_left"], made[f"{name}_neuron_indices_right"] = left, right
    linear("kv_proj.0", 5, WIDTH)  # a task's own: features to the width of the attention
    norm("kv_proj.1", WIDTH)
    linear("q_proj", pairs_of(pairing, action), WIDTH)
    random("attention.in_proj_weight", 3 * WIDTH, WIDTH)
    random("attention.in_proj_bias", 3 * WIDTH)
    linear("attention.out_proj", WIDTH, WIDTH)
    if depth == 1:
        linear("synapses.1", WIDTH + DEEP, 2 * DEEP)
        norm("synapses.3", DEEP)
    else:
        widths = [int(DEEP + (narrow - DEEP) * k / (depth - 1)) for k in range(depth)]
        linear("synapses.first_projection.0", WIDTH + DEEP, DEEP)
        norm("synapses.first_projection.1", DEEP)
        for k in range(depth - 1):
            linear(f"synapses.down_projections.{k}.1", widths[k], widths[k + 1])
            norm(f"synapses.down_projections.{k}.2", widths[k + 1])
            linear(f"synapses.up_projections.{k}.1", widths[k + 1], widths[k])
            norm(f"synapses.up_projections.{k}.2", widths[k])
            norm(f"synapses.skip_lns.{k}", widths[k])
    sizes = [(MEMORY, 2 * HIDDEN), (HIDDEN, 2)] if deep else [(MEMORY, 2)]
    for k, (inputs, outputs) in enumerate(sizes):
        random(f"trace_processor.0.{2 * k}.w1", inputs, outputs, DEEP, size=1.0)
        random(f"trace_processor.0.{2 * k}.b1", 1, DEEP, outputs)
        made[f"trace_processor.0.{2 * k}.T"] = torch.tensor([1.3 - 0.5 * k], dtype=torch.float64)
    linear("output_projector.0", pairs_of(pairing, out), 3)  # a task's own
    return made


def pairs_of(pairing: str, count: int) -> int:
    return count if pairing == "random-pairing" else count * (count + 1) // 2


class Public:
    """The public forward pass from kv_proj.1 to the output synchronization; a sample, a neuron, a pair at a time."""

    def __init__(self, weights: dict[str, Tensor], pairing: str) -> None:
        self.w, self.pairing = weights, pairing

    def linear(self, name: str, x: Tensor) -> Tensor:
        return self.w[f"{name}.weight"] @ x + self.w[f"{name}.bias"]

    def norm(self, name: str, x: Tensor) -> Tensor:
        spread = ((x - x.mean()) ** 2).mean()
        return (x - x.mean()) / torch.sqrt(spread + 1e-5) * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def forward(self, features: Tensor, ticks: int) -> Tensor:
        """S_out [T, n] from what kv_proj.0 gives for one sample, [N, d]."""
        kv = [self.norm("kv_proj.1", row) for row in features]
        trace = [self.w["start_trace"][:, k] for k in range(MEMORY)]
        z = self.w["start_activated_state"]
        sums = {"out": self.add("out", z, None), "action": None}
        said = []
        for _ in range(ticks):
            sums["action"] = self.add("action", z, sums["action"])
            read = self.attend(self.linear("q_proj", self.ratio(sums["action"])), kv)
            trace = [*trace[1:], self.synapses(torch.cat([read, z]))]
            z = torch.stack([self.neuron(n, torch.stack([past[n] for past in trace])) for n in range(DEEP)])
            sums["out"] = self.add("out", z, sums["out"])
            said.append(self.ratio(sums["out"]))
        return torch.stack(said)

    def add(self, name: str, z: Tensor, before: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
        left, right = (self.w[f"{name}_neuron_indices_{side}"].tolist() for side in ("left", "right"))
        if self.pairing == "random-pairing":
            product = torch.stack([z[i] * z[j] for i, j in zip(left, right, strict=True)])
        else:
            product = torch.stack([z[i] * z[j] for k, i in enumerate(left) for j in right[k:]])
        if before is None:
            return product, torch.ones_like(product)
        keep = torch.exp(-self.w[f"decay_params_{name}"])
        return keep * before[0] + product, keep * before[1] + 1

    @staticmethod
    def ratio(sums: tuple[Tensor, Tensor]) -> Tensor:
        return sums[0] / torch.sqrt(sums[1])

    def attend(self, query: Tensor, kv: list[Tensor]) -> Tensor:
        """Multi-head attention of torch: three projections in one matrix, then heads, then out_proj."""
        weight, bias = self.w["attention.in_proj_weight"], self.w["attention.in_proj_bias"]
        query = weight[:WIDTH] @ query + bias[:WIDTH]
        keys = [weight[WIDTH : 2 * WIDTH] @ row + bias[WIDTH : 2 * WIDTH] for row in kv]
        values = [weight[2 * WIDTH :] @ row + bias[2 * WIDTH :] for row in kv]
        size, read = WIDTH // HEADS, []
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            scores = torch.stack([(query[part] * key[part]).sum() / math.sqrt(size) for key in keys])
            share = torch.exp(scores - scores.max()) / torch.exp(scores - scores.max()).sum()
            read.append(sum(s * value[part] for s, value in zip(share, values, strict=True)))
        return self.linear("attention.out_proj", torch.cat(read))

    def synapses(self, x: Tensor) -> Tensor:
        if "synapses.1.weight" in self.w:
            return self.norm("synapses.3", gated(self.linear("synapses.1", x)))
        levels = [self.layer("synapses.first_projection", 0, x)]
        depth = sum(name.startswith("synapses.skip_lns") for name in self.w) // 2
        for k in range(depth):
            levels.append(self.layer(f"synapses.down_projections.{k}", 1, levels[-1]))
        x = levels[-1]
        for k in reversed(range(depth)):
            x = self.norm(
                f"synapses.skip_lns.{k}", self.layer(f"synapses.up_projections.{k}", 1, x) + levels[k]
            )
        return x

    def layer(self, name: str, place: int, x: Tensor) -> Tensor:
        x = self.norm(f"{name}.{place + 1}", self.linear(f"{name}.{place}", x))
        return x / (1 + torch.exp(-x))

    def neuron(self, number: int, history: Tensor) -> Tensor:
        x = history
        for k in (0, 2):
            if f"trace_processor.0.{k}.w1" in self.w:
                weight, bias = (
                    self.w[f"trace_processor.0.{k}.w1"][:, :, number],
                    self.w[f"trace_processor.0.{k}.b1"],
                )
                x = gated((x @ weight + bias[0, number]) / self.w[f"trace_processor.0.{k}.T"])
        return x[0]


def gated(x: Tensor) -> Tensor:
    half = len(x) // 2
    return x[:half] / (1 + torch.exp(-x[half:]))


class Features(nn.Module):
    """In place of the backbone: h is given."""

    def __init__(self, h: Tensor) -> None:
        super().__init__()
        self.h = h

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.h


def make_core(public: dict[str, Tensor], h: Tensor) -> CTM:
    """A CTM of the sizes of `public` whose encoder gives h."""
    sizes = {**public_sizes(public), "heads": HEADS, "ticks": TICKS, "vocabulary": 10}
    model = CTM(CTMConfig(**sizes)).double()
    model.backbone = Features(h)  # type: ignore[assignment]
    return model.eval()


def inputs_for(batch: int) -> dict[str, Tensor]:
    cells = torch.zeros(batch, CELLS, dtype=torch.int64)
    lengths = torch.full((batch,), CELLS)
    return {"tokens": cells, "rows": cells, "cols": cells, "lengths": lengths, "diagnosis": cells[:, :2]}


@pytest.mark.parametrize("variant", VARIANTS)
def test_converted_core_thinks_and_learns_as_the_public_forward_pass(variant: str) -> None:
    """Outputs of every tick, and gradients of the public parameters through the conversion, to 1e-10."""
    public = {
        name: value.requires_grad_() if value.is_floating_point() else value
        for name, value in make_public(**VARIANTS[variant]).items()
    }
    features = torch.randn(2, CELLS, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    model = make_core(public, features)
    core = from_public(public, model.config)
    ours = torch.func.functional_call(model, core, kwargs=inputs_for(2)).readout
    theirs = torch.stack(
        [Public(public, VARIANTS[variant]["pairing"]).forward(row, TICKS) for row in features]
    )
    assert ours.shape == theirs.shape and theirs.std() > 0.05, "something is thought"
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)

    weight = torch.randn(ours.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    asked = {name: value for name, value in public.items() if value.requires_grad and not outside(name)}
    mine = torch.autograd.grad((weight * ours).sum(), asked.values())
    wanted = torch.autograd.grad((weight * theirs).sum(), asked.values())
    for name, one, other in zip(asked, mine, wanted, strict=True):
        assert other.abs().max() > 1e-6, f"{name} gets no gradient: the comparison says nothing about it"
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-10, msg=lambda text, n=name: f"{n}: {text}")


def outside(name: str) -> bool:
    return name.startswith(("kv_proj.0", "output_projector"))


@torch.no_grad()
@pytest.mark.parametrize("variant", VARIANTS)
def test_there_and_back(variant: str, tmp_path: Path) -> None:
    """Loaded, saved as ours, read, turned back: a public state dict that thinks the same."""
    public = make_public(**VARIANTS[variant])
    features = torch.randn(1, CELLS, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    model = make_core(public, features)
    other = CTM(model.config).double()
    load_public(other, public)
    save_weights(tmp_path / "core.safetensors", other)
    config, tensors = load_weights(tmp_path / "core.safetensors")
    core = CTM(config).double()
    core.load_state_dict(tensors)
    back = to_public(core)
    assert {name for name in public if not outside(name)} == set(back)
    again = from_public(back, core.config)
    for name, value in again.items():
        assert torch.equal(value, core.state_dict()[name]), name
    wanted = Public(public, VARIANTS[variant]["pairing"]).forward(features[0], TICKS)
    torch.testing.assert_close(
        Public(back, "random-pairing").forward(features[0], TICKS), wanted, rtol=0, atol=1e-10
    )


@torch.no_grad()
def test_decays_are_taken_as_the_public_code_clamps_them() -> None:
    public = make_public(**VARIANTS["first-last"])
    public["decay_params_out"][:2] = torch.tensor([-0.3, 40.0], dtype=torch.float64)
    model = make_core(public, torch.zeros(1, CELLS, WIDTH, dtype=torch.float64))
    load_public(model, public)
    assert model.sync_out.decay[:2].tolist() == [0.0, 15.0]
    assert torch.equal(model.sync_out.decay[2:], public["decay_params_out"][2:])


def without(name: str):
    return lambda public: public.pop(name)


def shaped(name: str, *shape: int):
    return lambda public: public.update({name: torch.zeros(shape, dtype=public[name].dtype)})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without("trace_processor.0.2.b1"), r"trace_processor\.0\.2\.b1 is missing"),
        (without("synapses.skip_lns.1.bias"), r"synapses\.skip_lns\.1\.bias is missing"),
        (without("kv_proj.1.weight"), r"kv_proj\.1\.weight is missing"),
        (shaped("start_trace", 20, 4), r"start_trace is \[20, 4\], not \[20, 3\]"),
        (shaped("attention.in_proj_weight", 8, 8), r"attention\.in_proj_weight is \[8, 8\], not \[24, 8\]"),
        (
            shaped("out_neuron_indices_left", 5),
            r"out_neuron_indices_left has 5 neurons.*9 pairs need 9 of them",
        ),
        (shaped("out_neuron_indices_right", 8), r"out_neuron_indices_right is \[8\], not \[9\]"),
        (
            lambda public: public.update({"trace_processor.0.0.layernorm.weight": torch.ones(3)}),
            r"has no place for: trace_processor\.0\.0\.layernorm\.weight",
        ),
        (
            lambda public: public.update({f"module.{k}": public.pop(k) for k in list(public)}),
            r"start_activated_state is missing \(there is 'module\.start_activated_state': strip the prefix\)",
        ),
    ],
)
def test_errors_name_the_key(damage, message: str) -> None:
    public = make_public(**VARIANTS["random-pairing with self pairs"])
    config = CTMConfig(**public_sizes(public), heads=HEADS)
    damage(public)
    with pytest.raises(ConversionError, match=message):
        from_public(public, config)


def test_a_deeper_synapse_is_refused_rather_than_cut() -> None:
    public = make_public(**VARIANTS["random"])
    config = CTMConfig(**public_sizes(public), heads=HEADS)
    fewer = dataclasses.replace(config, synapse_depth=3)
    with pytest.raises(ConversionError, match=r"synapses\.down_projections\.1\.1\.weight is \[17, 18\], not"):
        from_public(public, fewer)
