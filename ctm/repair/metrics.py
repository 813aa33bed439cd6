"""What is counted in an evaluation: the dict M of `ctm-repair evaluate`, from one result per item.

Out of scope (does not fit the grid, or cannot be reached in 8 edits) is a failure in every share, whatever the answer
was; it is left out of `in_scope` only. A measure that nothing in the set can have is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

BINS = 15
"""Equal-width bins of confidence for the calibration error, as in arXiv 1706.04599."""

Measures = dict[str, Any]
"""n, coverage, exact_at_1/5/10, bifi, pass_at_1/10, false_alarm, ece, ticks_mean."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the ranked answers to one item did."""

    category: str
    in_scope: bool
    is_clean: bool
    """buggy == fixed: the right answer is 'no edit'."""
    is_broken: bool
    """The buggy text does not compile."""
    exact_rank: int | None
    """1-based rank of the first answer that is an exact match, None where none is."""
    bifi: bool = False
    """The first answer compiles and is 1 to 4 lexical tokens away from the buggy text."""
    has_test: bool = False
    test_ran: bool = False
    pass_rank: int | None = None
    """1-based rank of the first answer that passes the item's test."""
    is_changed: bool = False
    """The first answer differs from the buggy text in lexical tokens."""
    confidence: float = 0.0
    """Of the first answer; 0 where there is none."""
    ticks: float | None = None
    """Mean ticks of an answer of the model, None where it was not asked."""


def measure(outcomes: Sequence[Outcome]) -> Measures:
    """M over the items; `n` = 0 and None elsewhere for an empty set."""
    broken = [item for item in outcomes if item.is_broken]
    tested = [item for item in outcomes if item.has_test]
    clean = [item for item in outcomes if item.is_clean]
    ran = tested if all(item.test_ran for item in tested) else []
    ticks = [item.ticks for item in outcomes if item.ticks is not None]
    exact = [item.in_scope and item.exact_rank == 1 for item in outcomes]
    return {
        "n": len(outcomes),
        "coverage": _share(outcomes, lambda item: item.in_scope),
        **{f"exact_at_{k}": _share(outcomes, _within("exact_rank", k)) for k in (1, 5, 10)},
        "bifi": _share(broken, lambda item: item.in_scope and item.bifi),
        **{f"pass_at_{k}": _share(ran, _within("pass_rank", k)) for k in (1, 10)},
        "false_alarm": _share(clean, lambda item: item.is_changed),
        "ece": calibration_error([item.confidence for item in outcomes], exact) if outcomes else None,
        "ticks_mean": float(np.mean(ticks)) if ticks else None,
    }


def report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """{"all": M, "in_scope": M, "by_category": {category: M}}, categories in alphabetical order."""
    categories = sorted({item.category for item in outcomes})
    return {
        "all": measure(outcomes),
        "in_scope": measure([item for item in outcomes if item.in_scope]),
        "by_category": {
            name: measure([item for item in outcomes if item.category == name]) for name in categories
        },
    }


def calibration_error(confidences: Sequence[float], correct: Sequence[bool], bins: int = BINS) -> float:
    """Expected calibration error: mean |confidence - accuracy| of `bins` equal-width bins, weighted by items.

    Bin i holds (i / bins, (i + 1) / bins]; 0 belongs to the first.
    """
    values = np.asarray(confidences, dtype=np.float64)
    right = np.asarray(correct, dtype=np.float64)
    places = np.clip(np.ceil(values * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(places, weights=values - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(values))


def _within(field: str, most: int) -> Callable[[Outcome], bool]:
    def holds(item: Outcome) -> bool:
        rank = getattr(item, field)
        return item.in_scope and rank is not None and rank <= most

    return holds


def _share(items: Iterable[Outcome], holds: Callable[[Outcome], bool]) -> float | None:
    flags = [holds(item) for item in items]
    return sum(flags) / len(flags) if flags else None
