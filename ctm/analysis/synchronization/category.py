"""Does the synchronization differ by type of bug? A linear probe of the category, tick by tick, and what else could.

The encoder has seen the parser's diagnosis, and a readout of anything that follows the encoder can tell categories
apart. So the probe stands beside the same one on the encoder's output, on the length, on the diagnosis and on the
untrained model; and it is made once more for the code that compiles, of which the parser says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.analysis.settings import SynchronizationSettings
from ctm.analysis.synchronization import probe
from ctm.evaluation.estimates import Figure, Resampling, no_figure
from ctm.evaluation.thoughts import AskedItems, Thoughts
from ctm.pairs.record import CATEGORIES

SYNCHRONIZATION = "synchronization"
UNTRAINED = "untrained synchronization"


def category_figures(
    trained: Thoughts,
    untrained: Thoughts,
    items: AskedItems,
    settings: SynchronizationSettings,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """At the answering tick, of all items and of those that compile; and by tick."""
    everyone = np.ones(len(items), bool)
    compiles = np.array([item.state.compiles for item in items.items])
    return {
        "all items": _at_answer(trained, untrained, items, everyone, settings, rng),
        "code that compiles": _at_answer(trained, untrained, items, compiles, settings, rng),
        "by tick": _by_tick(trained, untrained, items, settings, rng),
    }


def simple_features(items: AskedItems) -> dict[str, NDArray[np.float64]]:
    """What is known without a model: length (cells and lines) and the class of the parser's diagnosis, [n, k] each."""
    length = [(np.log1p(len(item.state.ids)), np.log1p(item.case.text.count("\n"))) for item in items.items]
    diagnosis = np.array([item.state.diagnosis[1] for item in items.items])
    return {"length": np.array(length), "diagnosis class": probe.one_hot(diagnosis)}


def _at_answer(
    trained: Thoughts,
    untrained: Thoughts,
    items: AskedItems,
    among: NDArray[np.bool_],
    settings: SynchronizationSettings,
    rng: np.random.Generator,
) -> dict[str, Any]:
    classes, left_out, chosen = enough(items, among, settings)
    head = {"categories": classes, "left out": left_out, "n": int(chosen.sum())}
    if len(classes) < 2:
        return {**head, SYNCHRONIZATION: no_figure("fewer than two categories have enough items")}
    labels, split, resampling = _labels(items, chosen, classes, settings)
    if split.why_not:
        return {**head, SYNCHRONIZATION: no_figure(split.why_not, len(labels))}
    features: Mapping[str, NDArray[Any]] = {
        "encoder pool": trained.pooled,
        UNTRAINED: untrained.at_answer(untrained.readout),
        **simple_features(items),
    }
    readout = trained.at_answer(trained.readout)[chosen]
    found = probe.hits(readout, labels, split, len(classes))
    others = {name: probe.hits(x[chosen], labels, split, len(classes)) for name, x in features.items()}
    null = [
        float(probe.hits(readout, probe.shuffled(labels, split.projects, rng), split, len(classes)).mean())
        for _ in range(settings.random_labels)
    ]
    accuracy = resampling.share(found)
    return {
        **head,
        "largest share": float(np.bincount(labels).max() / len(labels)),
        SYNCHRONIZATION: accuracy,
        "by category": {
            name: resampling.share(np.where(labels == place, found, np.nan))
            for place, name in enumerate(classes)
        },
        "controls": {name: resampling.share(hit) for name, hit in others.items()},
        "ahead of": {name: resampling.difference(found, hit) for name, hit in others.items()},
        "random labels": float(np.mean(null)) if null else None,
        "selectivity": accuracy["value"] - float(np.mean(null)) if null else None,
        "p": probe.permutation_p(accuracy["value"], null),
        "shuffles": len(null),
    }


def _by_tick(
    trained: Thoughts,
    untrained: Thoughts,
    items: AskedItems,
    settings: SynchronizationSettings,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """The probe's accuracy at some ticks, of the trained and the untrained model, and once on random labels."""
    classes, _, chosen = enough(items, np.ones(len(items), bool), settings)
    if len(classes) < 2:
        return []
    labels, split, resampling = _labels(items, chosen, classes, settings)
    if split.why_not:
        return []
    mixed = probe.shuffled(labels, split.projects, rng)

    def share(thoughts: Thoughts, tick: int, of: probe.Labels) -> Figure:
        return resampling.share(probe.hits(thoughts.readout[chosen, tick], of, split, len(classes)))

    return [
        {
            "tick": tick + 1,
            "trained": share(trained, tick, labels),
            "untrained": share(untrained, tick, labels),
            "random labels": share(trained, tick, mixed),
        }
        for tick in some_ticks(trained.readout.shape[1], settings.ticks)
    ]


def some_ticks(ticks: int, most: int) -> list[int]:
    """Up to `most` of the ticks, from 0 on, evenly from the first to the last; the last where it is one."""
    if most == 1:
        return [ticks - 1]
    return sorted({round(place) for place in np.linspace(0, ticks - 1, min(most, ticks)).tolist()})


def enough(
    items: AskedItems, among: NDArray[np.bool_], settings: SynchronizationSettings
) -> tuple[list[str], dict[str, str], NDArray[np.bool_]]:
    """Categories of `among` with enough items, why each other one is left out, and which items [n] are of those."""
    kept, left_out = [], {}
    for name in CATEGORIES:
        n = int((among & (items.category == name)).sum())
        if n >= settings.fewest:
            kept.append(name)
        else:
            left_out[name] = f"{n} items, fewer than {settings.fewest}"
    return kept, left_out, among & np.isin(items.category, kept)


def _labels(
    items: AskedItems, chosen: NDArray[np.bool_], classes: list[str], settings: SynchronizationSettings
) -> tuple[probe.Labels, probe.ProbeSplit, Resampling]:
    labels = np.array([classes.index(name) for name in items.category[chosen]])
    projects = items.projects[chosen].tolist()
    return labels, probe.ProbeSplit.of(projects, settings.folds), Resampling(projects)
