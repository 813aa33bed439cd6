"""Chooses the edit threshold on working code, and estimates how probable it is that a suggestion is right.

What counts is how many edits of working code are proposed per 1,000 functions of projects that never train.
The bar must hold for the upper end of an interval: of a bootstrap over whole projects (functions of one are alike), and
of the count itself, for which a bootstrap of few edits is too narrow. What is proposed here is what `suggest` would
propose but for its look at unbound names, which only takes edits away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ctm.evaluation.proposal_rate import ProjectBootstrap, Rate, rate
from ctm.evaluation.repairs import CHUNK, CHUNK_CELLS, single_threads
from ctm.evaluation.torch_proposer import TorchProposer
from ctm.evaluation.working import Window
from ctm.grid.batching import by_length
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel
from ctm.python.lexical import exact_match
from ctm.repair.evaluate import Item
from ctm.repair.odds import StrengthCurve
from ctm.repair.passes import Repairer, strength

BUGS = ("logic", "security")
"""Categories of the validation pairs that suggestions are for."""
EVERY_EDIT = -1.0
"""An edit threshold that every edit exceeds."""
NO_EDIT_THRESHOLD = 1.0
"""One that none exceeds."""
FIRST_BIN = 5
"""Edits of working code in the strongest bin of the curve; each further bin has as many as all before it."""


@dataclass(frozen=True)
class EditChoice:
    """An edit threshold and what it gives."""

    threshold: float
    """Of strengths (ctm.repair.passes)."""
    asked: float
    """Most proposals per 1,000 functions."""
    validation: Rate
    """On the working code that it was chosen on."""
    found: dict[str, float | None]
    """Share of the made bugs of the validation split, by category, that are suggested with the right edit."""
    auc: float | None
    """Probability that the right edit of a made bug is stronger than the edit of a working function."""
    odds: StrengthCurve | None
    """None where there is no working code or no bug."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "odds": self.odds.as_dict() if self.odds else None}


@dataclass(frozen=True, slots=True)
class FirstEdit:
    """The edit that a text would get first, whatever its strength."""

    strength: float
    """0 where there is none."""
    text: str


@dataclass(frozen=True)
class FirstEditFinder:
    """Asks the model for first edits of texts, in as many threads as the rule has."""

    model: EditModel
    tokenizer: CodeTokenizer
    tick: float
    precision: torch.dtype
    threads: int

    def first_edits(self, texts: Sequence[str]) -> list[FirstEdit | None]:
        """One per text; None where the text does not fit the grid."""
        cells = [len(self.tokenizer.encode(text)) for text in texts]
        chunks = by_length(cells, CHUNK_CELLS, CHUNK)[::-1]
        done: dict[int, FirstEdit | None] = {}

        def work(chunk: list[int]) -> list[FirstEdit | None]:
            proposer = TorchProposer(self.model, self.tokenizer, self.tick, precision=self.precision)
            repairs = Repairer(proposer, self.tokenizer, EVERY_EDIT, max_passes=1).repair(
                [texts[i] for i in chunk]
            )
            return [
                None
                if not repair.model_calls
                else FirstEdit(strength(repair.passes[0].candidate.probability, cells[i]), repair.text)
                if repair.edited
                else FirstEdit(0.0, repair.text)
                for i, repair in zip(chunk, repairs, strict=True)
            ]

        with single_threads(self.threads) as pool:
            for chunk, found in zip(chunks, pool.map(work, chunks), strict=True):
                done.update(zip(chunk, found, strict=True))
        return [done[index] for index in range(len(texts))]


def draw_windows(windows: Sequence[Window], count: int, rng: np.random.Generator) -> list[Window]:
    """Up to `count` windows, in equal shares of the projects as far as they reach."""
    projects: dict[str, list[Window]] = {}
    for window in windows:
        projects.setdefault(window.project, []).append(window)
    drawn: list[Window] = []
    for number, name in enumerate(sorted(projects, key=lambda name: (len(projects[name]), name))):
        share = (count - len(drawn)) // (len(projects) - number)
        mine = projects[name]
        drawn += [mine[i] for i in sorted(rng.permutation(len(mine))[:share])]
    return drawn


def choose_edit(
    working: Sequence[Window],
    bugs: Sequence[Item],
    asker: FirstEditFinder,
    asked: float,
    prior: float,
    seed: int,
) -> EditChoice:
    """The lowest threshold at which the upper end of proposals per 1,000 functions is at most `asked`.

    working: code to be left alone. bugs: validation pairs; those of other categories are left out.
    """
    bugs = [item for item in bugs if item.category in BUGS]
    edits = asker.first_edits([window.text for window in working])
    projects = [window.project for window, edit in zip(working, edits, strict=True) if edit]
    strengths = np.array([edit.strength for edit in edits if edit], dtype=np.float64)
    threshold = lowest_threshold(strengths, projects, asked, seed)
    answers = asker.first_edits([item.buggy.rstrip("\n") for item in bugs])
    strong = np.array([edit.strength if edit else 0.0 for edit in answers], dtype=np.float64)
    right = np.array(
        [
            bool(edit and edit.strength and exact_match(edit.text, item.fixed))
            for edit, item in zip(answers, bugs, strict=True)
        ],
        dtype=bool,
    )
    category = np.array([item.category for item in bugs])
    found = {
        name: float((right & (strong > threshold))[category == name].mean()) if name in category else None
        for name in BUGS
    }
    return EditChoice(
        threshold,
        asked,
        rate(strengths > threshold, projects, seed),
        found,
        area(strong[right], strengths[strengths > 0]),
        fit_odds(strengths, strong, right, prior),
    )


def lowest_threshold(
    strengths: NDArray[np.float64], projects: Sequence[str], asked: float, seed: int
) -> float:
    """See `choose_edit`. If even zero proposals do not prove the limit (too few functions), the strongest edit's."""
    if not len(strengths):
        return NO_EDIT_THRESHOLD
    bootstrap = ProjectBootstrap(projects, seed)
    ranked = np.unique(strengths)[::-1]
    chosen = float(ranked[0])
    for threshold in ranked.tolist():
        if bootstrap.interval(strengths > threshold)[1] > asked:
            break
        chosen = threshold
    return chosen


def area(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float | None:
    """Probability that one of `positive` is above one of `negative`, ties by half; None where either is empty."""
    if not len(positive) or not len(negative):
        return None
    ranked = np.sort(negative)
    below = np.searchsorted(ranked, positive, "left") + np.searchsorted(ranked, positive, "right")
    return float(below.mean() / 2 / len(ranked))


def fit_odds(
    working: NDArray[np.float64], bugs: NDArray[np.float64], right: NDArray[np.bool_], prior: float
) -> StrengthCurve | None:
    """Probability of being right by strength, where a share `prior` of all functions has a bug like those of `bugs`.

    working, bugs: strengths of first edits, 0 for none; right: of those of bugs. In bins of strength, each of twice as
    many edits of working code as the one above it, since single ones at the top would say 0 or 1; then made monotone.
    """
    edges = np.sort(working[working > 0])[::-1]
    if len(edges) < FIRST_BIN or not len(bugs):
        return None
    places, take = [FIRST_BIN], FIRST_BIN
    while places[-1] + take < len(edges):
        places.append(places[-1] + take)
        take *= 2
    places[-1] = len(edges)  # the last bin takes what is left
    lows = np.unique(edges[np.array(places) - 1])[::-1]
    bins: list[_Bin] = []
    above = math.inf
    for low in lows.tolist():
        ours, theirs = (working >= low) & (working < above), (bugs >= low) & (bugs < above)
        weight = (1 - prior) * ours.sum() / len(working) + prior * theirs.sum() / len(bugs)
        good = prior * (theirs & right).sum() / len(bugs)
        middle = float(np.median(working[ours]))
        bins.append(_Bin(middle, middle, float(weight), float(good)))
        above = low
    curve: list[_Bin] = []
    for item in reversed(bins):  # from the weakest; a bin below the one before it is pooled with it
        curve.append(item)
        while len(curve) > 1 and curve[-2].share > curve[-1].share:
            last, before = curve.pop(), curve.pop()
            curve.append(_Bin(before.first, last.last, before.weight + last.weight, before.good + last.good))
    ends = {strong: item.share for item in curve for strong in (item.first, item.last)}
    return StrengthCurve(prior, tuple(sorted(ends.items())))


@dataclass(frozen=True, slots=True)
class _Bin:
    """Edits of like strength."""

    first: float
    last: float
    """Middles of the weakest and the strongest bin that were pooled."""
    weight: float
    good: float
    """Weights of all edits and of the right ones."""

    @property
    def share(self) -> float:
        return self.good / self.weight
