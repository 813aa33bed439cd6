"""The model checks, one per function; each returns whether it holds, what was measured, and optional figures.

Each is exact where it can be (float64, bit by bit) and each has a test with a model that fails it.
"""

from __future__ import annotations

import copy
import resource
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ctm.evaluation import iteration, memory
from ctm.evaluation.first_states import FirstState, inputs_of
from ctm.evaluation.gradient_flow import norms_by_tick, stopped
from ctm.grid.packed import replacement_units
from ctm.grid.tokenizer import STOP, CodeTokenizer
from ctm.model.inference import REPLACEMENTS, SPANS, decode_candidates, infer
from ctm.model.model import CTM, ModelOutput, TickOutput
from ctm.model.weights import load_ctm, save_weights

MOST_TICKS = 8  # enough for every recurrence to show
CLOSE = 1e-5
EXACT = 1e-9  # of checks in float64
STEPS = 12
FORMULA = 0.02
"""How far counted bytes may be from the formula, relative: a tick is exact, of the rest under 1 % is left out."""
COUNTED = 6
"""Ticks of the longer thought that is counted; the shorter has 2."""
VARYING = 0.5
"""Share of the pairs whose synchronization must differ between samples."""
SAME = 1e-4
"""A pair whose deviation over samples is below this share of the synchronization's size is the same for all."""
DROP = 0.2
"""Accuracy that must be lost when samples swap synchronizations; chance is at 0.17."""


@torch.no_grad()
def shapes(model: CTM, states: list[FirstState]) -> tuple[bool, str]:
    """Every output has the shape of the contract, pointers are distributions, certainty lies in [0, 1]."""
    thought = _infer(model, states)
    batch, cells = thought.encoding.tokens.shape
    ticks, c = thought.certainty.shape[1], model.config
    selected, encoding = infer(model, inputs_of([item.state for item in states]), max_ticks=ticks)
    answer = decode_candidates(model, selected, encoding)
    wanted = {
        "h": (thought.encoding.h, (batch, cells, c.width)),
        "pointers": (thought.pointers, (batch, ticks, 2, cells)),
        "certainty": (thought.certainty, (batch, ticks)),
        "synchronization": (thought.readout, (batch, ticks, c.out_pairs)),
        "spans": (answer.spans, (batch, SPANS, 2)),
        "units": (answer.units, (batch, SPANS, REPLACEMENTS, c.units)),
    }
    wrong = [f"{n} {tuple(t.shape)}, not {s}" for n, (t, s) in wanted.items() if tuple(t.shape) != s]
    mass = float((thought.pointers.exp().sum(-1) - 1).abs().max())
    low, high = float(thought.certainty.min()), float(thought.certainty.max())
    if not mass < CLOSE:
        wrong.append(f"pointers sum to 1 +- {mass:.1e}")
    if not (low >= -CLOSE and high <= 1 + CLOSE):
        wrong.append(f"certainty from {low:.3f} to {high:.3f}")
    return not wrong, "; ".join(wrong) or f"{len(wanted)} shapes, certainty {low:.3f} to {high:.3f}"


@torch.no_grad()
def synchronization_definition(model: CTM, states: list[FirstState]) -> tuple[bool, str]:
    """The running sums equal sum e^(-r (t - tau)) z_i z_j / sqrt(sum e^(-r (t - tau))), written out.

    The state before the first tick counts as tau = 0.
    """
    model = copy.deepcopy(model).double()
    sync = model.sync_out
    sync.decay.copy_(torch.linspace(0, 2, len(sync.decay)))
    encoding = model.encode(**inputs_of([item.state for item in states]))
    state = model.initial_state(encoding)
    zs, worst = [state.z], 0.0
    for tick in range(1, _ticks(model) + 1):
        state, output = model.tick(state, encoding)
        zs.append(state.z)
        ages = torch.arange(tick, -1, -1, dtype=torch.float64)
        weight = torch.exp(-sync.decay[None, :] * ages[:, None])  # [tick + 1, n]
        products = torch.stack([z[:, sync.left] * z[:, sync.right] for z in zs])
        direct = (weight[:, None, :] * products).sum(0) / weight.sum(0).sqrt()
        worst = max(worst, float((output.readout - direct).abs().max()))
    return worst < EXACT, f"largest difference {worst:.1e} over {len(zs) - 1} ticks, in float64"


@torch.no_grad()
def batching(model: CTM, states: list[FirstState]) -> tuple[bool, str]:
    """Padding and neighbors change nothing."""
    model = copy.deepcopy(model).double()
    together = _infer(model, states)
    worst = 0.0
    for place, item in enumerate(states):
        alone = _infer(model, [item])
        cells = alone.pointers.shape[3]
        for one, other in (
            (alone.certainty[0], together.certainty[place]),
            (alone.readout[0], together.readout[place]),
            (alone.pointers[0].exp(), together.pointers[place, :, :, :cells].exp()),
        ):
            worst = max(worst, float((one - other).abs().max()))
    return worst < EXACT, f"largest difference {worst:.1e}, in float64"


def _bad_gradient(gradient: Tensor) -> str:
    return f"{'only zeros' if not gradient.any() else 'NaN or infinity'} as its gradient"


def gradients(model: CTM, states: list[FirstState], codec: CodeTokenizer) -> tuple[bool, str]:
    """Every parameter gets a gradient, finite and not all zero."""
    model.zero_grad(set_to_none=True)
    _loss(model, states, codec).backward()
    named = list(model.named_parameters())
    wrong = [
        f"{name} has {'no gradient' if p.grad is None else _bad_gradient(p.grad)}"
        for name, p in named
        if p.grad is None or not p.grad.any() or not bool(torch.isfinite(p.grad).all())
    ]
    model.zero_grad(set_to_none=True)
    return not wrong, "; ".join(wrong) or f"{len(named)} parameters"


def gradient_flow(model: CTM, states: list[FirstState]) -> tuple[bool, str, dict[str, Any]]:
    """The last tick's loss reaches every module at every tick; figures: norms by module and tick."""
    inputs = inputs_of([item.state for item in states])
    rows = torch.arange(len(states))
    start = torch.tensor([item.edit.start for item in states])
    end = torch.tensor([item.edit.end for item in states])

    def loss(output: TickOutput) -> Tensor:
        return -(output.pointers[rows, 0, start] + output.pointers[rows, 1, end]).mean()

    norms = norms_by_tick(model, inputs, _ticks(model), loss)
    wrong = stopped(norms)
    ends = ", ".join(f"{module} {row[0]:.1e} to {row[-1]:.1e}" for module, row in norms.items())
    return not wrong, "; ".join(wrong) or f"norms at the first and last tick: {ends}", norms


@torch.no_grad()
def storing(model: CTM, states: list[FirstState], scratch: Path) -> tuple[bool, str]:
    """Written and read again, the model says the same bits."""
    try:
        save_weights(scratch, model)
        again = load_ctm(scratch)
    finally:
        scratch.unlink(missing_ok=True)
    same = torch.equal(_infer(model, states).pointers, _infer(again, states).pointers)
    return same and again.config == model.config, "same bits" if same else "other pointers after reading"


def learning(model: CTM, states: list[FirstState], codec: CodeTokenizer) -> tuple[bool, str]:
    """A few steps of AdamW on one batch lower its loss by a tenth at least. Trains `model`: comes last."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(STEPS + 1):
        loss = _loss(model, states, codec)
        losses.append(float(loss.detach()))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        model.after_step()
    return losses[-1] < 0.9 * losses[0], f"loss {losses[0]:.2f} to {losses[-1]:.2f} in {STEPS} steps"


def memory_use(
    model: CTM, states: list[FirstState], host_gb: float, vram_gb: float
) -> tuple[bool, str, dict[str, Any]]:
    """Bytes kept for backward follow the formula of docs/memory.md, and a training step fits what the rule was given.

    host_gb: memory of the process at its peak. vram_gb: of a step on the GPU, measured where there is one.
    """
    inputs = inputs_of([item.state for item in states])
    batch, cells = inputs["tokens"].shape
    counted = memory.measured(model, inputs, 2, COUNTED)
    expected = memory.formula(model.config, batch, cells)
    weights = memory.weight_bytes(model)
    step = memory.STATES * weights + expected.total(model.config.ticks)
    figures: dict[str, Any] = {
        "counted": {"fixed": counted.fixed / 1e6, "tick": counted.tick / 1e6},
        "formula": {"fixed": expected.fixed / 1e6, "tick": expected.tick / 1e6},
        "samples": batch,
        "cells": cells,
        "ticks": model.config.ticks,
        "weights": weights / 1e6,
        "training step, formula": step / 1e6,
        "process, peak": _peak_rss() / 1e6,
        "rule, host": host_gb * 1e3,
        "rule, vram": vram_gb * 1e3,
    }
    wrong = [
        f"{part}: {one / 1e6:.2f} MB counted, {other / 1e6:.2f} by the formula"
        for part, one, other in (
            ("fixed", counted.fixed, expected.fixed),
            ("a tick", counted.tick, expected.tick),
        )
        if abs(one / other - 1) > FORMULA
    ]
    if torch.cuda.is_available() and vram_gb:
        figures["training step, GPU peak"] = memory.peak_on_gpu(model, inputs, model.config.ticks) / 1e6
        if figures["training step, GPU peak"] > figures["rule, vram"]:
            wrong.append(
                f"a step takes {figures['training step, GPU peak']:.0f} MB of {vram_gb:g} GB of vram"
            )
    if max(figures["process, peak"], figures["training step, formula"]) > figures["rule, host"]:
        wrong.append(
            f"the step needs more than the {host_gb:g} GB given to the rule; raise resources.validate_model.mem_gb"
        )
    seen = (
        f"{counted.tick / 1e6:.2f} MB a tick (formula {expected.tick / 1e6:.2f}), {counted.fixed / 1e6:.2f} fixed"
        f" ({expected.fixed / 1e6:.2f}), {batch} samples of {cells} cells"
    )
    return not wrong, "; ".join(wrong) or seen, figures


def ticks_help(trained: CTM, seed: int = 0) -> tuple[bool, str, dict[str, Any]]:
    """A briefly trained model is better at its last tick than at its first, and than with ticks frozen or shuffled."""
    found = iteration.accuracy_by_tick(trained, seed)
    ahead = iteration.gains(found)
    seen = f"{found['as it is'][-1]:.2f} at the last tick, ahead of " + ", ".join(
        f"{name} by {gain:.2f}" for name, gain in ahead.items()
    )
    return min(ahead.values()) >= iteration.GAIN, seen, found


@torch.no_grad()
def synchronization_varies(
    model: CTM, states: list[FirstState], trained: CTM, seed: int = 0
) -> tuple[bool, str, dict[str, Any]]:
    """Synchronization differs between samples and between pairs, and the answer hangs on whose it is."""
    sync = _infer(model, states).readout[:, -1].double()
    size = sync.square().mean().sqrt()
    over_samples, over_pairs = sync.std(0), sync.std(1)
    varying = float((over_samples > SAME * size).double().mean())
    own, others = iteration.accuracy_with_swapped_readout(trained, seed)
    figures = {
        "size": float(size),
        "deviation over samples": _quartiles(over_samples),
        "deviation over pairs": _quartiles(over_pairs),
        "pairs that differ between samples": varying,
        "accuracy": {"own synchronization": own, "another sample's": others},
    }
    wrong = []
    if varying < VARYING:
        wrong.append(f"only {varying:.0%} of the pairs differ between samples")
    if not float(over_pairs.min()) > SAME * float(size):
        wrong.append("all neuron pairs of a sample have the same synchronization")
    if own - others < DROP:
        wrong.append(f"accuracy {own:.2f}, and {others:.2f} with another sample's synchronization")
    seen = (
        f"{varying:.0%} of the pairs differ between samples; accuracy {own:.2f}, {others:.2f} with another's"
    )
    return not wrong, "; ".join(wrong) or seen, figures


def _quartiles(x: Tensor) -> list[float]:
    return [float(q) for q in torch.quantile(x, torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0], dtype=x.dtype))]


def _peak_rss() -> int:
    """Largest resident bytes of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _loss(model: CTM, states: list[FirstState], codec: CodeTokenizer) -> Tensor:
    """Plain loss of the right edit at the last tick: pointers, and every unit of the replacement."""
    thought = _infer(model, states)
    rows = torch.arange(len(states))
    start = torch.tensor([item.edit.start for item in states])
    end = torch.tensor([item.edit.end for item in states])
    pointers = -(thought.pointers[rows, -1, 0, start] + thought.pointers[rows, -1, 1, end]).mean()
    encoding = thought.encoding
    slots = model.units.slots(thought.readout[:, -1], encoding.h, start[:, None], end[:, None])[:, 0]
    tokens = model.units.vocabulary(slots, model.backbone.token.weight)
    logits = torch.cat([tokens, model.units.copies(slots, encoding.copies, encoding.tokens)], dim=-1)
    right = torch.full(slots.shape[:2], STOP)
    for row, item in enumerate(states):
        units = replacement_units(item.edit.tokens, item.state.packed, codec)
        for slot, (token, word) in enumerate(units[: right.shape[1]]):
            copied = item.state.packed.word_numbers.tolist().index(word) if word >= 0 else 0
            right[row, slot] = codec.vocab_size + copied if word >= 0 else token
    return pointers + torch.nn.functional.cross_entropy(logits.flatten(0, 1), right.flatten())


def _infer(model: CTM, states: list[FirstState]) -> ModelOutput:
    thought: ModelOutput = model(**inputs_of([item.state for item in states]), ticks=_ticks(model))
    return thought


def _ticks(model: CTM) -> int:
    return max(2, min(model.config.ticks, MOST_TICKS))
