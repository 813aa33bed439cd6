"""The buffer of a thought and the gradients that are made once: against autograd on plain tensors, in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ctm.model.attention import Attention, KeyValues
from ctm.model.config import CTMConfig
from ctm.model.model import CTM
from ctm.model.nlm import NeuronLevelModels
from ctm.model.trace import TraceBuffer

NEURONS, MEMORY, BATCH, TICKS = 3, 4, 2, 6


def neurons(kind: str, dropout: float = 0.0) -> NeuronLevelModels:
    torch.manual_seed(1)
    model = NeuronLevelModels(NEURONS, MEMORY, 2, kind, dropout).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return model


def think(model: NeuronLevelModels, trace: Tensor | TraceBuffer, drive: Tensor) -> Tensor:
    """Post-activations [T, B, D] of ticks whose pre-activations depend on what came before, as in the CTM."""
    post, said = torch.zeros_like(drive[0]), []
    for push in drive:
        trace, post = model.step(trace, torch.tanh(push + 0.7 * post.roll(1, dims=1)))
        said.append(post)
    return torch.stack(said)


def both(model: NeuronLevelModels, loss: Callable[[Tensor], Tensor]) -> list[list[Tensor]]:
    """Gradients of the drive, the start and all parameters, with the buffer and with plain tensors."""
    draw = torch.Generator().manual_seed(4)
    found = []
    for buffered in (True, False):
        draw.manual_seed(4)
        drive, start = (
            torch.randn(shape, generator=draw, dtype=torch.float64, requires_grad=True)
            for shape in ((TICKS, BATCH, NEURONS), (NEURONS, MEMORY))
        )
        model.zero_grad()
        begun = model.allocate(start, BATCH, TICKS) if buffered else start[:, :, None].expand(-1, -1, BATCH)
        value = loss(think(model, begun, drive))
        value.backward()
        gradients = [drive.grad, start.grad, *(p.grad for p in model.parameters())]
        assert all(g is not None for g in gradients)
        found.append([value.detach(), *(g.clone() for g in gradients if g is not None)])
    return found


@pytest.mark.parametrize("kind", ["deep", "linear"])
@pytest.mark.parametrize("loss", [
    lambda post: (post**2).sum(),
    lambda post: post[2].sum(),  # later ticks have no part in it
    lambda post: post[1, 0, 0] + (post[4] ** 3).sum(),
], ids=["all ticks", "an early tick", "two ticks"])  # fmt: skip
def test_gradients_equal_those_of_plain_tensors(kind: str, loss: Callable[[Tensor], Tensor]) -> None:
    buffered, plain = both(neurons(kind), loss)
    for ours, wanted in zip(buffered, plain, strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["deep", "linear"])
def test_gradcheck(kind: str) -> None:
    model = neurons(kind)
    drive = torch.randn(3, BATCH, NEURONS, dtype=torch.float64, requires_grad=True)
    start = torch.randn(NEURONS, MEMORY, dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in model.named_parameters()]

    def function(drive: Tensor, start: Tensor, *parameters: Tensor) -> Tensor:
        return torch.func.functional_call(
            _Thought(model), {f"model.{n}": p for n, p in zip(names, parameters, strict=True)}, (drive, start)
        )

    assert torch.autograd.gradcheck(function, (drive, start, *model.parameters()))


class _Thought(torch.nn.Module):
    def __init__(self, model: NeuronLevelModels) -> None:
        super().__init__()
        self.model = model

    def forward(self, drive: Tensor, start: Tensor) -> Tensor:
        return think(self.model, self.model.allocate(start, BATCH, len(drive)), drive)


def test_gradients_add_up_over_two_thoughts() -> None:
    """Accumulation: a second thought adds to what the first left, and a graph can be walked twice."""
    model = neurons("deep")
    drive = torch.randn(TICKS, BATCH, NEURONS, dtype=torch.float64)
    start = torch.randn(NEURONS, MEMORY, dtype=torch.float64)
    loss = think(model, model.allocate(start, BATCH, TICKS), drive).sum()
    loss.backward(retain_graph=True)
    once = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    loss.backward()
    twice = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    for first, second in zip(once, twice, strict=True):
        torch.testing.assert_close(second, 2 * first, rtol=1e-12, atol=1e-12)


def test_a_tick_saves_nothing_but_its_place() -> None:
    model = neurons("deep")
    trace = model.allocate(torch.zeros(NEURONS, MEMORY, dtype=torch.float64), BATCH, TICKS)
    pre = torch.randn(BATCH, NEURONS, dtype=torch.float64, requires_grad=True)
    saved: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        trace.step(pre)
    assert not saved


def test_dropout_drops_inputs_and_its_gradient_is_that_of_what_was_kept() -> None:
    model = neurons("linear", dropout=0.5).train()
    start = torch.randn(NEURONS, MEMORY, dtype=torch.float64)
    pre = torch.randn(BATCH, NEURONS, dtype=torch.float64, requires_grad=True)

    def post(seed: int, x: Tensor) -> Tensor:
        torch.manual_seed(seed)
        return model.step(model.allocate(start, BATCH, 1), x)[1]

    assert not torch.equal(post(0, pre), post(1, pre)), "the draw does not matter"
    assert torch.autograd.gradcheck(lambda x: post(5, x), (pre,))
    model.eval()
    assert torch.equal(post(0, pre), post(1, pre))


def test_gradients_of_keys_and_values_equal_those_of_plain_tensors() -> None:
    """Several queries of one code, with padding; the same as attention over plain tensors at every tick."""
    torch.manual_seed(2)
    attention = Attention(5, 8, 2).double()
    syncs = torch.randn(4, BATCH, 5, dtype=torch.float64)
    mask = torch.tensor([[0.0, 0, 0, 0], [0, 0, -1e4, -1e4]], dtype=torch.float64)
    found = []
    for once in (True, False):
        attention.zero_grad()
        torch.manual_seed(3)
        h = torch.randn(BATCH, 4, 8, dtype=torch.float64, requires_grad=True)
        code = attention.keys_and_values(h)
        assert code.sums is not None
        if not once:
            key, value = attention.key_value(attention.norm(h)).chunk(2, dim=-1)
            code = KeyValues(
                key.view(BATCH, 4, 2, 4).permute(0, 2, 3, 1), value.view(BATCH, 4, 2, 4).transpose(1, 2)
            )
        read = torch.stack([attention.step(sync, code, mask) for sync in syncs])
        (read**2).sum().backward()
        found.append([read, h.grad, *(p.grad for p in attention.parameters())])
    for ours, wanted in zip(*found, strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-12, atol=1e-12)


def test_a_pass_that_asks_for_a_part_leaves_nothing_behind() -> None:
    """`torch.autograd.grad` of the last input never reaches the root, whose sums the next pass must not find."""
    model = neurons("deep")
    drive = torch.randn(TICKS, BATCH, NEURONS, dtype=torch.float64, requires_grad=True)
    start = torch.randn(NEURONS, MEMORY, dtype=torch.float64, requires_grad=True)
    loss = think(model, model.allocate(start, BATCH, TICKS), drive).sum()
    (first,) = torch.autograd.grad(loss, drive, retain_graph=True)
    (second,) = torch.autograd.grad(loss, drive, retain_graph=True)
    loss.backward()
    assert torch.equal(first, second) and torch.equal(first, drive.grad)


@pytest.mark.parametrize("several", [1, 2, 5])
def test_checkpointing_changes_memory_and_no_gradient(several: int) -> None:
    """Ticks forgotten and made again write the same slices of the buffer again."""
    torch.manual_seed(6)
    config = CTMConfig(
        vocabulary=30, width=12, heads=2, neurons=9, ticks=5, memory=3, nlm_hidden=2, synapse_minimum=4,
        action_pairs=7, out_pairs=6, self_pairs=2, units=3, dropout=0.2,
    )  # fmt: skip
    model = CTM(config).double().train()
    inputs = {
        "tokens": torch.randint(30, (2, 7)), "rows": torch.zeros(2, 7, dtype=torch.long),
        "cols": torch.arange(7).expand(2, -1), "lengths": torch.tensor([7, 5]),
        "diagnosis": torch.tensor([[2, 1], [-1, 0]]),
    }  # fmt: skip
    found, kept = [], []
    for checkpoint_ticks in (0, several):
        model.checkpoint_ticks = checkpoint_ticks
        model.zero_grad()
        torch.manual_seed(8)  # of dropout
        bytes_kept = 0

        def count(tensor: Tensor) -> Tensor:
            nonlocal bytes_kept
            bytes_kept += tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda t: t):
            loss = (model(**inputs).readout ** 2).sum()
        loss.backward()
        kept.append(bytes_kept)
        found.append([loss.detach(), *(p.grad for p in model.parameters() if p.grad is not None)])
    for ours, wanted in zip(*found, strict=True):
        torch.testing.assert_close(ours, wanted, rtol=1e-12, atol=1e-12)
    assert kept[1] < kept[0]
