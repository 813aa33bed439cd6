"""Evaluates the final model on the frozen test sets.

Every item goes through the passes that a user gets, with the model's own decision at its most certain tick;
items out of scope count as failures. `in_use` has the same of code that compiles with all thresholds, as `ctm-repair`
applies them: fewer false alarms, fewer repairs. The threshold of further edits holds in both.
**Accuracy by tick** is about the first edit alone: at tick t an item is right if the likeliest edit of that tick (no
candidate checked against the compiler, no further pass) makes exactly the right next text: for pairs of one edit the
fixed text, for longer ones the text after their first edit, for clean code 'no edit'. **Ticks used** counts to the
tick that answered: the first past the tick threshold, or else the most certain one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.bugs.generation.quotas import drawing_mix, read_quotas
from ctm.evaluation.averages import accuracy, counts, rare_kinds, shares
from ctm.evaluation.calibrate import EVERY_EDIT, Thresholds, answering_ticks, calibrate
from ctm.evaluation.items import write_items
from ctm.evaluation.proposal_rate import rate
from ctm.evaluation.repairs import CaseResult, repair_cases, single_threads
from ctm.evaluation.settings import EvaluationSettings
from ctm.evaluation.suggestions import FirstEditFinder, draw_windows
from ctm.evaluation.suites import Case, prepare, read_suite
from ctm.evaluation.torch_proposer import TorchProposer
from ctm.evaluation.working import Window, read_windows
from ctm.files import write_json
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel
from ctm.model.device import pick_device, pick_precision
from ctm.model.inference import RUN_ALL_TICKS
from ctm.model.weights import load_model
from ctm.pairs.overall import CLEAN, OVERALL, averages
from ctm.repair.evaluate import HARM, Evaluator, delete_shortest
from ctm.repair.metrics import HARM_MEANS, intervals, measure, measure_baseline, unreachable

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
TEST, REAL, VALIDATION = "test", "real", "validation"


def benchmark(
    weights: Path, tokenizer: Path, validation: Path, test: Path, real: Path, windows: Path, quotas: Path,
    settings: EvaluationSettings, threads: int, out: Path, items: Path, validation_items: Path,
) -> None:  # fmt: skip
    """Choose the thresholds on `validation`, measure on `test` and `real` (Parquet files of pairs).

    windows: working code of the projects of both splits (working.py). quotas: what `balance_mix` wrote.
    out: JSON of all figures. items: Parquet, a row per item of both suites; validation_items: the same of the items
    that the tick threshold was chosen on. Raises ValueError if `test` is empty or `quotas` are of another format.
    """
    started = time.monotonic()
    codec = CodeTokenizer.load(tokenizer)
    device = pick_device(settings.device)
    model = load_model(weights).to(device)
    precision = pick_precision(settings.precision, device, "evaluation.precision")
    working = read_windows(windows)
    mix = drawing_mix(read_quotas(quotas))
    thresholds = calibrate(
        read_suite(validation), model, codec, settings, threads, working["validation"], mix
    )
    in_use_too = {TEST: (thresholds.tick.threshold, thresholds.edit.threshold)}
    suites: dict[str, list[CaseResult]] = {}
    for name, path in ((TEST, test), (REAL, real)):
        cases = prepare(read_suite(path), codec)
        suites[name] = repair_cases(
            cases,
            model,
            codec,
            RUN_ALL_TICKS,
            EVERY_EDIT,
            threads,
            name,
            precision=precision,
            in_use=in_use_too.get(name),
            further=thresholds.further.threshold,
            # made errors have one right repair; real ones often the author's own
            confidence=thresholds.confidence.curve.of_made_errors
            if name == TEST
            else thresholds.confidence.curve,
        )
    if not suites[TEST]:
        raise ValueError(f"{test}: has no pairs; the benchmark needs at least one")
    ranked = rank([judged.case for judged in suites[TEST]], model, codec, thresholds, settings, threads)
    report = {
        "format_version": FORMAT_VERSION,
        **figures(suites[TEST], model.config.ticks, thresholds.tick.threshold),
        "in_use": in_use(suites[TEST]),
        "suggestions": suggestions(
            working[TEST],
            thresholds,
            FirstEditFinder(model, codec, thresholds.tick.threshold, precision, threads),
            settings,
        ),
        "ranked": ranked,
        "suites": {name: suite_figures(judged) for name, judged in suites.items() if judged},
        "suite_intervals": {name: suite_intervals(judged) for name, judged in suites.items() if judged},
        "deletion": {name: deletion_figures(judged) for name, judged in suites.items() if judged},
        "thresholds": {
            "tick": thresholds.tick.threshold,
            "edit": thresholds.edit.threshold,
            "further": thresholds.further.threshold,
        },
        "confidence": asdict(thresholds.confidence.curve),
        "precision_thresholds": [threshold.as_dict() for threshold in thresholds.at_precision],
        "calibration": thresholds.as_dict(),
        "parameters": model.parameter_counts(),
        "precision": str(precision).removeprefix("torch."),
        "seconds": time.monotonic() - started,
    }
    write_items(items, [row(name, judged) for name, suite in suites.items() for judged in suite])
    write_items(validation_items, [row(VALIDATION, judged) for judged in thresholds.judged])
    write_json(out, report)


def figures(judged: Sequence[CaseResult], ticks: int, threshold: float) -> dict[str, Any]:
    """The figures of a suite whose kinds are in equal shares; `ticks` is T, `threshold` the tick threshold."""
    category = np.array([item.case.item.category for item in judged])
    kind = np.array([item.case.item.kind for item in judged])
    outcomes = [item.evaluated.outcome for item in judged]
    exact = [is_exact(item) for item in judged]
    right, certainty = by_tick(judged, ticks)
    asked = ~np.isnan(certainty[:, 0])
    all_measures = measure(outcomes)
    return {
        **accuracy(category, kind, [outcome.project for outcome in outcomes], exact),
        "rare_kinds": rare_kinds(category, kind),
        "unreachable": unreachable(outcomes),
        "coverage": shares(category, kind, [outcome.in_scope for outcome in outcomes]),
        "n": counts(category),
        "ece": all_measures["ece"],
        "false_alarm": all_measures["false_alarm"],
        "auroc": all_measures["auroc"],
        "bifi": all_measures["bifi"],
        "guarded_bifi": all_measures["guarded_bifi"],
        **{name: all_measures[name] for name in HARM_MEANS},
        "accuracy_by_tick": _points(averages(category, kind, right.astype(np.float64)).get(OVERALL)),
        "accuracy_by_tick_by_category": {
            name: _points(values)
            for name, values in averages(category, kind, right.astype(np.float64)).items()
            if name != OVERALL
        },
        "certainty_by_tick": _points(certainty[asked].mean(axis=0)) if asked.any() else [],
        "ticks_used": {
            "mean": all_measures["ticks_mean"],
            "thought_mean": float(answering_ticks(certainty[asked], threshold)[1].mean())
            if asked.any()
            else None,
            "of": ticks,
        },
        "by_kind": by_kind(judged, exact),
    }


def in_use(judged: Sequence[CaseResult]) -> dict[str, Any]:
    """Accuracy by category, and false alarms, of items of other categories than syntax, with the thresholds of use."""
    with_thresholds = [CaseResult(item.case, item.in_use, None) for item in judged if item.in_use]
    category = np.array([item.case.item.category for item in with_thresholds])
    kind = np.array([item.case.item.kind for item in with_thresholds])
    measures = measure([item.evaluated.outcome for item in with_thresholds])
    return {
        **accuracy(
            category,
            kind,
            [item.case.item.project for item in with_thresholds],
            [is_exact(item) for item in with_thresholds],
        ),
        "false_alarm": measures["false_alarm"],
        "ticks_mean": measures["ticks_mean"],
    }


def suggestions(
    working: Sequence[Window], thresholds: Thresholds, asker: FirstEditFinder, settings: EvaluationSettings
) -> dict[str, Any]:
    """What `--suggest` does: proposals per 1,000 functions of working code of both splits, bugs found."""
    edit = thresholds.edit
    drawn = draw_windows(working, settings.windows, np.random.default_rng(settings.seed))
    edits = asker.first_edits([window.text for window in drawn])
    projects = [window.project for window, first in zip(drawn, edits, strict=True) if first]
    proposed = np.array([first.strength > edit.threshold for first in edits if first], dtype=bool)
    return {
        "asked": edit.asked,
        "validation": asdict(edit.validation),
        "test": asdict(rate(proposed, projects, settings.seed)),
        "found": edit.found,
        "auc": edit.auc,
        "odds": edit.odds.as_dict() if edit.odds else None,
    }


def by_tick(judged: Sequence[CaseResult], ticks: int) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Whether each tick was right, and its certainty, [n, T] each; wrong, and NaN, where the model was not asked."""
    right = np.zeros((len(judged), ticks), dtype=bool)
    certainty = np.full((len(judged), ticks), np.nan, dtype=np.float32)
    for place, item in enumerate(judged):
        if item.by_tick is not None:
            right[place], certainty[place] = item.by_tick.right, item.by_tick.certainty
    return right, certainty


def by_kind(judged: Sequence[CaseResult], exact: Sequence[bool]) -> dict[str, dict[str, Any]]:
    """Category, n, accuracy, coverage, BIFI and guarded BIFI of every kind, in the order of categories and names."""
    groups: dict[tuple[str, str], list[int]] = {}
    for place, item in enumerate(judged):
        groups.setdefault((item.case.item.category, item.case.item.kind), []).append(place)
    table = {}
    for (category, kind), places in sorted(groups.items()):
        measures = measure([judged[place].evaluated.outcome for place in places])
        name = kind if kind not in table else f"{kind} ({category})"
        table[name] = {
            "category": category,
            "n": len(places),
            "accuracy": float(np.mean([exact[place] for place in places])),
            "coverage": measures["coverage"],
            "bifi": measures["bifi"],
            "guarded_bifi": measures["guarded_bifi"],
        }
    return table


def suite_figures(judged: Sequence[CaseResult]) -> dict[str, Any]:
    """M of ctm.repair.metrics over all items; ranks beyond the first are not asked for here."""
    return _first_ranks(measure([item.evaluated.outcome for item in judged]))


def suite_intervals(judged: Sequence[CaseResult]) -> dict[str, Any]:
    """Intervals of those of the same figures that are shares."""
    return _first_ranks(intervals([item.evaluated.outcome for item in judged]))


def deletion_figures(judged: Sequence[CaseResult]) -> dict[str, Any]:
    """The same of the deletion baseline, which has no grid that an item could be too large for."""
    return _first_ranks(measure_baseline(delete_shortest(item.case.item for item in judged)))


def _first_ranks(measures: dict[str, Any]) -> dict[str, Any]:
    absent = ("exact_at_5", "exact_at_10", "pass_at_1", "pass_at_10")
    return {name: value for name, value in measures.items() if name not in absent}


def rank(
    cases: Sequence[Case],
    model: EditModel,
    codec: CodeTokenizer,
    thresholds: Thresholds,
    settings: EvaluationSettings,
    threads: int,
) -> dict[str, Any]:
    """Exact match among one, five and ten answers, on `ranked_items` items with a bug drawn from the test set."""
    buggy = [case.item for case in cases if case.item.category != CLEAN]
    drawn = np.random.default_rng(settings.seed).permutation(len(buggy))[: settings.ranked_items]
    if not len(drawn):
        return {"n": 0}
    precision = pick_precision(settings.precision, model.device, "evaluation.precision")
    proposer = TorchProposer(model, codec, thresholds.tick.threshold, precision=precision)
    evaluator = Evaluator(
        proposer, codec, thresholds.edit.threshold, thresholds.further.threshold, run_tests=False
    )
    parts = [[buggy[i] for i in drawn[part::threads]] for part in range(min(threads, len(drawn)))]
    with single_threads(threads) as pool:
        measures = measure([item.outcome for done in pool.map(evaluator.evaluate, parts) for item in done])
    return {name: measures[name] for name in ("n", "exact_at_1", "exact_at_5", "exact_at_10")}


def is_exact(judged: CaseResult) -> bool:
    """Whether the repair is an exact match; never for an item out of scope."""
    return judged.evaluated.outcome.in_scope and judged.evaluated.outcome.exact_rank == 1


def row(suite: str, judged: CaseResult) -> dict[str, Any]:
    """An item's row of items.parquet."""
    case, outcome = judged.case, judged.evaluated.outcome
    first = judged.evaluated.answers[0] if judged.evaluated.answers else None
    thought, harm = judged.by_tick, outcome.harm
    return {
        "suite": suite,
        "id": case.item.item_id,
        "category": case.item.category,
        "kind": case.item.kind,
        "project": case.item.project,
        "broken": outcome.is_broken,
        "in_scope": outcome.in_scope,
        "reason": case.reason,
        "cells": case.cells,
        "edits": case.edits,
        "exact": is_exact(judged),
        "bifi": outcome.bifi,
        "guarded_bifi": outcome.is_guarded_bifi,
        **{name: getattr(harm, name) if harm else None for name in HARM},
        "compiles": bool(first and first.compiles),
        "changed": outcome.is_changed,
        "confidence": outcome.confidence,
        "share": first.share if first else None,
        "certainty": first.certainty if first else None,
        "ticks": outcome.ticks,
        "asked": first.model_calls if first else 0,
        "passes": len(first.passes) if first else 0,
        "stopped": first.stopped if first else "",
        "answer": first.text if first else "",
        "tick_right": thought.right.tolist() if thought else None,
        "tick_certainty": thought.certainty.tolist() if thought else None,
    }


def _points(values: NDArray[np.generic] | None) -> list[list[float]]:
    """[tick, value] from tick 1 on."""
    return [] if values is None else [[tick, float(value)] for tick, value in enumerate(values, 1)]
