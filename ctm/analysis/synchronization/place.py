"""Does the synchronization tell where the bug is? A linear probe of the line, beside what else names a line.

It is about items that have a bug, each given that it has one: a pointer's probability of 'no edit' is left out. A probe
learns numbers of lines; its answer is looked for among the lines that a text has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.analysis.settings import SynchronizationSettings
from ctm.analysis.synchronization import probe
from ctm.analysis.synchronization.category import SYNCHRONIZATION, UNTRAINED
from ctm.evaluation.estimates import Resampling, no_figure
from ctm.evaluation.thoughts import ROWS, AskedItems, Thoughts, line_of
from ctm.pairs.record import CATEGORIES

TOP = (1, 3)
"""Lines that may be named."""
AROUND = (0, -1, 1)
"""What a reader of the compiler's message looks at: its line, the one before, the one behind."""
FREQUENT = "most frequent line"
"""What a probe says that is given nothing."""
Scores = NDArray[np.float64]


def place_figures(
    trained: Thoughts,
    untrained: Thoughts,
    items: AskedItems,
    settings: SynchronizationSettings,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Share of items whose line is named, by who names it, for 1 and 3 lines; of all, and of categories apart."""
    places = [place for place, item in enumerate(items.items) if not item.is_clean]
    chosen = items.select(places)
    if len(chosen) < settings.fewest:
        return {"n": len(chosen), "why": f"{len(chosen)} items with a bug, fewer than {settings.fewest}"}
    projects = chosen.projects.tolist()
    split, resampling = probe.ProbeSplit.of(projects, settings.folds), Resampling(projects)
    if split.why_not:
        return {"n": len(chosen), "why": split.why_not}
    lines = right_lines(chosen)
    inside = np.arange(ROWS)[None, :] < line_counts(chosen)[:, None]

    def read(features: NDArray[Any], labels: NDArray[np.int64] = lines) -> Scores:
        return probe.read_out(features[places], labels, split, ROWS)

    scores = {
        SYNCHRONIZATION: read(trained.at_answer(trained.readout)),
        "pointer": trained.at_answer(trained.pointer_lines)[places].astype(np.float64),
        "attention": trained.at_answer(trained.attention_lines)[places].astype(np.float64),
        "compiler's error": compiler_scores(chosen),
        "encoder pool": read(trained.pooled),
        UNTRAINED: read(untrained.at_answer(untrained.readout)),
        FREQUENT: read(np.zeros((len(items), 1))),
        "random places": read(trained.at_answer(trained.readout), probe.shuffled(lines, split.projects, rng)),
    }
    found = {name: {top: named(score, lines, inside, top) for top in TOP} for name, score in scores.items()}
    groups = {"all": np.ones(len(chosen), bool)}
    groups |= {name: chosen.category == name for name in CATEGORIES if name in chosen.category}
    by_group = {}
    for group, mine in groups.items():
        if mine.sum() < settings.fewest:
            by_group[group] = no_figure(f"fewer than {settings.fewest} items", int(mine.sum()))
            continue
        by_group[group] = {
            "n": int(mine.sum()),
            "chance": {str(top): float(np.minimum(1, top / inside[mine].sum(1)).mean()) for top in TOP},
            **{
                name: {str(top): resampling.share(np.where(mine, hit, np.nan)) for top, hit in tops.items()}
                for name, tops in found.items()
            },
            "ahead of": {
                name: resampling.difference(
                    np.where(mine, found[SYNCHRONIZATION][1], np.nan), np.where(mine, tops[1], np.nan)
                )
                for name, tops in found.items()
                if name != SYNCHRONIZATION
            },
        }
    return {"n": len(chosen), "by group": by_group}


def named(scores: Scores, lines: NDArray[np.int64], inside: NDArray[np.bool_], top: int) -> Scores:
    """1 where the right line [n] is among the `top` lines of `inside` with the highest scores [n, ROWS], else 0.

    Of lines with one score the upper ones come first; a line with the score 0 is not named.
    """
    scores = np.where(inside, scores, 0.0)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    hit = (order == lines[:, None]) & (np.take_along_axis(scores, order, axis=1) > 0)
    return hit.any(axis=1).astype(np.float64)


def compiler_scores(items: AskedItems) -> Scores:
    """Scores [n, ROWS] of what the compiler's message names: its line first, then those around it; 0 without one."""
    scores = np.zeros((len(items), ROWS))
    for place, item in enumerate(items.items):
        cell = item.state.diagnosis[0]
        if cell < 0:
            continue
        line = line_of(item.state, cell)
        for weight, step in zip((3, 2, 1), AROUND, strict=True):
            if 0 <= line + step < ROWS:
                scores[place, line + step] = weight
    return scores


def right_lines(items: AskedItems) -> NDArray[np.int64]:
    """The line where each item's right edit starts, from 0 on, [n]."""
    return np.array([min(line_of(item.state, item.goal.edit.start), ROWS - 1) for item in items.items])


def line_counts(items: AskedItems) -> NDArray[np.int64]:
    """Lines of each text, [n]."""
    return np.array([1 + line_of(item.state, len(item.state.ids)) for item in items.items])
