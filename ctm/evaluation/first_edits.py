"""First-edit accuracy by tick, without search, compiler checks or further passes.

This is a fraction of the cost of whole repairs, and the figure in which models are compared: how often the likeliest
edit of a tick makes exactly the right next text (see ctm.evaluation.benchmark, accuracy by tick).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ctm.evaluation.averages import counts, shares
from ctm.evaluation.calibrate import answering_ticks
from ctm.evaluation.repairs import single_threads
from ctm.evaluation.scored import equal_mass_error
from ctm.evaluation.suites import Case
from ctm.evaluation.torch_proposer import TargetEdit, TickResults, TorchProposer
from ctm.grid.batching import by_length
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel
from ctm.model.inference import RUN_ALL_TICKS
from ctm.pairs.overall import CLEAN, OVERALL, averages
from ctm.repair.candidates import CodeState, make_state
from ctm.repair.metrics import auroc

CHUNK, CHUNK_CELLS = 64, 8192
"""Cases that are thought of together, at most, and their cells: a batch of the proposer."""
HALT_THRESHOLDS = (0.5, 0.7, 0.9, 0.99, RUN_ALL_TICKS)
"""Certainties at which thoughts are ended, to see what that saves and costs; the last one none reaches."""


@dataclass(frozen=True, eq=False)
class FirstEdits:
    """All ticks of one thought about each of n items."""

    category: NDArray[np.str_]
    """[n]."""
    kind: NDArray[np.str_]
    """[n]."""
    right: NDArray[np.bool_]
    """[n, T]; never for an item out of scope."""
    certainty: NDArray[np.float32]
    """[n, T]; 0 for an item out of scope, which the model is not asked about."""
    seconds: float
    """As if all threads had thought of nothing else, states apart."""

    @property
    def surest(self) -> NDArray[np.bool_]:
        """[n], whether the answer is right: that of the most certain tick."""
        return self.right[np.arange(len(self.right)), self.certainty.argmax(axis=1)]

    @property
    def confidence(self) -> NDArray[np.float32]:
        """[n], certainty of that tick."""
        return self.certainty.max(axis=1)


def first_edits(
    cases: Sequence[Case],
    model: EditModel,
    tokenizer: CodeTokenizer,
    threads: int,
    precision: torch.dtype = torch.float32,
) -> FirstEdits:
    """Think about every case in scope, all ticks."""
    return first_edits_of_several(cases, {"": model}, tokenizer, threads, precision)[""]


def first_edits_of_several(
    cases: Sequence[Case],
    models: Mapping[str, EditModel],
    tokenizer: CodeTokenizer,
    threads: int,
    precision: torch.dtype = torch.float32,
) -> dict[str, FirstEdits]:
    """The same of several models by name, chunk by chunk in turn, so that what disturbs the machine disturbs all."""
    asked: list[tuple[int, CodeState, TargetEdit]] = []
    for place, case in enumerate(cases):
        state = make_state(case.text, tokenizer) if case.goal else None
        if state is not None and case.goal is not None:
            asked.append((place, state, case.goal))
    chunks = by_length([len(state.ids) for _, state, _ in asked], CHUNK_CELLS, CHUNK)[::-1]
    turns = [
        (name, chunk)
        for number, chunk in enumerate(chunks)
        for name in list(models)[:: 1 if number % 2 == 0 else -1]
    ]

    def work(turn: tuple[str, list[int]]) -> tuple[float, list[tuple[int, TickResults]]]:
        name, chunk = turn
        started = time.perf_counter()
        thoughts = _infer_ticks([asked[index] for index in chunk], models[name], tokenizer, precision)
        return time.perf_counter() - started, thoughts

    said = {
        name: FirstEdits(
            np.array([case.item.category for case in cases]),
            np.array([case.item.kind for case in cases]),
            np.zeros((len(cases), model.config.ticks), dtype=bool),
            np.zeros((len(cases), model.config.ticks), dtype=np.float32),
            0.0,
        )
        for name, model in models.items()
    }
    seconds = dict.fromkeys(models, 0.0)
    with single_threads(threads) as pool:
        for (name, _), (took, thoughts) in zip(turns, pool.map(work, turns), strict=True):
            seconds[name] += took / threads
            for place, thought in thoughts:
                said[name].right[place], said[name].certainty[place] = thought.right, thought.certainty
    return {name: replace(one, seconds=seconds[name]) for name, one in said.items()}


def _infer_ticks(
    waiting: list[tuple[int, CodeState, TargetEdit]],
    model: EditModel,
    tokenizer: CodeTokenizer,
    precision: torch.dtype,
) -> list[tuple[int, TickResults]]:
    """Place and thought of each. The same text may be asked about with several goals: one after the other."""
    done: list[tuple[int, TickResults]] = []
    while waiting:
        now = {state.text: (place, state, goal) for place, state, goal in waiting}
        waiting = [entry for entry in waiting if now[entry[1].text][0] != entry[0]]
        goals = {text: goal for text, (_, _, goal) in now.items()}
        proposer = TorchProposer(model, tokenizer, goals=goals, precision=precision)
        proposer.propose([state for _, state, _ in now.values()])
        done += [(place, proposer.tick_results[text]) for text, (place, _, _) in now.items()]
    return done


def first_edit_figures(said: FirstEdits) -> dict[str, Any]:
    """Accuracy by category at the most certain tick and by tick, its calibration, and what ending early gives.

    Kinds weigh alike in a category, categories alike in "overall" (clean stands apart).
    """
    hit = said.surest
    by_tick = averages(said.category, said.kind, said.right.astype(np.float64))
    return {
        "n": counts(said.category),
        "accuracy": shares(said.category, said.kind, hit.tolist()),
        "accuracy_by_tick": {name: values.tolist() for name, values in by_tick.items()},
        "certainty_by_tick": said.certainty.mean(axis=0).tolist(),
        "ece": equal_mass_error(said.confidence, hit),
        "auroc": auroc(said.confidence.tolist(), hit.tolist()),
        "halting": [_halted(said, threshold) for threshold in HALT_THRESHOLDS],
        "items_per_second": len(said.right) / max(said.seconds, 1e-9),
    }


def _halted(said: FirstEdits, threshold: float) -> dict[str, Any]:
    """What thoughts give that end at their first tick whose certainty reaches `threshold`."""
    answering, taken = answering_ticks(said.certainty, threshold)
    hit = said.right[np.arange(len(said.right)), answering]
    figures = shares(said.category, said.kind, hit.tolist())
    return {
        "threshold": threshold,
        "ticks_mean": float(taken.mean()),
        OVERALL: figures[OVERALL],
        CLEAN: figures[CLEAN],
    }
