"""Are the kinds of one category alike in the synchronization? Representational similarity of kinds.

Each kind is its mean readout. How unlike two kinds are is 1 less their correlation, over pairs that are standardized
over the kinds (Kriegeskorte and others, Representational similarity analysis, 2008); two ways of being unlike are
compared by Spearman's correlation, and p is how often kinds that change names agree as well (Mantel).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ctm.analysis.synchronization.ablation import halves_of
from ctm.analysis.synchronization.probe import permutation_p
from ctm.evaluation.estimates import no_figure
from ctm.evaluation.thoughts import AskedItems, Thoughts

LEAST_KINDS, LEAST_ITEMS = 6, 3
"""Kinds that are compared, and items of a kind in each half of the projects."""
PERMUTATIONS = 999
ONE_MODEL = "one trained model is at hand; seeds can be compared where the same config has been trained twice"

Floats = NDArray[np.float64]


def similarity_figures(
    trained: Thoughts,
    untrained: Thoughts,
    items: AskedItems,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Agreement of the synchronization's distances between kinds with other distances; `n` is the number of kinds."""
    half = halves_of(items.projects.tolist())
    name, kinds = _kinds(items, half)
    head: dict[str, Any] = {"n": len(kinds), "seeds": no_figure(ONE_MODEL)}
    if len(kinds) < LEAST_KINDS:
        return {**head, "same category": _too_few(kinds)}
    readout = trained.at_answer(trained.readout)

    def between(features: NDArray[Any], among: NDArray[np.bool_]) -> Floats:
        return _between(features[among], name[among], kinds)

    everyone = np.ones(len(items), bool)
    own = between(readout, everyone)
    category = np.array([kind.partition("/")[0] for kind in kinds])
    others: Mapping[str, Floats] = {
        "same category": (category[:, None] != category[None, :]).astype(np.float64),
        "encoder pool": between(trained.pooled, everyone),
        "untrained synchronization": between(untrained.at_answer(untrained.readout), everyone),
    }
    first, second = between(readout, half), between(readout, ~half)
    pooled = others["encoder pool"]
    return {
        **head,
        "categories": {str(c): int((category == c).sum()) for c in np.unique(category)},
        **{other: _agreement(own, distance, rng) for other, distance in others.items()},
        "two halves of the projects": _agreement(first, second, rng),
        "encoder pool and same category": _agreement(pooled, others["same category"], rng),
    }


def seeds_similarity(
    one: Thoughts, other: Thoughts, items: AskedItems, rng: np.random.Generator
) -> dict[str, Any]:
    """Do two models, trained with two seeds, tell the same kinds apart? Agreement of their distances between kinds.

    Their neurons and pairs are other ones, so the readouts cannot be compared, but how unlike kinds are in each can.
    one, other: thoughts about the same `items`. "encoder pool": the same of both encoders. "two halves": of each model
    with itself over two halves of the projects, which is as much as two seeds could agree.
    """
    half = halves_of(items.projects.tolist())
    name, kinds = _kinds(items, half)
    if len(kinds) < LEAST_KINDS:
        return {"n": len(kinds), "synchronization": _too_few(kinds)}
    mine, theirs = (thoughts.at_answer(thoughts.readout) for thoughts in (one, other))

    def agree(first: NDArray[Any], second: NDArray[Any], sides: tuple[Any, Any]) -> dict[str, Any]:
        a, b = (
            _between(features[side], name[side], kinds)
            for features, side in zip((first, second), sides, strict=True)
        )
        return _agreement(a, b, rng)

    everyone = np.ones(len(items), bool)
    return {
        "n": len(kinds),
        "synchronization": agree(mine, theirs, (everyone, everyone)),
        "encoder pool": agree(one.pooled, other.pooled, (everyone, everyone)),
        "two halves": [agree(readout, readout, (half, ~half)) for readout in (mine, theirs)],
    }


def _kinds(items: AskedItems, half: NDArray[np.bool_]) -> tuple[NDArray[np.str_], list[str]]:
    """The kind of each item with its category, and the kinds that have items enough in both halves of the projects."""
    name = np.array([f"{item.case.item.category}/{item.case.item.kind}" for item in items.items], np.str_)
    return name, [
        str(kind)
        for kind in np.unique(name)
        if min(((name == kind) & (half == side)).sum() for side in (False, True)) >= LEAST_ITEMS
    ]


def _too_few(kinds: list[str]) -> dict[str, Any]:
    why = f"{len(kinds)} kinds have {LEAST_ITEMS} items in both halves of the projects; {LEAST_KINDS} are needed"
    return no_figure(why, len(kinds))


def _between(features: NDArray[Any], name: NDArray[np.str_], kinds: list[str]) -> Floats:
    """Distances [k, k] of the kinds, each its mean over the items of features [n, d]."""
    return distances(np.stack([features[name == kind].mean(axis=0) for kind in kinds]))


def distances(means: Floats) -> Floats:
    """1 less the correlation of each two rows, [k, k], of means [k, features] standardized over the rows."""
    spread = means.std(axis=0)
    means = np.asarray((means - means.mean(axis=0))[:, spread > 0] / spread[spread > 0], np.float64)
    if not means.shape[1]:
        return np.zeros((len(means), len(means)))
    return 1 - np.atleast_2d(np.corrcoef(means))


def agreement(one: Floats, other: Floats) -> float | None:
    """Spearman's correlation of two [k, k] distances, above the diagonal; None where all of one are equal."""
    above = np.triu_indices(len(one), 1)
    ranks = np.stack([rankdata(one[above]), rankdata(other[above])])
    return None if (np.ptp(ranks, axis=1) == 0).any() else float(np.corrcoef(ranks)[0, 1])


def _agreement(one: Floats, other: Floats, rng: np.random.Generator) -> dict[str, Any]:
    value = agreement(one, other)
    if value is None:
        return no_figure("all distances are equal", len(one))
    null = []
    for _ in range(PERMUTATIONS):
        order = rng.permutation(len(one))
        null.append(agreement(one[np.ix_(order, order)], other) or 0.0)
    return {"value": value, "n": len(one), "p": permutation_p(value, null), "null": float(np.mean(null))}
