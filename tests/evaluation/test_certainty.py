"""Certainty counted again from raw answers, in loops and without the library; what it says of simple answerers."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ctm.evaluation.certainty import (
    ALL,
    BROKEN,
    CERTAINTY,
    CONFIDENCE,
    FIRST,
    MADE,
    PROBABILITY,
    REAL,
    SHARE,
    WORKING,
    certainty_figures,
    own_confidence,
)
from ctm.evaluation.items import ITEMS
from ctm.repair.confidence import ConfidenceCurve
from ctm.repair.metrics import calibration_error

CURVE = ConfidenceCurve(0.5, 0.6).of_real_errors
ASKED = [
    {"precision": 0.9, "confidence": CURVE(0.8), "answers": 1},
    {"precision": 0.95, "confidence": None, "answers": 0},
]
TICKS = 3


def raw_answers(suite: str = "test", n: int = 400, seed: int = 0) -> list[dict[str, Any]]:
    """Rows as the benchmark writes them, of six projects: two thirds broken code, one in ten of it without answer."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        broken, score = number % 3 > 0, float(rng.random())
        share = score if broken and number % 10 else None
        answered = share is not None or not broken
        right = bool(answered and rng.random() < score)
        curve = CURVE.of_made_errors if suite == "test" else CURVE
        row: dict[str, Any] = dict.fromkeys(ITEMS.names) | {
            "suite": suite, "id": str(number), "project": f"p{rng.integers(6)}", "broken": broken,
            "category": "syntax" if broken else ("logic", "clean")[number % 2], "in_scope": True,
            "compiles": answered, "passes": int(share is not None), "asked": 1, "exact": right, "share": share,
            "confidence": 0.0 if not answered else score if share is None else curve(share),
            "certainty": float(np.clip(score + rng.normal(0, 0.2), 0, 1)),
            "tick_right": [bool(rng.random() < 0.5) for _ in range(TICKS)],
            "tick_certainty": rng.random(TICKS).tolist(),
        }  # fmt: skip
        rows.append(row)
    rows.append(rows[0] | {"id": "large", "asked": 0, "exact": False, "confidence": 0.0, "tick_right": None})
    return rows


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return raw_answers()


@pytest.fixture(scope="module")
def figures(rows: list[dict[str, Any]]) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ctm.repair.intervals.DRAWS", 200)  # for time; intervals have tests of their own
        return certainty_figures(pd.DataFrame([*rows, *raw_answers("real", 120, seed=1)]), CURVE, ASKED)


def recount(pairs: list[tuple[float, bool]], bins: int = 15) -> dict[str, float]:
    """Accuracy, calibration error in bins of equally many and AUROC of (score, right), all scores different."""
    ordered = sorted(pairs)
    groups: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for rank, pair in enumerate(ordered):
        groups[int((rank + 0.5) * bins / len(ordered))].append(pair)
    gap = sum(abs(sum(score for score, _ in group) - sum(right for _, right in group)) for group in groups)
    won = sum((good > bad) + (good == bad) / 2 for good, a in pairs if a for bad, b in pairs if not b)
    right = sum(right for _, right in pairs)
    return {
        "right": right / len(pairs),
        "ece": gap / len(pairs),
        "auroc": won / (right * (len(pairs) - right)),
        "brier": sum((score - right) ** 2 for score, right in pairs) / len(pairs),
    }


def test_figures_are_those_of_a_recount_from_raw_answers(
    rows: list[dict[str, Any]], figures: dict[str, Any]
) -> None:
    answered = [row for row in rows if row["share"] is not None]
    decided = [row for row in rows if not row["broken"] and row["asked"]]
    asked = [row for row in rows if row["tick_right"]]
    best = [max(range(TICKS), key=lambda tick: row["tick_certainty"][tick]) for row in asked]
    counted = {
        (BROKEN, SHARE): [(row["share"], row["exact"]) for row in answered],
        (WORKING, PROBABILITY): [(row["confidence"], row["exact"]) for row in decided],
        (FIRST, CERTAINTY): [
            (row["tick_certainty"][tick], row["tick_right"][tick])
            for row, tick in zip(asked, best, strict=True)
        ],
    }
    for (question, score), pairs in counted.items():
        found = figures["suites"]["test"]["questions"][question][score]
        assert found["n"] == len(pairs)
        for name, value in recount(pairs).items():
            assert found[name] == pytest.approx(value), (question, score, name)
    everything = figures["suites"]["test"]["questions"][ALL][CONFIDENCE]
    confidences, right = [row["confidence"] for row in rows], [row["exact"] for row in rows]
    assert everything["ece_15_equal_widths"] == calibration_error(confidences, right), (
        "`ece` of benchmark.json"
    )
    assert figures["suites"]["test"]["n"] == {
        "items": len(rows), "projects": len({row["project"] for row in rows}), "broken, answered": len(answered),
        "broken, no answer found": sum(row["broken"] and row["share"] is None for row in rows),
        "compiles, decided": len(decided), "not asked (does not fit)": 1,
    }  # fmt: skip


def test_intervals_are_those_of_drawing_projects_and_answers_by_hand(
    rows: list[dict[str, Any]], figures: dict[str, Any]
) -> None:
    answered = [row for row in rows if row["share"] is not None]
    by_project: dict[str, list[dict[str, Any]]] = {}
    for row in answered:
        by_project.setdefault(row["project"], []).append(row)
    ends: dict[str, list[tuple[float, float]]] = {"brier": [], "auroc": []}
    for units in (list(by_project.values()), [[row] for row in answered]):
        draw = Random(1)
        drawn: dict[str, list[float]] = {name: [] for name in ends}
        for _ in range(200):
            chosen = [row for unit in draw.choices(units, k=len(units)) for row in unit]
            counted = recount([(row["share"], row["exact"]) for row in chosen])
            for name in ends:
                drawn[name].append(counted[name])
        for name, values in drawn.items():
            ordered = sorted(values)
            ends[name].append((ordered[4], ordered[-5]))
    found = figures["suites"]["test"]["questions"][BROKEN][SHARE]
    for name, both in ends.items():
        low, high = min(one for one, _ in both), max(other for _, other in both)
        width = high - low
        assert found[f"{name}_interval"] == pytest.approx((low, high), abs=0.25 * width), name


def test_calibration_moves_scores_and_not_their_order(
    rows: list[dict[str, Any]], figures: dict[str, Any]
) -> None:
    broken = figures["suites"]["test"]["questions"][BROKEN]
    kept = [(row["confidence"], row["exact"]) for row in rows if row["share"] is not None]
    assert broken[MADE]["mean"] == pytest.approx(np.mean([score for score, _ in kept])), (
        "as the benchmark made it"
    )
    assert broken[MADE]["auroc"] == broken[REAL]["auroc"] == pytest.approx(broken[SHARE]["auroc"], abs=2e-3)
    assert broken[REAL]["mean"] < broken[MADE]["mean"], "real errors are harder"
    real = figures["suites"]["real"]["questions"][BROKEN]
    assert own_confidence("test") == MADE and own_confidence("real") == REAL
    assert real[REAL]["n"] == sum(row["share"] is not None for row in raw_answers("real", 120, seed=1))


def test_thresholds_are_checked_on_every_suite(rows: list[dict[str, Any]], figures: dict[str, Any]) -> None:
    chosen, none = figures["precision_thresholds"]
    given = [row["exact"] for row in rows if row["share"] is not None and row["share"] >= 0.8]
    assert chosen["test"]["answers"] == len(given) and chosen["test"]["precision"] == pytest.approx(
        np.mean(given)
    )
    assert chosen["test"]["coverage"] == len(given) / sum(row["broken"] for row in rows)
    low, high = chosen["test"]["interval"]
    assert low < np.mean(given) < high
    assert none["test"]["precision"] is none["real"]["coverage"] is None


def test_categories_have_the_answers_of_both_sorts(
    rows: list[dict[str, Any]], figures: dict[str, Any]
) -> None:
    by_category = figures["suites"]["test"]["by_category"]
    assert set(by_category) == {"syntax", "logic", "clean"}
    for name, of in by_category.items():
        mine = [row for row in rows if row["category"] == name and (row["share"] or not row["broken"])]
        assert of[CONFIDENCE]["n"] == sum(row["asked"] for row in mine)


def answers_of(scores: list[float], right: list[bool]) -> dict[str, Any]:
    """Figures of decisions on code that compiles."""
    plain = raw_answers(n=1)[0] | {"broken": False, "share": None, "compiles": True, "tick_right": None}
    items = [
        plain
        | {"id": str(n), "confidence": score, "certainty": score, "exact": is_right, "category": "clean"}
        for n, (score, is_right) in enumerate(zip(scores, right, strict=True))
    ]
    found: dict[str, Any] = certainty_figures(pd.DataFrame(items), CURVE, [])["suites"]["test"]
    return found["questions"][WORKING][PROBABILITY]


def test_an_oracle_one_that_is_always_sure_and_one_that_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctm.repair.intervals.DRAWS", 100)
    right = [True] * 120 + [False] * 80
    oracle = answers_of([1.0] * 120 + [0.0] * 80, right)
    assert (oracle["right"], oracle["ece"], oracle["brier"], oracle["auroc"]) == (0.6, 0.0, 0.0, 1.0)
    assert oracle["aurc_excess"] == pytest.approx(0, abs=1e-12)
    sure = answers_of([1.0] * 200, right)
    assert sure["ece"] == sure["brier"] == pytest.approx(0.4) and sure["auroc"] == 0.5
    assert sure["aurc"] == sure["aurc_guess"] == pytest.approx(0.4)
    rng = np.random.default_rng(3)
    guess = answers_of(rng.random(4000).tolist(), (rng.random(4000) < 0.5).tolist())
    assert guess["auroc"] == pytest.approx(0.5, abs=0.02)
    assert guess["ece"] == pytest.approx(0.25, abs=0.02), "mean of |u - 1/2| over u from 0 to 1"
    assert guess["brier"] == pytest.approx(1 / 3, abs=0.02) and guess["slope"] == pytest.approx(0, abs=0.1)
    assert guess["aurc"] == pytest.approx(0.5, abs=0.03)


def test_items_without_any_answer_have_figures_of_nothing() -> None:
    unasked = [
        row | {"asked": 0, "share": None, "tick_right": None, "compiles": False} for row in raw_answers(n=5)
    ]
    found = certainty_figures(pd.DataFrame(unasked), CURVE, ASKED)["suites"]["test"]
    assert found["n"]["not asked (does not fit)"] == 6 and found["by_category"] == {}
    assert all(score["right"] is None for score in found["questions"][BROKEN].values())
