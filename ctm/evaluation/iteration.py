"""Checks that ticks help: a small CTM learns, in seconds, a task that needs more than one look.

Real pairs would show nothing so soon, because the first tick finds most of what a briefly trained model finds.
So the task is made: cells hold a permutation, and the answer is the cell reached from cell 0 by following it twice;
what to look at next is known only after looking. The encoder sees each cell alone, so that it cannot follow either.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor

from ctm.model.config import CTMConfig
from ctm.model.model import CTM, CTMState, TickOutput

CELLS, HOPS, TICKS = 6, 2, 4
STEPS, BATCH, RATE, WARM = 400, 64, 3e-3, 30
TESTED = 512
GAIN = 0.1
"""What the last tick must be ahead of each control. Eight seeds were ahead by 0.18 to 0.72; chance moves it by 0.03."""
SMALL = {
    "vocabulary": CELLS + 1, "diagnoses": 2, "width": 64, "heads": 4, "blocks": 0, "kernel": 1, "neurons": 64,
    "ticks": TICKS, "memory": 4, "nlm_hidden": 4, "synapse_depth": 2, "synapse_minimum": 16, "action_pairs": 128,
    "out_pairs": 128, "self_pairs": 16, "units": 1, "dropout": 0.0,
}  # fmt: skip

StateControl = Callable[[CTMState, CTMState, torch.Generator], CTMState]


def frozen(state: CTMState, start: CTMState, draw: torch.Generator) -> CTMState:
    """Control: neurons and traces stay as they were before the first tick; only the sums go on."""
    return state._replace(z=start.z, trace=start.trace)


def shuffled(state: CTMState, start: CTMState, draw: torch.Generator) -> CTMState:
    """Control: before each tick the steps of every neuron's trace change places, so that their order says nothing."""
    assert isinstance(state.trace, Tensor)
    order = torch.rand(state.trace.shape[:2], generator=draw).argsort(dim=1).to(state.trace.device)
    return state._replace(trace=state.trace.gather(1, order[:, :, None].expand_as(state.trace)))


CONTROLS: dict[str, StateControl] = {"frozen": frozen, "shuffled": shuffled}


def small(config: CTMConfig) -> CTMConfig:
    """A small model of the same kind: its neuron-level models, its pairing."""
    return dataclasses.replace(config, **SMALL)  # type: ignore[arg-type]


def chains(count: int, draw: torch.Generator) -> tuple[dict[str, Tensor], Tensor]:
    """Inputs of `count` samples, and the cell that each chain ends at, int64 [count]."""
    tokens = torch.stack([torch.randperm(CELLS, generator=draw) for _ in range(count)])
    place = torch.zeros(count, 1, dtype=torch.int64)
    for _ in range(HOPS):
        place = tokens.gather(1, place)
    rows = torch.arange(CELLS).expand(count, CELLS).contiguous()
    inputs = {
        "tokens": tokens,
        "rows": rows,
        "cols": torch.zeros_like(rows),
        "lengths": torch.full((count,), CELLS),
        "diagnosis": torch.tensor([[-1, 0]]).repeat(count, 1),
    }
    return inputs, place[:, 0]


def briefly_trained(config: CTMConfig, seed: int, steps: int = STEPS) -> CTM:
    """A small model after `steps` steps by the loss of two ticks (paper, eq. 12): the lowest and the most certain."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = CTM(small(config))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():  # cells are told apart by these two alone, from the first step
        model.backbone.row.weight.mul_(20)
        model.backbone.token.weight.mul_(10)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0)
    rows = torch.arange(BATCH)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM) * (1 - step / steps)
        inputs, place = chains(BATCH, draw)
        thought = model(**inputs)
        loss = -thought.pointers[rows, :, :, place].sum(2)  # [B, T], of start and end
        chosen = loss.min(1).values + loss[rows, thought.certainty.argmax(1)]
        optimizer.zero_grad(set_to_none=True)
        chosen.mean().div(2).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        model.after_step()
    return model.eval()


@torch.no_grad()
def accuracy_by_tick(model: CTM, seed: int) -> dict[str, list[float]]:
    """{"as it is", "frozen", "shuffled": share of new chains whose end the start pointer names, by tick}."""
    inputs, place = chains(TESTED, torch.Generator().manual_seed(seed + 1))
    found: dict[str, list[float]] = {}
    for name, change in {"as it is": None, **CONTROLS}.items():
        draw = torch.Generator().manual_seed(seed)
        encoding = model.encode(**inputs)
        start = state = model.initial_state(encoding)
        found[name] = []
        for _ in range(TICKS):
            state, output = model.tick(change(state, start, draw) if change else state, encoding)
            found[name].append(_right(output, place))
    return found


@torch.no_grad()
def accuracy_with_swapped_readout(model: CTM, seed: int) -> tuple[float, float]:
    """Accuracy at the last tick, and with every sample's pointers asked by another sample's synchronization."""
    inputs, place = chains(TESTED, torch.Generator().manual_seed(seed + 1))
    encoding = model.encode(**inputs)
    state, output = model.initial_state(encoding), None
    for _ in range(TICKS):
        state, output = model.tick(state, encoding)
    assert output is not None
    others, _ = model.predict_span(output.readout.roll(1, 0)[:, None], encoding)
    return _right(output, place), _right(output._replace(pointers=others[:, 0]), place)


def _right(output: TickOutput, place: Tensor) -> float:
    return float((output.pointers[:, 0].argmax(-1) == place).float().mean())


def gains(found: dict[str, list[float]]) -> dict[str, float]:
    """How far the last tick is ahead: of the first, and of the last of each control."""
    last = found["as it is"][-1]
    return {
        "the first tick": last - found["as it is"][0],
        **{f"ticks {name}": last - found[name][-1] for name in CONTROLS},
    }
