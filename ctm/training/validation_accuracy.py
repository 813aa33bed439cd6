"""Measures first-edit accuracy on a slice of the validation split, for milestones and for choosing the best weights.

An item counts when its first edit is exactly right (span and replacement) at the most certain tick; the
frozen test sets, with all passes, are evaluated elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ctm.grid.batching import by_length
from ctm.grid.edits import Edit, apply_edit
from ctm.grid.packed import expand_units, pack
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel, ModelOutput
from ctm.model.decoding import best_spans, likeliest_units
from ctm.pairs.overall import CLEAN, OVERALL, averages
from ctm.training.batch import TrainingBatch, make_batch
from ctm.training.data import TrainingSet
from ctm.training.memory_plan import is_out_of_memory


@dataclass(frozen=True)
class ValidationResult:
    """What the items of a slice say of a model."""

    accuracy: dict[str, float]
    """0..1 by category and "overall", as the benchmark counts (ctm.pairs.overall); "overall" is 0 without bugs."""
    certainty: float
    sync_variance: float
    by_tick: list[float]
    """"overall" at every tick."""
    score: float
    """Mean over the categories, clean apart, of their share of right items: the best weights are those of the highest.

    Unlike in "overall", items weigh alike in a category: a few of a rare kind do not decide which weights are the best.
    """
    error: float
    """Standard error of the score."""


@torch.no_grad()
def measure_accuracy(
    model: EditModel, data: TrainingSet, tokenizer: CodeTokenizer, items: int, max_cells: int
) -> ValidationResult:
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
    groups = list(by_length([int(lengths[c]) for c in chosen], max_cells=16_384, max_size=64))
    while groups:
        group = groups.pop()
        try:
            batch, answered = _first_state_batch(data, [chosen[i] for i in group], tokenizer, device)
            thought = model(**batch.inputs)
            hits = [_right(model, thought, t, *answered, tokenizer) for t in range(model.config.ticks)]
        except Exception as failure:
            if not is_out_of_memory(failure) or len(group) == 1:
                raise
            groups += [group[: len(group) // 2], group[len(group) // 2 :]]
            continue
        certain[group], right[group] = thought.certainty.cpu().numpy(), np.array(hits).T
        variances.append(float(thought.readout[:, -1].var(dim=0, correction=0).mean()))
    model.train()
    at = certain.argmax(axis=1)
    hit = right[np.arange(len(chosen)), at]
    category, kind = data.category[chosen], data.kind[chosen]
    accuracy = {name: float(mean) for name, mean in averages(category, kind, hit.astype(float)).items()}
    accuracy.setdefault(OVERALL, 0.0)
    by_tick = averages(category, kind, right.astype(float)).get(OVERALL, np.zeros(right.shape[1]))
    score, error = _score(category, hit)
    return ValidationResult(accuracy, float(certain.max(axis=1).mean()), float(np.mean(variances)),
                    by_tick.tolist(), score, error)  # fmt: skip


def _score(category: NDArray[np.str_], hit: NDArray[np.bool_]) -> tuple[float, float]:
    """`ValidationResult.score` of items and its standard error; 0, 0 where none has a bug."""
    items = {name: hit[category == name] for name in sorted(set(category.tolist()) - {CLEAN})}
    shares = [float(right.mean()) for right in items.values()]
    spread = sum(
        share * (1 - share) / len(right) for share, right in zip(shares, items.values(), strict=True)
    )
    return float(np.mean(shares)) if shares else 0.0, float(np.sqrt(spread)) / max(1, len(shares))


def _first_state_batch(
    data: TrainingSet, pairs: Sequence[int], tokenizer: CodeTokenizer, device: torch.device
) -> tuple[TrainingBatch, tuple[list[list[int]], list[Edit]]]:
    """First states of pairs as a batch, and as lists beside their right edits."""
    states, answers, diagnoses = map(list, zip(*(data.visit(pair, 0) for pair in pairs), strict=True))
    return make_batch(states, answers, diagnoses, tokenizer).to(device), (states, answers)


def _right(
    model: EditModel,
    thought: ModelOutput,
    tick: int,
    states: Sequence[list[int]],
    answers: Sequence[Edit],
    tokenizer: CodeTokenizer,
) -> list[bool]:
    spans, _ = best_spans(thought.pointers[:, tick], 1)
    units = likeliest_units(model, thought.readout[:, tick], thought.encoding, spans)
    hits = []
    for ids, answer, span, chosen in zip(
        states, answers, spans[:, 0].tolist(), units[:, 0].tolist(), strict=True
    ):
        if span[1] > len(ids):
            hits.append(False)
            continue
        try:
            tokens = expand_units(chosen, pack(ids, tokenizer), tokenizer.vocab_size)
        except ValueError:
            hits.append(False)
            continue
        # another place for the same change is as right (which of two equal tokens went)
        hits.append(apply_edit(ids, Edit(span[0], span[1], tokens)) == apply_edit(ids, answer))
    return hits
