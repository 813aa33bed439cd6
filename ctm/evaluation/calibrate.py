"""Chooses the tick, edit and further thresholds on the validation split.

tick: certainty at which a thought ends, the one that saves most ticks among those that lose next to no accuracy.
edit: strength (of probability and length) that an edit of code that compiles must exceed, chosen on working code
(suggestions.py).
further: probability that it must exceed where an edit was made before, the one with which most repairs end right.
Beside them: the curve of the confidence (confidence.py), and from which confidence on 90 and 95 % of the answers to
broken code are right (precision.py).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.bugs.generation.mix import BugMix
from ctm.evaluation.confidence import ConfidenceChoice, choose_confidence
from ctm.evaluation.precision import PrecisionThreshold, choose_precision
from ctm.evaluation.real_like import real_like
from ctm.evaluation.repairs import CaseResult, repair_cases
from ctm.evaluation.settings import EvaluationSettings
from ctm.evaluation.suggestions import EVERY_EDIT, EditChoice, FirstEditFinder, choose_edit, draw_windows
from ctm.evaluation.suites import prepare
from ctm.evaluation.working import Window
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel
from ctm.model.device import pick_precision
from ctm.model.inference import RUN_ALL_TICKS
from ctm.pairs.overall import OVERALL, averages
from ctm.python.compiling import compiles
from ctm.python.lexical import exact_match
from ctm.repair.evaluate import Item

log = logging.getLogger(__name__)
STEPS = 50
"""Certainties that are tried as tick threshold: quantiles of those that were seen."""
FURTHER = tuple(number / 20 for number in range(20))
"""Probabilities that are tried as threshold of further edits: finer ones would follow the chance of a few items."""


@dataclass(frozen=True)
class TickChoice:
    """What a tick threshold gives on the validation items (first edits)."""

    threshold: float
    """2.0: a thought is never ended early."""
    ticks_mean: float
    """Ticks that a thought takes."""
    accuracy: dict[str, float]
    """By category and overall."""
    accuracy_of_all_ticks: dict[str, float]
    items: int


@dataclass(frozen=True)
class FurtherChoice:
    """What a threshold of further edits gives on the validation items (whole repairs)."""

    threshold: float
    accuracy: dict[str, float]
    """By category and overall."""
    accuracy_of_all_edits: dict[str, float]
    """Without the threshold."""
    items: int


@dataclass(frozen=True)
class Thresholds:
    """All thresholds and how they came about."""

    tick: TickChoice
    edit: EditChoice
    further: FurtherChoice
    confidence: ConfidenceChoice
    at_precision: list[PrecisionThreshold]
    judged: tuple[CaseResult, ...] = ()
    """The validation items that the tick and further thresholds were chosen on."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "tick": asdict(self.tick),
            "edit": self.edit.as_dict(),
            "further": asdict(self.further),
            "confidence": self.confidence.as_dict(),
        }


def calibrate(
    validation: Sequence[Item],
    model: EditModel,
    tokenizer: CodeTokenizer,
    settings: EvaluationSettings,
    threads: int,
    working: Sequence[Window] = (),
    mix: BugMix | None = None,
) -> Thresholds:
    """Choose the thresholds on the validation split: its pairs, and working code of its projects.

    mix: weights to draw kinds of bugs by, for the errors like real ones that the confidence is fitted on.
    """
    rng = np.random.default_rng(settings.seed)
    precision = pick_precision(settings.precision, model.device, "evaluation.precision")
    chosen = prepare(draw_equally(validation, settings.tick_items, rng), tokenizer)
    judged = repair_cases(
        chosen, model, tokenizer, RUN_ALL_TICKS, EVERY_EDIT, threads, "validation", precision=precision
    )
    tick = choose_tick(judged, model.config.ticks, settings.tick_loss)
    further = choose_further(judged)
    asker = FirstEditFinder(model, tokenizer, tick.threshold, precision, threads)
    edit = choose_edit(
        draw_windows(working, settings.windows, rng),
        validation,
        asker,
        settings.proposals_per_1000,
        settings.prior,
        settings.seed,
    )
    log.info(
        "thresholds: tick %.4f, edit %.4f, further %.2f", tick.threshold, edit.threshold, further.threshold
    )
    texts = {item.fixed: item.project for item in validation if compiles(item.fixed)}
    broken = prepare(real_like(texts, mix or BugMix({}), settings.confidence_items, settings.seed), tokenizer)
    repairs = repair_cases(
        broken,
        model,
        tokenizer,
        tick.threshold,
        EVERY_EDIT,
        threads,
        "validation, like real code",
        precision=precision,
    )
    confidence = choose_confidence(repairs)
    return Thresholds(
        tick, edit, further, confidence, choose_precision(repairs, confidence.curve), tuple(judged)
    )


def draw_equally(items: Sequence[Item], count: int, rng: np.random.Generator) -> list[Item]:
    """Up to `count` items, categories in equal shares; one with too few items is not filled up from the others."""
    names = sorted({item.category for item in items})
    drawn: list[Item] = []
    for name in names:
        pool = [item for item in items if item.category == name]
        drawn += [pool[i] for i in rng.permutation(len(pool))[: -(-count // len(names))]]
    return drawn


def choose_tick(judged: Sequence[CaseResult], ticks: int, allowed: float) -> TickChoice:
    """The certainty that ends thoughts earliest while accuracy loses at most `allowed`, in no category more."""
    thoughts = [(item, item.by_tick) for item in judged if item.by_tick is not None]
    if not thoughts:
        return TickChoice(RUN_ALL_TICKS, float(ticks), {}, {}, 0)
    right = np.stack([thought.right for _, thought in thoughts])
    certainty = np.stack([thought.certainty for _, thought in thoughts])
    category = np.array([item.case.item.category for item, _ in thoughts])
    kind = np.array([item.case.item.kind for item, _ in thoughts])

    def tried(threshold: float) -> tuple[dict[str, float], float]:
        answering, taken = answering_ticks(certainty, threshold)
        hits = right[np.arange(len(right)), answering].astype(np.float64)
        means = averages(category, kind, hits)
        return {name: float(mean) for name, mean in means.items()}, float(taken.mean())

    reference, best = tried(RUN_ALL_TICKS)
    chosen, threshold = reference, RUN_ALL_TICKS
    for candidate in np.unique(np.quantile(certainty, np.linspace(0, 1, STEPS + 1)).round(4)).tolist():
        accuracy, taken = tried(candidate)
        if taken < best and all(accuracy[name] >= reference[name] - allowed for name in reference):
            chosen, best, threshold = accuracy, taken, candidate
    return TickChoice(threshold, best, chosen, reference, len(thoughts))


def choose_further(judged: Sequence[CaseResult]) -> FurtherChoice:
    """The threshold of further edits with the highest accuracy overall, the lowest of equals; 0 without any item.

    judged: repairs without any threshold; those with one are the same up to the edit where they end.
    """
    ends = [_ends(item) for item in judged]
    category = np.array([item.case.item.category for item in judged])
    kind = np.array([item.case.item.kind for item in judged])

    def tried(threshold: float) -> dict[str, float]:
        right = [
            next(is_right for probability, is_right in item if probability <= threshold) for item in ends
        ]
        means = averages(category, kind, np.asarray(right, dtype=np.float64))
        return {name: float(mean) for name, mean in means.items()}

    table = {threshold: tried(threshold) for threshold in FURTHER}
    best = max(FURTHER, key=lambda threshold: table[threshold].get(OVERALL, 0.0))
    return FurtherChoice(best, table[best], table[FURTHER[0]], len(judged))


def _ends(judged: CaseResult) -> list[tuple[float, bool]]:
    """Where a repair may end: the probability of the edit made there (EVERY_EDIT: none was); whether it is right."""
    item, outcome = judged.case.item, judged.evaluated.outcome
    last = (EVERY_EDIT, outcome.in_scope and outcome.exact_rank == 1)
    passes = judged.evaluated.answers[0].passes if judged.evaluated.answers else ()
    return [
        *(
            (after.candidate.probability, outcome.in_scope and exact_match(before.text, item.fixed))
            for before, after in pairwise(passes)
            if compiles(before.text)
        ),
        last,
    ]


def answering_ticks(
    certainty: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which tick answers, from 0, and how many are thought, [n] each, from certainties [n, T].

    The first tick at the threshold, and as many ticks as that; else the most certain one, and all ticks.
    """
    past = certainty >= threshold
    stops = past.any(axis=1)
    first = past.argmax(axis=1)
    return (
        np.where(stops, first, certainty.argmax(axis=1)),
        np.where(stops, first + 1, certainty.shape[1]),
    )
