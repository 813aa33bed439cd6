"""Gradient norms by module and tick, of the loss at the last tick.

Each tick computes with weights of its own (views of the same numbers), so that a tick's share of a gradient
can be told from the others'.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ctm.model.model import CTM, CTMEncoding, CTMState, TickOutput

MODULES = ("sync_action", "attention", "synapse", "nlm", "sync_out")
"""What a tick runs, in order; the pointers only read its end."""
FIRST_TICK_EXEMPT = ("sync_action",)
"""At the first tick a sum has one term and its weight cancels: the action's decays can get nothing."""


class _TickModule(nn.Module):
    """`CTM.tick` as a module's forward, for functional_call."""

    def __init__(self, model: CTM) -> None:
        super().__init__()
        self.model = model

    def forward(self, state: CTMState, encoding: CTMEncoding) -> tuple[CTMState, TickOutput]:
        return self.model.tick(state, encoding)


def norms_by_tick(
    model: CTM, inputs: dict[str, Tensor], ticks: int, loss: Callable[[TickOutput], Tensor]
) -> dict[str, list[float]]:
    """{module: norm of the gradient of `loss(last output)` in its parameters as used at tick 1, 2, …}."""
    with torch.no_grad():
        encoding = model.encode(**inputs)
        state = model.initial_state(encoding)
    tick = _TickModule(model)
    named = [(name, p) for name, p in model.named_parameters() if name.split(".")[0] in MODULES]
    used: list[dict[str, Tensor]] = []
    output = None
    for _ in range(ticks):
        used.append({name: p.detach().view_as(p).requires_grad_() for name, p in named})
        weights = {f"model.{name}": view for name, view in used[-1].items()}
        state, output = torch.func.functional_call(tick, weights, (state, encoding))
    assert output is not None
    flat = [view for weights in used for view in weights.values()]
    gradients = torch.autograd.grad(loss(output), flat, allow_unused=True)
    squares = {module: [0.0] * ticks for module in MODULES}
    for number, gradient in enumerate(gradients):
        name = named[number % len(named)][0].split(".")[0]
        if gradient is not None:
            squares[name][number // len(named)] += float(gradient.double().square().sum())
    return {module: [math.sqrt(s) for s in row] for module, row in squares.items()}


def stopped(norms: dict[str, list[float]]) -> list[str]:
    """Modules and ticks that no gradient reaches, or one that is no number."""
    return [
        f"{module} at tick {tick}: {norm:.1e}"
        for module, row in norms.items()
        for tick, norm in enumerate(row, 1)
        if not (norm > 0 and math.isfinite(norm)) and not (tick == 1 and module in FIRST_TICK_EXEMPT)
    ]
