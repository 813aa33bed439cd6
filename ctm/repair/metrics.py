"""Measures of `ctm-repair evaluate`: exact match, BIFI, harm, tests and calibration, from one result per item.

Out of scope (does not fit the grid, or cannot be reached in 8 edits) is a failure in the shares of right answers and
in BIFI, whatever the answer was; it is left out of `in_scope` only. What an answer does to the code, guarded BIFI too,
is measured in scope or not: a user would have got it. A measure that nothing in the set can have is None. Nearly all
measures are means over items (MEANS), and so have intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ctm.repair.harm import Harm
from ctm.repair.intervals import LEVEL, Interval, intervals_of_means

BINS = 15
"""Equal-width bins of confidence for the calibration error, as in arXiv 1706.04599."""

Measures = dict[str, Any]
"""By name, in the order of docs/measures.md."""
HARM_LIMITS = (3, 5)
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
    project: str = ""
    """What the item was taken from; items of one project are alike. "" where unknown."""
    fixed_compiles: bool = True

    @property
    def is_right(self) -> bool:
        """Whether the first answer is an exact match; never out of scope."""
        return self.in_scope and self.exact_rank == 1

    @property
    def is_unreachable(self) -> bool:
        """Whether no answer can be right: out of scope, or the fixed text is another one that does not compile."""
        return not self.in_scope or not (self.fixed_compiles or self.is_clean)

    @property
    def is_guarded_bifi(self) -> bool:
        """The BIFI measure, with an edit that the author made and no name or literal lost that the author keeps."""
        harm = self.harm
        return self.bifi and harm is not None and not harm.collateral and (harm.edit_precision or 0.0) > 0


Value = Callable[[Outcome], float | None]


def _within(field: str, max_rank: int) -> Value:
    def value(item: Outcome) -> bool:
        rank = getattr(item, field)
        return item.in_scope and rank is not None and rank <= max_rank

    return value


def _if(counted: Callable[[Outcome], bool], value: Value) -> Value:
    """`value` of the items that count."""
    return lambda item: value(item) if counted(item) else None


def _of_harm(value: Callable[[Harm], float | None]) -> Value:
    """`value` of what the first answer does to the code, of the items where it was looked at."""
    return lambda item: None if item.harm is None else value(item.harm)


def _of_edit(value: Callable[[Harm], float | None]) -> Value:
    """The same of the first answers that are an edit."""
    return _if(lambda item: item.is_changed, _of_harm(value))


def _edit_recall(item: Outcome) -> float | None:
    recall = None if item.harm is None else item.harm.edit_recall
    return 0.0 if recall is not None and not item.in_scope else recall


HARM_MEANS: dict[str, Value] = {
    "edited": lambda item: item.is_changed,
    "edit_precision": _of_edit(lambda harm: harm.edit_precision),
    "edit_recall": _edit_recall,
    "collateral_1": _of_edit(lambda harm: harm.collateral > 0),
    "collateral_3": _of_edit(lambda harm: harm.collateral >= HARM_LIMITS[0]),
    "collateral_half": _of_edit(lambda harm: harm.loses_half_the_names),
    "over_deleted_5": _of_edit(lambda harm: harm.over_deleted > HARM_LIMITS[1]),
    "over_deleted_half": _of_edit(lambda harm: harm.loses_half_the_text),
    "statement_recall": _of_harm(lambda harm: harm.statement_recall),
    "same_tree": lambda item: None if item.harm is None else item.in_scope and item.harm.same_tree,
}
"""What the answers keep and lose; of the first answers that are an edit, but for what the author's code has."""
MEANS: dict[str, Value] = {
    "coverage": lambda item: item.in_scope,
    **{f"exact_at_{k}": _within("exact_rank", k) for k in (1, 5, 10)},
    "bifi": _if(lambda item: item.is_broken, lambda item: item.in_scope and item.bifi),
    "guarded_bifi": _if(lambda item: item.is_broken, lambda item: item.is_guarded_bifi),
    **HARM_MEANS,
    **{f"pass_at_{k}": _if(lambda item: item.has_test, _within("pass_rank", k)) for k in (1, 10)},
    "false_alarm": _if(lambda item: item.is_clean, lambda item: item.is_changed),
}
"""The measures of M that are means over items: each item's part in it, None where it has none."""


def measure(outcomes: Sequence[Outcome]) -> Measures:
    """M over the items; `n` = 0 and None elsewhere for an empty set."""
    ticks = [item.ticks for item in outcomes]
    exact = [item.is_right for item in outcomes]
    confidences = [item.confidence for item in outcomes]
    return {
        "n": len(outcomes),
        **{name: _mean(values) for name, values in _values(outcomes).items()},
        "ece": calibration_error(confidences, exact) if outcomes else None,
        "auroc": auroc(confidences, exact),
        "ticks_mean": _mean(ticks),
    }


def intervals(outcomes: Sequence[Outcome]) -> dict[str, Interval | None]:
    """95 % intervals of those of M that are shares or means of shares (ctm.repair.intervals); by name."""
    values = _values(outcomes)
    table = np.array(list(values.values()), dtype=np.float64).T.reshape(len(outcomes), len(values))
    found = intervals_of_means(table, [item.project for item in outcomes])
    return dict(zip(values, found, strict=True))


def _values(outcomes: Sequence[Outcome]) -> dict[str, list[float | None]]:
    """Every item's part in each mean, None where it has none; tests count where all of them could be run."""
    values = {name: [value(item) for item in outcomes] for name, value in MEANS.items()}
    if not all(item.test_ran for item in outcomes if item.has_test):
        values |= {name: [None] * len(outcomes) for name in values if name.startswith("pass_at_")}
    return values


def measure_baseline(outcomes: Sequence[Outcome]) -> Measures:
    """M of a baseline, which has one answer and no confidence in it."""
    return {**measure(outcomes), "ece": None, "auroc": None}


def report(
    outcomes: Sequence[Outcome], baselines: Mapping[str, Sequence[Outcome]] | None = None
) -> dict[str, Any]:
    """{"all": M, "in_scope": M, "by_category": {category: M}, "baselines": {name: M}, "unreachable", "intervals"}.

    Categories in alphabetical order; baselines, where there are any, on all the items. The intervals have the same
    keys as M: [low, high] of every share.
    """
    categories = sorted({item.category for item in outcomes})
    in_scope = [item for item in outcomes if item.in_scope]
    by_category = {name: [item for item in outcomes if item.category == name] for name in categories}
    found: dict[str, Any] = {
        "all": measure(outcomes),
        "in_scope": measure(in_scope),
        "by_category": {name: measure(items) for name, items in by_category.items()},
    }
    sure: dict[str, Any] = {
        "level": LEVEL,
        "projects": len({item.project for item in outcomes if item.project}),
        "all": intervals(outcomes),
        "in_scope": intervals(in_scope),
        "by_category": {name: intervals(items) for name, items in by_category.items()},
    }
    if baselines:
        found["baselines"] = {name: measure_baseline(items) for name, items in baselines.items()}
        sure["baselines"] = {name: intervals(items) for name, items in baselines.items()}
    return {**found, "unreachable": unreachable(outcomes), "intervals": sure}


def unreachable(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """How many items no search can get right, and why; `share` of all items, None without any."""
    lost = [item for item in outcomes if item.is_unreachable]
    return {
        "out_of_scope": sum(not item.in_scope for item in lost),
        "fixed_does_not_compile": sum(item.in_scope for item in lost),
        "share": len(lost) / len(outcomes) if outcomes else None,
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


def _mean(values: Iterable[float | None]) -> float | None:
    """Of those that are not None; None where there are none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
