"""Is the model what it is said to be? Checks that take seconds, each of which can fail, before hours of training.

Notable: run on real grids and the real sizes; each check says what it saw, and all are run before the first failure
is raised.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ctm.evaluation.first_states import FirstState, inputs_of, read_first_states
from ctm.grid.files import write_json
from ctm.grid.packed import units_of
from ctm.grid.tokenizer import STOP, CodeTokenizer
from ctm.model.model import CTM, Thought
from ctm.model.thinking import read, think
from ctm.model.weights import load_ctm, save_weights
from ctm.training.initial import new_ctm

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
BATCH = 8
MOST_TICKS = 8  # enough for every recurrence to show
CLOSE = 1e-5
EXACT = 1e-9  # of checks in float64
STEPS = 12


class InvalidModel(AssertionError):
    """A check failed; the message names all that did, and what was seen."""


def validate(manifest: Path, tokenizer: Path, sizes: Mapping[str, Any], threads: int, out: Path) -> None:
    """Check a new model of these sizes (ModelConfig) on pairs of the training grids; write what was seen (JSON).

    Raises InvalidModel if a check fails; the report is written all the same.
    """
    torch.set_num_threads(threads)
    codec = CodeTokenizer.load(tokenizer)
    states = _short(read_first_states(manifest, codec, 16 * BATCH))
    seen = run_checks(new_ctm(sizes, codec, 0).eval(), states, codec, out.with_suffix(".safetensors"))
    write_json(out, {"format_version": FORMAT_VERSION, "checks": seen})
    failed = [f"{check['check']}: {check['seen']}" for check in seen if not check["holds"]]
    if failed:
        raise InvalidModel("; ".join(failed))


def run_checks(
    model: CTM, states: list[FirstState], codec: CodeTokenizer, scratch: Path
) -> list[dict[str, Any]]:
    """All checks: name, whether it holds, what was seen, seconds. `scratch`: a file to write weights to, removed."""
    checks: dict[str, Callable[[], tuple[bool, str]]] = {
        "shapes": lambda: shapes(model, states),
        "synchronisation follows its definition": lambda: synchronisation(model, states),
        "a batch gives what single samples give": lambda: batching(model, states),
        "gradients reach every parameter": lambda: gradients(model, states, codec),
        "weights survive the disk": lambda: storing(model, states, scratch),
        "a few steps learn a batch": lambda: learning(model, states, codec),
    }
    done = []
    for name, check in checks.items():
        started = time.monotonic()
        holds, seen = check()
        log.log(logging.INFO if holds else logging.ERROR, "%s: %s (%s)", name, "yes" if holds else "NO", seen)
        done.append(
            {"check": name, "holds": holds, "seen": seen, "seconds": round(time.monotonic() - started, 2)}
        )
    return done


@torch.no_grad()
def shapes(model: CTM, states: list[FirstState]) -> tuple[bool, str]:
    """Every output has the shape of the contract, pointers are distributions, certainty lies in [0, 1]."""
    thought = _thought(model, states)
    batch, cells = thought.memory.tokens.shape
    ticks, c = thought.certainty.shape[1], model.config
    kept, memory = think(model, inputs_of([item.state for item in states]), max_ticks=ticks)
    answer = read(model, kept, memory)
    wanted = {
        "h": (thought.memory.h, (batch, cells, c.width)),
        "pointers": (thought.pointers, (batch, ticks, 2, cells)),
        "certainty": (thought.certainty, (batch, ticks)),
        "synchronisation": (thought.synchronisation, (batch, ticks, c.out_pairs)),
        "spans": (answer.spans, (batch, 10, 2)),
        "units": (answer.units, (batch, 10, c.units)),
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
def synchronisation(model: CTM, states: list[FirstState]) -> tuple[bool, str]:
    """The running sums equal sum e^(-r (t - tau)) z_i z_j / sqrt(sum e^(-r (t - tau))), written out.

    The state before the first tick counts as tau = 0.
    """
    model = copy.deepcopy(model).double()
    sync = model.sync_out
    sync.decay.copy_(torch.linspace(0, 2, len(sync.decay)))
    memory = model.encode(**inputs_of([item.state for item in states]))
    state = model.start(memory)
    zs, worst = [state.z], 0.0
    for tick in range(1, _ticks(model) + 1):
        state, said = model.tick(state, memory)
        zs.append(state.z)
        ages = torch.arange(tick, -1, -1, dtype=torch.float64)
        weight = torch.exp(-sync.decay[None, :] * ages[:, None])  # [tick + 1, n]
        products = torch.stack([z[:, sync.left] * z[:, sync.right] for z in zs])
        direct = (weight[:, None, :] * products).sum(0) / weight.sum(0).sqrt()
        worst = max(worst, float((said.synchronisation - direct).abs().max()))
    return worst < EXACT, f"largest difference {worst:.1e} over {len(zs) - 1} ticks, in float64"


@torch.no_grad()
def batching(model: CTM, states: list[FirstState]) -> tuple[bool, str]:
    """Padding and neighbours change nothing."""
    model = copy.deepcopy(model).double()
    together = _thought(model, states)
    worst = 0.0
    for place, item in enumerate(states):
        alone = _thought(model, [item])
        cells = alone.pointers.shape[3]
        for one, other in (
            (alone.certainty[0], together.certainty[place]),
            (alone.synchronisation[0], together.synchronisation[place]),
            (alone.pointers[0].exp(), together.pointers[place, :, :, :cells].exp()),
        ):
            worst = max(worst, float((one - other).abs().max()))
    return worst < EXACT, f"largest difference {worst:.1e}, in float64"


def gradients(model: CTM, states: list[FirstState], codec: CodeTokenizer) -> tuple[bool, str]:
    """Every parameter gets a gradient, finite and not all zero."""
    model.zero_grad(set_to_none=True)
    _loss(model, states, codec).backward()
    named = list(model.named_parameters())
    wrong = [
        f"{name} gets {'none' if p.grad is None else 'zeros' if not p.grad.any() else 'NaN or infinity'}"
        for name, p in named
        if p.grad is None or not p.grad.any() or not bool(torch.isfinite(p.grad).all())
    ]
    model.zero_grad(set_to_none=True)
    return not wrong, "; ".join(wrong) or f"{len(named)} parameters"


@torch.no_grad()
def storing(model: CTM, states: list[FirstState], scratch: Path) -> tuple[bool, str]:
    """Written and read again, the model says the same bits."""
    try:
        save_weights(scratch, model)
        again = load_ctm(scratch)
    finally:
        scratch.unlink(missing_ok=True)
    same = torch.equal(_thought(model, states).pointers, _thought(again, states).pointers)
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


def _loss(model: CTM, states: list[FirstState], codec: CodeTokenizer) -> Tensor:
    """Plain loss of the right edit at the last tick: pointers, and every unit of the replacement."""
    thought = _thought(model, states)
    rows = torch.arange(len(states))
    start = torch.tensor([item.edit.start for item in states])
    end = torch.tensor([item.edit.end for item in states])
    pointers = -(thought.pointers[rows, -1, 0, start] + thought.pointers[rows, -1, 1, end]).mean()
    memory = thought.memory
    slots = model.units.slots(thought.synchronisation[:, -1], memory.h, start[:, None], end[:, None])[:, 0]
    tokens = model.units.vocabulary(slots, model.backbone.token.weight)
    logits = torch.cat([tokens, model.units.copies(slots, memory.copies, memory.tokens)], dim=-1)
    right = torch.full(slots.shape[:2], STOP)
    for row, item in enumerate(states):
        units = units_of(item.edit.tokens, item.state.packed, codec)
        for slot, (token, word) in enumerate(units[: right.shape[1]]):
            copied = item.state.packed.words.tolist().index(word) if word >= 0 else 0
            right[row, slot] = codec.vocabulary + copied if word >= 0 else token
    return pointers + torch.nn.functional.cross_entropy(logits.flatten(0, 1), right.flatten())


def _thought(model: CTM, states: list[FirstState]) -> Thought:
    thought: Thought = model(**inputs_of([item.state for item in states]), ticks=_ticks(model))
    return thought


def _ticks(model: CTM) -> int:
    return max(2, min(model.config.ticks, MOST_TICKS))


def _short(states: list[FirstState]) -> list[FirstState]:
    """BATCH states of different lengths, the shortest with a replacement first: quick, and every head has work."""
    ranked = sorted(states, key=lambda item: (not item.edit.tokens, len(item.state.ids)))
    return ranked[:BATCH]
