"""Accuracy on a slice of the validation split, the figure that milestones are compared with.

Notable: an item counts when its first edit is exactly right (span and replacement) at the most certain tick; the
frozen test sets, with all passes, are evaluated elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ctm.grid.batching import by_length
from ctm.grid.edits import Edit, apply_edit
from ctm.grid.packed import expand_units, pack
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.answer import best_spans, best_units
from ctm.model.model import CTM, Thought
from ctm.training.batch import make_batch
from ctm.training.data import TrainingSet


@dataclass(frozen=True)
class Measured:
    """Accuracy 0..1 by category and "overall" (their mean, clean apart), and what else describes the thoughts."""

    accuracy: dict[str, float]
    certainty: float
    sync_variance: float
    by_tick: list[float]
    error: float
    """Standard error of "overall"."""


@torch.no_grad()
def measure(model: CTM, data: TrainingSet, tokenizer: CodeTokenizer, items: int, max_cells: int) -> Measured:
    """Accuracy of `model` on the first edits of up to `items` pairs, categories in equal shares."""
    model.eval()
    device = next(model.parameters()).device
    lengths = np.diff(data.offsets)
    names = sorted(set(data.category.tolist()))
    chosen: list[int] = []
    for name in names:
        pool = np.flatnonzero((data.category == name) & (lengths < max_cells))
        chosen += pool[: items // len(names)].tolist()
    right = np.zeros((len(chosen), model.config.ticks), dtype=bool)
    certain = np.zeros((len(chosen), model.config.ticks))
    variances = []
    for group in by_length([int(lengths[c]) for c in chosen], cells=16_384, most=64):
        states, answers, diagnoses = zip(*(data.visit(chosen[g], 0) for g in group), strict=True)
        batch = make_batch(list(states), list(answers), list(diagnoses), tokenizer).to(device)
        thought = model(**batch.inputs)
        certain[group] = thought.certainty.cpu().numpy()
        variances.append(float(thought.synchronisation[:, -1].var(dim=0).mean()))
        for tick in range(model.config.ticks):
            right[group, tick] = _right(model, thought, tick, states, answers, tokenizer)
    model.train()
    at = certain.argmax(axis=1)
    hit = right[np.arange(len(chosen)), at]
    category = data.category[chosen]
    accuracy = {name: float(hit[category == name].mean()) for name in names}
    tested = [name for name in names if name != "clean"]
    accuracy["overall"] = float(np.mean([accuracy[name] for name in tested])) if tested else 0.0
    spread = sum(accuracy[n] * (1 - accuracy[n]) / int((category == n).sum()) for n in tested)
    error = float(np.sqrt(spread)) / max(1, len(tested))
    broken = category != "clean"
    return Measured(accuracy, float(certain.max(axis=1).mean()), float(np.mean(variances)),
                    [float(v) for v in right[broken].mean(axis=0)], error)  # fmt: skip


def _right(
    model: CTM,
    thought: Thought,
    tick: int,
    states: Sequence[list[int]],
    answers: Sequence[Edit],
    tokenizer: CodeTokenizer,
) -> list[bool]:
    spans, _ = best_spans(thought.pointers[:, tick], 1)
    units, _ = best_units(model, thought.synchronisation[:, tick], thought.memory, spans)
    hits = []
    for ids, answer, span, chosen in zip(
        states, answers, spans[:, 0].tolist(), units[:, 0].tolist(), strict=True
    ):
        if span[1] > len(ids):
            hits.append(False)
            continue
        try:
            tokens = expand_units(chosen, pack(ids, tokenizer), tokenizer.vocabulary)
        except ValueError:
            hits.append(False)
            continue
        # another place for the same change is as right (which of two equal tokens went)
        hits.append(apply_edit(ids, Edit(span[0], span[1], tokens)) == apply_edit(ids, answer))
    return hits
