"""Linear probes: what can be read from features, on projects that the probe has not seen.

A probe says what is there, not that the model uses it. Its accuracy means something only beside that of the same probe
on random labels (Hewitt and Liang, arXiv 1909.03368: the difference is the selectivity) and on simpler features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

INVERSE_PENALTY = 0.1
"""C of scikit-learn, for standardized features: with as many features as items, weaker ones learn projects by heart."""
STEPS = 200

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ProbeSplit:
    """Which items are probed together: folds of whole projects."""

    projects: NDArray[np.str_]
    """[n]."""
    folds: int

    @staticmethod
    def of(projects: Sequence[str], folds: int) -> ProbeSplit:
        """At most as many folds as there are projects."""
        names = np.array(projects, np.str_)
        return ProbeSplit(names, min(folds, len(np.unique(names))))

    @property
    def why_not(self) -> str:
        """Why nothing can be probed; "" where it can."""
        return "" if self.folds > 1 else "all items are of one project, and probes are tested on other ones"

    def parts(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """(places to learn from, places to test on) of each fold."""
        return list(GroupKFold(self.folds).split(self.projects, groups=self.projects))


def read_out(features: NDArray[np.floating], labels: Labels, split: ProbeSplit, classes: int) -> Floats:
    """Probability of each class [n, classes], of every item by the probe that has not seen its project.

    features: [n, k], standardized with what the probe learns from. labels: 0 to classes - 1, [n].
    """
    said = np.zeros((len(labels), classes))
    for learn, test in split.parts():
        known = np.unique(labels[learn])
        if len(known) == 1:
            said[test, known[0]] = 1
            continue
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=INVERSE_PENALTY, max_iter=STEPS))
        probe.fit(features[learn], labels[learn])
        said[np.ix_(test, known)] = probe.predict_proba(features[test])
    return said


def hits(features: NDArray[np.floating], labels: Labels, split: ProbeSplit, classes: int) -> Floats:
    """1 where the probe's likeliest class is the item's, else 0, [n]."""
    return (read_out(features, labels, split, classes).argmax(axis=1) == labels).astype(np.float64)


def shuffled(labels: Labels, projects: NDArray[np.str_], rng: np.random.Generator) -> Labels:
    """Labels [n] that change places within each project, so that what a project alone tells stays as it was."""
    mixed = labels.copy()
    for project in np.unique(projects):
        mine = np.flatnonzero(projects == project)
        mixed[mine] = labels[rng.permutation(mine)]
    return mixed


def permutation_p(observed: float, null: Sequence[float]) -> float | None:
    """How often chance does as well, counting what was observed as one draw (Phipson and Smyth, 2010)."""
    return (1 + sum(value >= observed for value in null)) / (1 + len(null)) if len(null) else None


def one_hot(values: NDArray[np.int64]) -> Floats:
    """A column for each value that occurs, [n, values]."""
    found = np.unique(values)
    return (values[:, None] == found[None, :]).astype(np.float64)
