"""The CTM against a plain transcription of its equations: one sample, one neuron, one pair at a time, in float64.

The transcription reads the weights by name and shares no code with the model: keys and values are projected at every
tick, a synchronization is the explicit sum over all past ticks, and nothing is padded.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ctm.model.config import CTMConfig
from ctm.model.decoding import STOP, best_units
from ctm.model.model import CTM

SMALL = {
    "vocabulary": 23, "diagnoses": 5, "width": 12, "heads": 2, "kernel": 3, "neurons": 9, "ticks": 4, "memory": 3,
    "nlm_hidden": 2, "synapse_minimum": 4, "action_pairs": 7, "out_pairs": 6, "self_pairs": 2, "units": 3,
}  # fmt: skip
VARIANTS = {
    "deep, U-Net, no block": {"synapse_depth": 4, "blocks": 0},
    "deep, U-Net, two blocks": {"synapse_depth": 3, "blocks": 2},
    "linear, one layer, one block": {"nlm": "linear", "synapse_depth": 1, "blocks": 1, "units": 9},
    "first and last neurons": {"pairing": "first-last", "synapse_depth": 2, "blocks": 1, "kernel": 5},
    "all pairs of two drawn sets": {"pairing": "random", "synapse_depth": 2, "blocks": 0, "neurons": 8},
    "one tick, memory longer than the thought": {"ticks": 1, "memory": 6, "synapse_depth": 4, "blocks": 0},
}


class Plain:
    """Arithmetic of the equations with the weights of a state dict."""

    def __init__(self, weights: dict[str, Tensor], config: CTMConfig) -> None:
        self.w, self.c = weights, config

    def linear(self, name: str, x: Tensor) -> Tensor:
        bias = self.w.get(f"{name}.bias")
        return self.w[f"{name}.weight"] @ x + (0 if bias is None else bias)

    def norm(self, name: str, x: Tensor) -> Tensor:
        centered = x - x.sum() / len(x)
        return (
            centered / torch.sqrt((centered**2).sum() / len(x) + 1e-5) * self.w[f"{name}.weight"]
            + self.w[f"{name}.bias"]
        )

    # --- backbone -----------------------------------------------------------------------------------------------

    def encode(
        self, tokens: list[int], rows: list[int], cols: list[int], cell: int, kind: int
    ) -> list[Tensor]:
        names = ("token", "row", "col", "kind", "distance", "before", "behind")
        table = {n: self.w[f"backbone.{n}.weight"] for n in names}
        x = [
            table["token"][t] + table["row"][r] + table["col"][c] + table["kind"][kind]
            + table["distance"][distance_class(p, cell)]
            + table["before"][gap_class([p - q for q in range(p) if tokens[q] == t])]
            + table["behind"][gap_class([q - p for q in range(p + 1, len(tokens)) if tokens[q] == t])]
            for p, (t, r, c) in enumerate(zip(tokens, rows, cols, strict=True))
        ]  # fmt: skip
        normed = [self.norm("backbone.norm_local", v) for v in x]
        nothing, half = torch.zeros_like(x[0]), self.c.kernel // 2
        for p in range(len(x)):
            near = [normed[q] if 0 <= q < len(x) else nothing for q in range(p - half, p + half + 1)]
            x[p] = x[p] + self.linear("backbone.local", torch.cat(near)).clamp(min=0)
        for number in range(self.c.blocks):
            x = self.block(f"backbone.blocks.{number}", x)
        return [self.norm("backbone.norm", v) for v in x]

    def block(self, name: str, x: list[Tensor]) -> list[Tensor]:
        d, heads = self.c.width, self.c.heads
        size = d // heads
        mixed = [self.linear(f"{name}.query_key_value", self.norm(f"{name}.norm_attention", v)) for v in x]
        read: list[list[Tensor]] = [[] for _ in x]
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            query = [turned(m[:d][part], p) for p, m in enumerate(mixed)]
            key = [turned(m[d : 2 * d][part], p) for p, m in enumerate(mixed)]
            value = [m[2 * d :][part] for m in mixed]
            for p, q in enumerate(query):
                read[p].append(attend(q, key, value))
        x = [v + self.linear(f"{name}.out", torch.cat(r)) for v, r in zip(x, read, strict=True)]
        out = []
        for v in x:
            hidden = self.linear(f"{name}.mlp.0", self.norm(f"{name}.norm_mlp", v)).clamp(min=0)
            out.append(v + self.linear(f"{name}.mlp.2", hidden))
        return out

    # --- a tick -------------------------------------------------------------------------------------------------

    def read(self, sync: Tensor, h: list[Tensor]) -> Tensor:
        d, size = self.c.width, self.c.width // self.c.heads
        query = self.linear("attention.query", sync)
        both = [
            self.linear("attention.key_value", self.norm("attention.norm", v)) for v in h
        ]  # at every tick
        heads = [slice(k * size, (k + 1) * size) for k in range(self.c.heads)]
        return self.linear(
            "attention.out",
            torch.cat([attend(query[s], [b[:d][s] for b in both], [b[d:][s] for b in both]) for s in heads]),
        )

    def synapse(self, x: Tensor) -> Tensor:
        if self.c.synapse_depth == 1:
            return self.norm("synapse.first.3", gated(self.linear("synapse.first.1", x)))
        x = silu(self.norm("synapse.first.1", self.linear("synapse.first.0", x)))
        levels = [x]
        for k in range(self.c.synapse_depth - 1):
            levels.append(
                silu(self.norm(f"synapse.down.{k}.2", self.linear(f"synapse.down.{k}.1", levels[-1])))
            )
        x = levels.pop()
        while levels:
            k = len(levels) - 1
            x = silu(self.norm(f"synapse.up.{k}.2", self.linear(f"synapse.up.{k}.1", x)))
            x = self.norm(f"synapse.skip.{k}", x + levels.pop())
        return x

    def neuron(self, number: int, history: list[Tensor]) -> Tensor:
        """Post-activation of one neuron from its last M pre-activations."""
        x = torch.stack(history)
        for layer in range(2 if self.c.nlm == "deep" else 1):
            weight, bias = (self.w[f"nlm.layers.{layer}.{n}"][number] for n in ("weight", "bias"))
            x = gated((weight @ x + bias[:, 0]) / self.w["nlm.temperature"][layer])
        assert len(x) == 1
        return x[0]

    def synchronization(self, name: str, past: list[Tensor]) -> Tensor:
        """sum_tau e^(-r (t - tau)) z_i z_j / sqrt(sum_tau e^(-r (t - tau))) over the z of `past`, pair by pair."""
        left, right, decay = self.w[f"{name}.left"], self.w[f"{name}.right"], self.w[f"{name}.decay"]
        pairs = []
        for n in range(len(decay)):
            i, j = int(left[n]), int(right[n])
            above, below = torch.zeros_like(decay[n]), torch.zeros_like(decay[n])
            for tau, z in enumerate(past):
                weight = torch.exp(-decay[n] * (len(past) - 1 - tau))
                above, below = above + weight * z[i] * z[j], below + weight
            pairs.append(above / torch.sqrt(below))
        return torch.stack(pairs)

    def think(self, h: list[Tensor]) -> list[tuple[Tensor, Tensor, Tensor]]:
        """(log-probabilities of start and end [2, L+1], certainty, S_out) of every tick."""
        past = [self.w["start_z"]]
        history = [list(row) for row in self.w["start_trace"]]
        said = []
        for _ in range(self.c.ticks):
            action = self.synchronization("sync_action", past)
            pre = self.synapse(torch.cat([self.read(action, h), past[-1]]))
            history = [[*row[1:], a] for row, a in zip(history, pre, strict=True)]
            past.append(torch.stack([self.neuron(n, row) for n, row in enumerate(history)]))
            sync = self.synchronization("sync_out", past)
            pointers = self.point(sync, h)
            entropy = sum(-(torch.exp(p) * p).sum() for p in pointers) / 2
            said.append((pointers, 1 - entropy / math.log(len(h)), sync))
        return said

    def point(self, sync: Tensor, h: list[Tensor]) -> Tensor:
        d = self.c.width
        query = self.linear("pointers.query", sync)
        keys = [self.linear("pointers.key", v) for v in h]
        return torch.stack(
            [
                log_softmax([(query[s] * k[s]).sum() / math.sqrt(d) for k in keys])
                for s in (slice(d), slice(d, 2 * d))
            ]
        )

    # --- the replacement ----------------------------------------------------------------------------------------

    def units(self, sync: Tensor, h: list[Tensor], tokens: list[int], start: int, end: int) -> list[Tensor]:
        """Log-probabilities of each slot over the vocabulary, then over copies of the word at each cell."""
        d = self.c.width
        said = []
        for slot in range(self.c.units):
            x = self.linear("units.thought", sync) + self.linear("units.place", torch.cat([h[start], h[end]]))
            x = x + self.w["units.slot.weight"][slot]
            hidden = gelu(self.linear("units.hidden.1", self.norm("units.hidden.0", x)))
            state = self.norm("units.norm", x + self.linear("units.hidden.3", hidden))
            logits = list(
                self.w["backbone.token.weight"] @ self.linear("units.token", state) + self.w["units.bias"]
            )
            query = self.linear("units.copy_query", state)
            for cell, token in zip(h, tokens, strict=True):
                allowed = bool(self.w["units.starts_word"][token])
                copy = (query * self.linear("units.copy_key", cell)).sum() / math.sqrt(d)
                logits.append(copy if allowed else torch.tensor(-1e4, dtype=torch.float64))
            said.append(log_softmax(logits))
        return said


def distance_class(place: int, cell: int) -> int:
    if cell < 0:
        return 0
    steps = abs(place - cell)
    size = steps if steps < 16 else 16 + min(7, int(math.log2(steps / 16)))
    return 25 + (size if place >= cell else -size)


def gap_class(gaps: list[int]) -> int:
    """Of the distances to the same token on one side."""
    return 1 + min(10, int(math.log2(min(gaps)))) if gaps else 0


def turned(x: Tensor, place: int) -> Tensor:
    """Rotary position: component k turns with component k + size/2."""
    half = len(x) // 2
    out = [torch.zeros_like(x[0])] * len(x)
    for k in range(half):
        angle = place * 10_000.0 ** (-2 * k / len(x))
        out[k] = x[k] * math.cos(angle) - x[k + half] * math.sin(angle)
        out[k + half] = x[k + half] * math.cos(angle) + x[k] * math.sin(angle)
    return torch.stack(out)


def attend(query: Tensor, keys: list[Tensor], values: list[Tensor]) -> Tensor:
    weights = torch.exp(log_softmax([(query * k).sum() / math.sqrt(len(query)) for k in keys]))
    return torch.stack([w * v for w, v in zip(weights, values, strict=True)]).sum(0)


def log_softmax(logits: list[Tensor]) -> Tensor:
    x = torch.stack(logits)
    top = x.max().detach()
    return x - top - torch.log(torch.exp(x - top).sum())


def silu(x: Tensor) -> Tensor:
    return x / (1 + torch.exp(-x))


def gated(x: Tensor) -> Tensor:
    half = len(x) // 2
    return x[:half] / (1 + torch.exp(-x[half:]))


def gelu(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


# --- the comparison -------------------------------------------------------------------------------------------------

LENGTHS = (8, 5, 39)  # the last one is long enough for far distances to the diagnosed cell


def make_model(variant: str) -> CTM:
    torch.manual_seed(3)
    model = CTM(CTMConfig(**{**SMALL, **VARIANTS[variant]})).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(
                torch.rand_like(parameter)
                if name.endswith("decay")
                else parameter + 0.2 * torch.randn_like(parameter)
            )
        model.units.starts_word[5::2] = True  # never PAD, as with a real tokenizer
    return model.eval()


def make_inputs(model: CTM) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(5)
    shape = (len(LENGTHS), max(LENGTHS) + 3)
    inputs = {
        "tokens": torch.randint(model.config.vocabulary, shape, generator=draw),
        "rows": torch.randint(64, shape, generator=draw),
        "cols": torch.randint(48, shape, generator=draw),
    }
    lengths = torch.tensor(LENGTHS)
    inputs["tokens"] *= (
        torch.arange(shape[1]) < lengths[:, None]
    )  # PAD = 0 behind the cells, as `collate` makes it
    return {**inputs, "lengths": lengths, "diagnosis": torch.tensor([[3, 2], [-1, 0], [38, 4]])}


def plain_thoughts(model: CTM, weights: dict[str, Tensor], inputs: dict[str, Tensor]):
    """For each sample the transcription, the encoding and what every tick says."""
    for number, length in enumerate(LENGTHS):
        cells = [inputs[n][number, :length].tolist() for n in ("tokens", "rows", "cols")]
        plain = Plain(weights, model.config)
        h = plain.encode(*cells, *inputs["diagnosis"][number].tolist())
        yield number, length, plain, h, plain.think(h)


@pytest.mark.parametrize("variant", VARIANTS)
def test_outputs_and_gradients_equal_the_equations(variant: str) -> None:
    """Pointers, certainty, synchronization and replacement of every tick, and the gradient of each parameter."""
    model = make_model(variant)
    inputs = make_inputs(model)
    leaves = {
        k: v.detach().clone().requires_grad_(v.is_floating_point()) for k, v in model.state_dict().items()
    }
    draw = torch.Generator().manual_seed(7)
    ours, theirs = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)

    def compare(mine: Tensor, wanted: Tensor, what: str) -> None:
        """Equal to 1e-10; both enter one random weighted sum, whose gradients are compared at the end."""
        nonlocal ours, theirs
        assert torch.allclose(mine, wanted, rtol=0, atol=1e-10), (
            f"{what}: {(mine - wanted).abs().max():.2e} apart"
        )
        weight = torch.randn(mine.shape, generator=draw, dtype=torch.float64)
        ours, theirs = ours + (weight * mine).sum(), theirs + (weight * wanted).sum()

    thought = model(**inputs)
    spans = torch.tensor([[0, 7], [2, 2], [30, 38]])
    for number, length, plain, h, said in plain_thoughts(model, leaves, inputs):
        for tick, (pointers, certainty, sync) in enumerate(said):
            place = f"sample {number} tick {tick}"
            compare(thought.pointers[number, tick, :, :length], pointers, f"pointers, {place}")
            compare(thought.certainty[number, tick], certainty, f"certainty, {place}")
            compare(thought.readout[number, tick], sync, f"synchronization, {place}")
        slots = model.units.slots(thought.readout[:, -1], thought.encoding.h, spans[:, :1], spans[:, 1:])[
            :, 0
        ]
        vocabulary = model.units.vocabulary(slots, model.backbone.token.weight)
        copies = model.units.copies(slots, thought.encoding.copies, thought.encoding.tokens)
        log_p = torch.log_softmax(torch.cat([vocabulary, copies], dim=-1), dim=-1)[number]
        wanted = plain.units(
            said[-1][2], h, inputs["tokens"][number, :length].tolist(), *spans[number].tolist()
        )
        possible = torch.stack(wanted) > -1e3
        units = log_p[:, : possible.shape[1]]
        compare(units[possible], torch.stack(wanted)[possible], f"units of sample {number}")
        assert torch.allclose(log_p.exp().sum(1), units.exp().sum(1)), "a cell of padding can be copied"
    ours.backward()
    theirs.backward()
    for name, parameter in model.named_parameters():
        wanted = leaves[name].grad
        assert wanted is not None and parameter.grad is not None, f"{name} has no part in the thought"
        assert torch.allclose(parameter.grad, wanted, rtol=1e-10, atol=1e-9), (
            f"gradient of {name}: {(parameter.grad - wanted).abs().max():.2e} apart"
        )
        if name != "sync_action.decay" or model.config.ticks > 1:  # one term in the sum: its weight cancels
            assert wanted.abs().max() > 0, (
                f"{name} receives no gradient: the comparison says nothing about it"
            )


@torch.no_grad()
@pytest.mark.parametrize("variant", ["deep, U-Net, two blocks", "linear, one layer, one block"])
def test_best_units_are_the_likeliest_of_the_equations(variant: str) -> None:
    """The greedy replacement and its probability, up to and with the first STOP."""
    model = make_model(variant)
    model.units.bias[STOP] += 1.2  # so that STOP comes up
    inputs = make_inputs(model)
    thought = model(**inputs)
    spans = torch.tensor([[[0, 0], [1, 7]], [[4, 4], [0, 2]], [[9, 11], [38, 38]]])
    certain = torch.full((3, 2), 1e4)
    units, log_p = best_units(model, thought.readout[:, -1], thought.encoding, spans, certain, 1)
    units, log_p = units[:, :, 0], log_p[:, :, 0]
    stopped = 0
    for number, length, plain, h, said in plain_thoughts(model, model.state_dict(), inputs):
        tokens = inputs["tokens"][number, :length].tolist()
        for k, span in enumerate(spans[number].tolist()):
            total = 0.0
            for slot, row in enumerate(plain.units(said[-1][2], h, tokens, *span)):
                assert int(units[number, k, slot]) == int(row.argmax())
                total += float(row.max())
                if int(row.argmax()) == STOP:
                    stopped += 1
                    break
            assert float(log_p[number, k]) == pytest.approx(total, abs=1e-10)
    assert 0 < stopped < 6, "the answers should end in STOP here and run to the last slot there"
