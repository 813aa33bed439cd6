"""How sure the model is, and whether it may be: figures of certainty from the per-item answers of the benchmark.

Four questions, each with its own event (EVENTS): a score is only as good as the event that it is held against. The
confidence of broken code passes through two curves (ctm/repair/confidence.py): one fitted on made errors, by which the
suite `test` is judged, and one from those to real errors, by which the suite `real` is, and which users are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ctm.evaluation.reliability import reliability
from ctm.evaluation.scored import Scored
from ctm.evaluation.selective import selective
from ctm.pairs.record import CATEGORIES
from ctm.repair.confidence import ConfidenceCurve
from ctm.repair.intervals import LEVEL, Floats, intervals_of_means
from ctm.repair.metrics import BINS as WIDTH_BINS
from ctm.repair.metrics import calibration_error

COLUMNS = ("project", "broken", "share")
"""Of the items, which earlier benchmarks did not write."""
MADE_SUITE = "test"
"""The suite of synthetic bugs; all others are real code."""
BROKEN, WORKING, FIRST, ALL = "broken code", "code that compiles", "first edit", "all items"
EVENTS = {
    BROKEN: "the first answer has the lexical tokens of the fixed text; of broken code with an answer that compiles",
    WORKING: "the same, 'no edit' being right for clean code; of code that compiles, by the model's own decision",
    FIRST: "the likeliest edit at the most certain tick is the right first one; no search, no compiler, no other edit",
    ALL: "the same as of an answer; items without an answer, or out of scope, count as wrong",
}
CERTAINTY, SHARE, MADE, REAL, PROBABILITY, CONFIDENCE = (
    "certainty", "share", "confidence, made errors", "confidence, real errors", "probability", "confidence",
)  # fmt: skip
SCORES = {
    CERTAINTY: "1 less the normalized entropy of the pointers, the lowest of the answers that led here; 1 where a "
    "rewrite without the model did; no probability",
    SHARE: "probability of the text, given that it or another one of the search is right",
    MADE: "the share through the curve that is fitted on made errors of the validation split",
    REAL: "the same through the second curve, from made to real errors: what ctm-repair shows",
    PROBABILITY: "product of the probabilities of the edits made, or that of 'no edit'; no curve",
    CONFIDENCE: "as the benchmark counts it: made errors on `test`, real errors on `real`, else the probability; 0 "
    "where there is no answer",
}


def certainty_figures(
    items: pd.DataFrame, curve: ConfidenceCurve, thresholds: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """All figures, by suite.

    items: of items.parquet. curve: the one that the bundle brings. thresholds: of ctm.evaluation.precision, as dicts.
    """
    suites = {name: mine.reset_index(drop=True) for name, mine in items.groupby("suite", sort=False)}
    return {
        "level": LEVEL,
        "events": EVENTS,
        "scores": SCORES,
        "suites": {name: _suite(mine, curve) for name, mine in suites.items()},
        "precision_thresholds": [
            {"validation": dict(asked), **{name: _given(mine, asked, curve) for name, mine in suites.items()}}
            for asked in thresholds
        ],
    }


def is_answered(items: pd.DataFrame) -> pd.Series:
    """Which items are broken code with an answer that compiles."""
    return items["broken"] & items["compiles"] & (items["passes"] > 0)


def is_decided(items: pd.DataFrame) -> pd.Series:
    """Which items are code that compiles, and that the model was asked about."""
    return ~items["broken"] & (items["asked"] > 0)


def _suite(items: pd.DataFrame, curve: ConfidenceCurve) -> dict[str, Any]:
    answered, decided = is_answered(items), is_decided(items)
    broken, working, first = items[answered], items[decided], items[items["tick_right"].notna()]
    asked = items["broken"] & (items["asked"] > 0)
    share = broken["share"].to_numpy(dtype=np.float64)
    shown = {MADE: curve.of_made_errors, REAL: curve}
    certainty, right = _first_edits(first)
    return {
        "n": {
            "items": len(items),
            "projects": len(set(items["project"]) - {""}),
            "broken, answered": int(answered.sum()),
            "broken, no answer found": int((asked & ~answered).sum()),
            "compiles, decided": int(decided.sum()),
            "not asked (does not fit)": int((items["asked"] == 0).sum()),
        },
        "questions": {
            BROKEN: {
                CERTAINTY: of(_scored(broken, CERTAINTY)),
                SHARE: of(_with_score(broken, share)),
                **{
                    name: of(_with_score(broken, np.array([f(s) for s in share])))
                    for name, f in shown.items()
                },
            },
            WORKING: {
                CERTAINTY: of(_scored(working, CERTAINTY)),
                PROBABILITY: of(_scored(working, CONFIDENCE)),
            },
            FIRST: {CERTAINTY: of(Scored(certainty, right, first["project"].to_list()))},
            ALL: {CONFIDENCE: of(_scored(items, CONFIDENCE))},
        },
        "by_category": {
            name: {score: of(_scored(mine, score)) for score in (CERTAINTY, CONFIDENCE)}
            for name in CATEGORIES
            if len(mine := items[(items["category"] == name) & (answered | decided)])
        },
    }


def of(scored: Scored) -> dict[str, Any]:
    """All figures of a score: reliability and selection; what is null has its reason."""
    one, other = reliability(scored), selective(scored)
    return {
        "n": len(scored),
        "right": float(scored.right.mean()) if len(scored) else None,
        "mean": float(scored.score.mean()) if len(scored) else None,
        f"ece_{WIDTH_BINS}_equal_widths": calibration_error(scored.score.tolist(), scored.right.tolist())
        if len(scored)
        else None,
        **one,
        **other,
        "reasons": one["reasons"] | other["reasons"],
    }


def _scored(items: pd.DataFrame, score: str) -> Scored:
    return _with_score(items, items[score].to_numpy(dtype=np.float64))


def _with_score(items: pd.DataFrame, score: Floats) -> Scored:
    right = items["exact"].to_numpy(dtype=bool)
    return Scored(np.clip(score, 0.0, 1.0), right, items["project"].to_list())


def _first_edits(items: pd.DataFrame) -> tuple[Floats, Any]:
    """Certainty at the most certain tick, and whether its edit is right, [n] each."""
    if items.empty:
        return np.zeros(0), np.zeros(0, dtype=bool)
    certainty = np.stack(items["tick_certainty"].to_list()).astype(np.float64)
    right = np.stack(items["tick_right"].to_list()).astype(bool)
    rows, best = np.arange(len(items)), certainty.argmax(axis=1)
    return np.clip(certainty[rows, best], 0.0, 1.0), right[rows, best]


def _given(items: pd.DataFrame, asked: Mapping[str, Any], curve: ConfidenceCurve) -> dict[str, Any]:
    """What a threshold of precision gives on a suite's broken code: answers given, right ones, 95 % interval."""
    broken = items[items["broken"]]
    answered = broken[is_answered(broken)]
    found = {"items": len(broken), "answers": 0, "coverage": None, "precision": None, "interval": None}
    if asked["confidence"] is None or not len(broken):
        return found
    confidence = np.array([curve(share) for share in answered["share"]])
    given = answered[confidence >= asked["confidence"] - 1e-6]  # shares are stored as float32
    right = given["exact"].to_numpy(dtype=np.float64)
    return found | {
        "answers": len(given),
        "coverage": len(given) / len(broken),
        "precision": float(right.mean()) if len(given) else None,
        "interval": intervals_of_means(right[:, None], given["project"].to_list())[0],
    }


def own_confidence(suite: str) -> str:
    """Which confidence a suite is judged by: that of made errors for `test`, which has no others."""
    return MADE if suite == MADE_SUITE else REAL


def curve_of(stored: Mapping[str, float]) -> ConfidenceCurve:
    """The curve of the confidence, as the benchmark stores it."""
    return ConfidenceCurve(**stored)
