"""Does the synchronization predict success? A linear probe of 'the first edit is right', beside simpler predictors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.analysis.settings import SynchronizationSettings
from ctm.analysis.synchronization import probe
from ctm.analysis.synchronization.category import SYNCHRONIZATION
from ctm.evaluation.estimates import Resampling, no_figure
from ctm.evaluation.thoughts import AskedItems, Thoughts
from ctm.pairs.record import CATEGORIES


def success_figures(
    trained: Thoughts, items: AskedItems, settings: SynchronizationSettings, rng: np.random.Generator
) -> dict[str, Any]:
    """Area under the curve of each predictor of a right first edit, and how far the probe is ahead of each.

    "category" knows what no user knows: which kind of bug an item has. It says how much of the rest is just that.
    """
    right = trained.right
    labels = right.astype(np.int64)
    projects = items.projects.tolist()
    split = probe.ProbeSplit.of(projects, settings.folds)
    head = {"n": len(items), "right": int(right.sum())}
    why = split.why_not
    if min(right.sum(), (~right).sum()) < settings.fewest // 2:
        why = f"{right.sum()} right and {(~right).sum()} wrong; {settings.fewest // 2} of each are needed"
    if why:
        return {**head, SYNCHRONIZATION: no_figure(why, len(items))}
    resampling, readout = Resampling(projects), trained.at_answer(trained.readout)
    category = np.array([CATEGORIES.index(name) for name in items.category])

    def score(features: NDArray[Any], of: probe.Labels = labels) -> NDArray[np.float64]:
        return probe.read_out(features, of, split, 2)[:, 1]

    scores: dict[str, NDArray[Any]] = {
        SYNCHRONIZATION: score(readout),
        "certainty": trained.certainty.max(axis=1),
        "length": -np.array([len(item.state.ids) for item in items.items]),
        "encoder pool": score(trained.pooled),
        "category": score(probe.one_hot(category)),
    }
    null = [
        resampling.auroc(score(readout, mixed), mixed)["value"]
        for mixed in (probe.shuffled(labels, split.projects, rng) for _ in range(settings.random_labels))
    ]
    areas = {name: resampling.auroc(values, right) for name, values in scores.items()}
    return {
        **head,
        **areas,
        "ahead of": {
            name: resampling.auroc_difference(scores[SYNCHRONIZATION], values, right)
            for name, values in scores.items()
            if name != SYNCHRONIZATION
        },
        "random labels": float(np.mean(null)) if null else None,
        "p": probe.permutation_p(areas[SYNCHRONIZATION]["value"], null),
        "shuffles": len(null),
    }
