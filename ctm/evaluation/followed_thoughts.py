"""Thoughts about test items, tick by tick: what each tick says, how far the state still moves, and what it costs.

Beside right answers and certainty (as ctm.evaluation.first_edits notes them) a thought is followed inside: its
post-activations z, its readout S_out and the likeliest span. It may go on for more ticks than were trained, and each
tick may be handed a changed state (the controls of ctm.evaluation.iteration).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ctm.evaluation.iteration import StateControl
from ctm.evaluation.repairs import CHUNK, CHUNK_CELLS, single_threads
from ctm.evaluation.suites import Case
from ctm.evaluation.torch_proposer import BATCH, CELLS, CELLS_ELSEWHERE, MULTIPLE, TargetEdit, TickRecorder
from ctm.grid.batching import by_length, collate
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.decoding import best_spans
from ctm.model.model import CTM
from ctm.repair.candidates import CodeState, make_state


@dataclass(frozen=True, eq=False)
class FollowedThoughts:
    """T ticks of one thought about each of n items. An item out of scope is never right; its figures are NaN."""

    right: NDArray[np.bool_]
    """[n, T], whether the likeliest edit of the tick is exactly right."""
    certainty: NDArray[np.float32]
    """[n, T]."""
    moved: NDArray[np.float32]
    """[n, T], |z_t - z_(t-1)| / |z_t|: how far the neurons moved in this tick; before the first is the learned z."""
    readout_moved: NDArray[np.float32]
    """[n, T], the same of the readout S_out; NaN at the first tick, which has none before it."""
    spans: NDArray[np.int64]
    """[n, T, 2], first cell of the likeliest span and the cell after it; -1 where the model was not asked."""
    seconds: NDArray[np.float64]
    """[1 + T], of encoding and of each tick, all items in scope together, one thread; reading answers apart."""

    @property
    def in_scope(self) -> NDArray[np.bool_]:
        """[n], whether the model was asked: the item is in scope."""
        return ~np.isnan(self.certainty[:, 0])


def follow(
    cases: Sequence[Case],
    model: CTM,
    tokenizer: CodeTokenizer,
    ticks: int,
    threads: int,
    change: StateControl | None = None,
    precision: torch.dtype = torch.float32,
    seed: int = 0,
) -> FollowedThoughts:
    """Think `ticks` ticks about every case in scope.

    change: what is done to the state before each tick; draws from a generator that `seed` and the batch decide, so the
    result does not depend on the threads.
    """
    n = len(cases)
    certainty, moved, readout_moved = (np.full((n, ticks), np.nan, dtype=np.float32) for _ in range(3))
    found = FollowedThoughts(
        np.zeros((n, ticks), dtype=np.bool_),
        certainty,
        moved,
        readout_moved,
        np.full((n, ticks, 2), -1),
        np.zeros(1 + ticks),
    )
    asked: list[tuple[int, CodeState, TargetEdit]] = []
    for place, case in enumerate(cases):
        state = make_state(case.text, tokenizer) if case.goal else None
        if state is not None and case.goal is not None:
            asked.append((place, state, case.goal))
    cells = min(CHUNK_CELLS, CELLS.get(model.device.type, CELLS_ELSEWHERE))
    batches = by_length([len(state.packed.tokens) for _, state, _ in asked], cells, min(CHUNK, BATCH))[::-1]

    def work(number: int) -> FollowedThoughts:
        chosen = [asked[index] for index in batches[number]]
        draw = torch.Generator().manual_seed(seed + number)
        with torch.autocast(model.device.type, torch.bfloat16, enabled=precision == torch.bfloat16):
            return _follow_batch(chosen, model, tokenizer, ticks, change, draw)

    with single_threads(threads) as pool:
        for number, part in enumerate(pool.map(work, range(len(batches)))):
            places = [asked[index][0] for index in batches[number]]
            for name in (field.name for field in fields(FollowedThoughts) if field.name != "seconds"):
                getattr(found, name)[places] = getattr(part, name)
            found.seconds[:] += part.seconds
    return found


@torch.inference_mode()
def _follow_batch(
    chosen: Sequence[tuple[int, CodeState, TargetEdit]],
    model: CTM,
    tokenizer: CodeTokenizer,
    ticks: int,
    change: StateControl | None,
    draw: torch.Generator,
) -> FollowedThoughts:
    """One batch."""
    states = [state for _, state, _ in chosen]
    arrays = collate([state.packed for state in states], [state.diagnosis for state in states], MULTIPLE)
    inputs = {name: torch.from_numpy(array).to(model.device) for name, array in arrays.items()}
    recorder = TickRecorder(model, tokenizer, states, [goal for _, _, goal in chosen])
    clock = [_now(model)]
    encoding = model.encode(**inputs)
    start = state = model.initial_state(encoding)
    seconds = [_now(model) - clock[0]]
    readout = torch.full((), torch.nan, device=model.device)
    moved, readout_moved, spans = [], [], []
    for _ in range(ticks):
        began = _now(model)
        before, state = state, change(state, start, draw) if change else state
        state, output = model.tick(state, encoding)
        seconds.append(_now(model) - began)
        recorder.look(output, encoding)
        moved.append(_moved(before.z, state.z))
        readout_moved.append(_moved(readout, output.readout))
        spans.append(best_spans(output.pointers, 1)[0][:, 0])
        readout = output.readout
    seen = [results for results in recorder.seen() if results is not None]
    return FollowedThoughts(
        np.stack([results.right for results in seen]),
        np.stack([results.certainty for results in seen]),
        torch.stack(moved, dim=1).cpu().numpy(),
        torch.stack(readout_moved, dim=1).cpu().numpy(),
        torch.stack(spans, dim=1).cpu().numpy(),
        np.array(seconds),
    )


def _moved(before: Tensor, after: Tensor) -> Tensor:
    """|after - before| / |after|, float32 [B]."""
    difference, size = (after.float() - before.float()).norm(dim=-1), after.float().norm(dim=-1)
    return difference / size.clamp_min(torch.finfo(torch.float32).tiny)


def _now(model: CTM) -> float:
    """Seconds on a clock, when the accelerator has done what it was given."""
    if model.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()
