"""Measures a model on bugs that compile, both when a bug is known to be there and when it is not.

One question to the model answers both. Known: the best edits, whatever 'no edit' has ('best edit, given that
one is needed'). Not known: what `ctm-repair fix --suggest` proposes, which depends on a threshold; so recall stands
against proposals per 1,000 functions of working code, and two models are compared at equal recall.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from ctm.grid.tokenizer import CodeTokenizer
from ctm.python.compiling import compiles
from ctm.python.lexical import exact_match
from ctm.repair.candidates import Proposer, StateCache, options
from ctm.repair.evaluate import Item
from ctm.repair.intervals import intervals_of_means
from ctm.repair.passes import strength

ANSWERS = 10
CHUNK = 256
BUDGETS = (1, 2, 5, 10, 20, 50, 100)
"""Proposals per 1,000 functions at which recall is given."""
RECALLS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)
"""Shares of the bugs at which proposals are given, and models compared."""
DRAWS = 1000
SEED = 0
LEVEL = 0.95
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ProposedEdits:
    """What a model would change in a text that compiles."""

    texts: tuple[str, ...]
    """What its edits make, best first, as far as it compiles; 'no edit' left out."""
    strength: float
    """Of the edit that would be suggested, which is the first one; 0 where 'no edit' comes before it."""


@dataclass(frozen=True, slots=True)
class BugResult:
    """How the edits of one bug did."""

    rank: int | None
    """Of the right text, from 1."""
    line: bool
    """Whether the first edit changes a line that the fix changes."""
    strength: float
    fits: bool
    """Whether the text fits the grid."""


def best_edits(
    texts: Sequence[str],
    proposer: Proposer,
    tokenizer: CodeTokenizer,
    answers: int = ANSWERS,
    advance: Callable[[int], None] = lambda done: None,
) -> list[ProposedEdits | None]:
    """Up to `answers` edits of each text; None for a text that does not fit. `advance`: how many more are done."""
    found: list[ProposedEdits | None] = [None] * len(texts)
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    for begin in range(0, len(order), CHUNK):
        places = order[begin : begin + CHUNK]
        make = StateCache(tokenizer)
        states = {place: state for place in places if (state := make(texts[place].rstrip("\n")))}
        for place, answer in zip(states, proposer.propose(list(states.values())), strict=True):
            state = states[place]
            made: list[str] = []
            strong: float | None = None
            for option in options(state, answer, tokenizer):
                if not option.is_edit:
                    strong = 0.0 if strong is None else strong
                elif option.text not in made and compiles(option.text):
                    made.append(option.text)
                    if strong is None:
                        strong = strength(option.candidate.probability, len(state.ids))
                if len(made) == answers:
                    break
            found[place] = ProposedEdits(tuple(made), strong or 0.0)
        advance(len(places))
    return found


def judge_edits(item: Item, edits: ProposedEdits | None) -> BugResult:
    """How the edits of a bug did."""
    if edits is None:
        return BugResult(None, False, 0.0, False)
    ranks = (rank for rank, text in enumerate(edits.texts, 1) if exact_match(text, item.fixed.rstrip("\n")))
    buggy = item.buggy.rstrip("\n")
    line = bool(edits.texts) and not changed_lines(buggy, edits.texts[0]).isdisjoint(
        changed_lines(buggy, item.fixed.rstrip("\n"))
    )
    return BugResult(next(ranks, None), line, edits.strength, True)


def changed_lines(before: str, after: str) -> set[int]:
    """Lines of `before` that are other in `after`, from 0; where lines only come, the one that they come before."""
    changed: set[int] = set()
    for step in Levenshtein.opcodes(before.split("\n"), after.split("\n")):
        if step.tag != "equal":
            changed.update(range(step.src_start, max(step.src_end, step.src_start + 1)))
    return changed


# --- measures -------------------------------------------------------------------------------------------------------


def measures(items: Sequence[Item], judged: Sequence[BugResult], threshold: float) -> dict[str, Any]:
    """Shares with their intervals over projects, of all, by category and by kind. threshold: of strengths."""
    table = np.array(
        [
            [
                one.fits,
                *(one.rank is not None and one.rank <= most for most in (1, 5, 10)),
                one.line,
                one.strength > threshold,
                one.strength > threshold and one.line,
                one.strength > threshold and one.rank == 1,
            ]
            for one in judged
        ],
        dtype=np.float64,
    )
    names = (
        "fits", "exact_at_1", "exact_at_5", "exact_at_10", "line", "proposed", "proposed_line", "proposed_right",
    )  # fmt: skip

    def of(chosen: Sequence[int]) -> dict[str, Any]:
        rows = table[list(chosen)]
        projects = [items[place].project for place in chosen]
        ends = intervals_of_means(rows, projects)
        shares = dict(zip(names, rows.mean(axis=0).tolist(), strict=True))
        return {
            "n": len(chosen),
            "projects": len(set(projects)),
            **shares,
            "intervals": dict(zip(names, ends, strict=True)),
        }

    def grouped(key: Callable[[Item], str]) -> dict[str, Any]:
        groups: dict[str, list[int]] = {}
        for place, item in enumerate(items):
            groups.setdefault(key(item), []).append(place)
        return {name: of(places) for name, places in sorted(groups.items(), key=lambda g: (-len(g[1]), g[0]))}

    return {
        "all": of(range(len(items))),
        "by_category": grouped(lambda item: item.category),
        "by_kind": grouped(lambda item: item.kind),
    }


@dataclass(frozen=True, slots=True)
class Strengths:
    """Of one model: what a threshold lets through. found [n] bugs, working [m] functions; 0 where nothing would be."""

    found: Floats
    """Of the proposals for bugs that count as found: those with the right edit, or in the right line."""
    working: Floats

    @staticmethod
    def of(
        judged: Sequence[BugResult], working: Sequence[ProposedEdits | None], lines: bool = False
    ) -> Strengths:
        """lines: whether an edit of the right line counts, else the right edit."""
        return Strengths(
            np.array([one.strength if (one.line if lines else one.rank == 1) else 0.0 for one in judged]),
            np.array([edits.strength if edits else 0.0 for edits in working]),
        )


def recall_at(strengths: Strengths, per_1000: float) -> float:
    """Share of the bugs found at the lowest threshold with at most `per_1000` proposals per 1,000 functions."""
    ranked = np.sort(strengths.working)[::-1]
    allowed = int(per_1000 * len(ranked) / 1000)
    threshold = ranked[allowed] if allowed < len(ranked) else 0.0
    return float((strengths.found > threshold).mean())


def proposals_at(found: Floats, working: Floats, recall: float) -> float:
    """Proposals per 1,000 functions at the highest threshold with at least that recall; NaN where none has it."""
    needed = max(1, int(np.ceil(recall * len(found) - 1e-9)))
    threshold = np.sort(found)[::-1][needed - 1] if needed <= len(found) else 0.0
    return 1000 * float((working >= threshold).mean()) if threshold > 0 else float("nan")


def curve(strengths: Strengths) -> dict[str, Any]:
    """Recall at each budget, and the whole sweep as rows (threshold, recall, proposals per 1,000)."""
    thresholds = np.unique(strengths.found[strengths.found > 0])[::-1]
    return {
        "recall_at": {str(budget): recall_at(strengths, budget) for budget in BUDGETS},
        "sweep": [
            [
                float(threshold),
                float((strengths.found >= threshold).mean()),
                1000 * float((strengths.working >= threshold).mean()),
            ]
            for threshold in thresholds
        ],
    }


def at_equal_recall(
    models: Mapping[str, Strengths], projects: Sequence[str], working_projects: Sequence[str]
) -> list[dict[str, Any]]:
    """Proposals per 1,000 functions of every model at each recall that all of them reach, with intervals.

    Intervals and, of two models, that of the ratio of the second to the first: whole projects of the suite and of the
    working code are drawn with replacement, the same ones for all models; draws in which one does not reach the recall
    count as infinitely many proposals.
    """
    rng = np.random.default_rng(SEED)
    draws = [(_draw(projects, rng), _draw(working_projects, rng)) for _ in range(DRAWS)]
    rows: list[dict[str, Any]] = []
    for recall in RECALLS:
        points = {name: proposals_at(one.found, one.working, recall) for name, one in models.items()}
        if any(np.isnan(value) for value in points.values()):
            break
        drawn = {
            name: np.nan_to_num(
                np.array([proposals_at(one.found[a], one.working[b], recall) for a, b in draws]), nan=np.inf
            )
            for name, one in models.items()
        }
        row: dict[str, Any] = {"recall": recall}
        row["per_1000"] = {name: {"value": points[name], "interval": _ends(drawn[name])} for name in models}
        if len(models) == 2:
            first, second = models
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = drawn[second] / drawn[first]
            row["ratio"] = {
                "value": points[second] / points[first] if points[first] else None,
                "interval": _ends(ratio[~np.isnan(ratio)]),
            }
        rows.append(row)
    return rows


def _draw(projects: Sequence[str], rng: np.random.Generator) -> NDArray[np.int64]:
    names, of = np.unique(np.array(projects), return_inverse=True)
    places = [np.flatnonzero(of == number) for number in range(len(names))]
    return np.concatenate([places[number] for number in rng.integers(len(names), size=len(names))])


def _ends(values: Floats) -> tuple[float | None, float | None]:
    if not len(values):
        return None, None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    return (float(low) if np.isfinite(low) else None), (float(high) if np.isfinite(high) else None)
