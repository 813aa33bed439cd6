"""What is counted in an evaluation: the dict M of `ctm-repair evaluate`, from one result per item.

Out of scope (does not fit the grid, or cannot be reached in 8 edits) is a failure in the shares of right answers and
in BIFI, whatever the answer was; it is left out of `in_scope` only. What an answer does to the code, guarded BIFI too,
is measured in scope or not: a user would have got it. A measure that nothing in the set can have is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from ctm.repair.harm import Harm

BINS = 15
"""Equal-width bins of confidence for the calibration error, as in arXiv 1706.04599."""

T = TypeVar("T")
Measures = dict[str, Any]
"""By name, in the order of docs/repair.md."""
SEVERAL = (3, 5)
"""Collateral names and over-deleted tokens of an answer that are counted as several: at least three, more than five."""


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
    harm: Harm | None = None
    """What the first answer keeps and loses."""

    @property
    def is_right(self) -> bool:
        """Whether the first answer is an exact match; never out of scope."""
        return self.in_scope and self.exact_rank == 1

    @property
    def is_guarded_bifi(self) -> bool:
        """The BIFI measure, with an edit that the author made and no name or literal lost that the author keeps."""
        harm = self.harm
        return self.bifi and harm is not None and not harm.collateral and (harm.edit_precision or 0.0) > 0


def measure(outcomes: Sequence[Outcome]) -> Measures:
    """M over the items; `n` = 0 and None elsewhere for an empty set."""
    broken = [item for item in outcomes if item.is_broken]
    tested = [item for item in outcomes if item.has_test]
    clean = [item for item in outcomes if item.is_clean]
    ran = tested if all(item.test_ran for item in tested) else []
    ticks = [item.ticks for item in outcomes if item.ticks is not None]
    exact = [item.is_right for item in outcomes]
    confidences = [item.confidence for item in outcomes]
    return {
        "n": len(outcomes),
        "coverage": _share(outcomes, lambda item: item.in_scope),
        **{f"exact_at_{k}": _share(outcomes, _within("exact_rank", k)) for k in (1, 5, 10)},
        "bifi": _share(broken, lambda item: item.in_scope and item.bifi),
        "guarded_bifi": _share(broken, lambda item: item.is_guarded_bifi),
        **harm_measures(outcomes),
        **{f"pass_at_{k}": _share(ran, _within("pass_rank", k)) for k in (1, 10)},
        "false_alarm": _share(clean, lambda item: item.is_changed),
        "ece": calibration_error(confidences, exact) if outcomes else None,
        "auroc": auroc(confidences, exact),
        "ticks_mean": float(np.mean(ticks)) if ticks else None,
    }


def harm_measures(outcomes: Sequence[Outcome]) -> Measures:
    """What the answers keep and lose; of the first answers that are an edit, but for what the author's code has."""
    judged = [(item, item.harm) for item in outcomes if item.harm is not None]
    edits = [harm for item, harm in judged if item.is_changed]
    recalls = [
        harm.edit_recall if item.in_scope else 0.0 for item, harm in judged if harm.edit_recall is not None
    ]
    few, many = SEVERAL
    return {
        "edited": _share(outcomes, lambda item: item.is_changed),
        "edit_precision": _mean(harm.edit_precision for harm in edits),
        "edit_recall": _mean(recalls),
        "collateral_1": _share(edits, lambda harm: harm.collateral > 0),
        "collateral_3": _share(edits, lambda harm: harm.collateral >= few),
        "collateral_half": _share(edits, lambda harm: harm.loses_half_the_names),
        "over_deleted_5": _share(edits, lambda harm: harm.over_deleted > many),
        "over_deleted_half": _share(edits, lambda harm: harm.loses_half_the_text),
        "statement_recall": _mean(harm.statement_recall for _, harm in judged),
        "same_tree": _share(judged, lambda pair: pair[0].in_scope and pair[1].same_tree),
    }


def measure_baseline(outcomes: Sequence[Outcome]) -> Measures:
    """M of a baseline, which has one answer and no confidence in it."""
    return {**measure(outcomes), "ece": None, "auroc": None}


def report(
    outcomes: Sequence[Outcome], baselines: Mapping[str, Sequence[Outcome]] | None = None
) -> dict[str, Any]:
    """{"all": M, "in_scope": M, "by_category": {category: M}, "baselines": {name: M}}.

    Categories in alphabetical order; baselines, where there are any, on all the items.
    """
    categories = sorted({item.category for item in outcomes})
    return {
        "all": measure(outcomes),
        "in_scope": measure([item for item in outcomes if item.in_scope]),
        "by_category": {
            name: measure([item for item in outcomes if item.category == name]) for name in categories
        },
        **(
            {"baselines": {name: measure_baseline(items) for name, items in baselines.items()}}
            if baselines
            else {}
        ),
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


def auroc(confidences: Sequence[float], correct: Sequence[bool]) -> float | None:
    """How often a right answer has more confidence than a wrong one; a tie counts half. None without one of each."""
    values = np.asarray(confidences, dtype=np.float64)
    is_right = np.asarray(correct, dtype=bool)
    right, wrong = values[is_right], np.sort(values[~is_right])
    if not len(right) or not len(wrong):
        return None
    below, up_to = (np.searchsorted(wrong, right, side=side) for side in ("left", "right"))
    return float((below + up_to).mean() / (2 * len(wrong)))


def _within(field: str, most: int) -> Callable[[Outcome], bool]:
    def holds(item: Outcome) -> bool:
        rank = getattr(item, field)
        return item.in_scope and rank is not None and rank <= most

    return holds


def _share(items: Iterable[T], holds: Callable[[T], bool]) -> float | None:
    return _mean(holds(item) for item in items)


def _mean(values: Iterable[float | None]) -> float | None:
    """Of those that are not None; None where there are none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
