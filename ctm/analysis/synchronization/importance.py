"""What is known of each pair: its neurons, its decay, what its ablation costs, what it tells of category and place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.feature_selection import mutual_info_classif

from ctm.analysis.synchronization.ablation import PairEffects
from ctm.analysis.synchronization.place import right_lines
from ctm.analysis.synchronization.probe import shuffled
from ctm.evaluation.estimates import Resampling
from ctm.evaluation.thoughts import AskedItems
from ctm.files import replacing
from ctm.model.model import CTM

PLACES = 4
"""Groups of lines, of equal size, that a pair's information on the place is counted in."""


def pair_table(
    model: CTM,
    items: AskedItems,
    readout: NDArray[np.float32],
    ablated: AskedItems,
    effects: PairEffects,
    seed: int,
) -> pd.DataFrame:
    """A row for each pair of the readout, those that matter most first (without effects: in their own order).

    readout: of the answering ticks of `items`, [n, pairs]. effects: on `ablated`. Information is in nats, estimated
    from nearest neighbors (Ross, 2014); `_shuffled` is what the same estimate finds in shuffled labels.
    """
    resampling = Resampling(ablated.projects.tolist())
    found = [resampling.mean(loss) for loss in effects.loss.T]
    ends = np.array([figure["interval"] or (np.nan, np.nan) for figure in found])
    table = pd.DataFrame(
        {
            "pair": np.arange(model.config.out_pairs),
            "neuron_i": model.sync_out.left.cpu().numpy(),
            "neuron_j": model.sync_out.right.cpu().numpy(),
            "decay": model.sync_out.decay.detach().float().cpu().numpy(),
            "effect": np.array([figure["value"] for figure in found], np.float64),
            "effect_low": ends[:, 0],
            "effect_high": ends[:, 1],
        }
    )
    rng = np.random.default_rng(seed)
    buggy = np.array([not item.is_clean for item in items.items])
    place = place_groups(right_lines(items.select(np.flatnonzero(buggy))))
    category = np.unique(items.category, return_inverse=True)[1]
    projects = items.projects
    for name, labels, mine in (("category", category, np.ones(len(items), bool)), ("place", place, buggy)):
        table[f"information_{name}"] = information(readout[mine], labels, seed)
        mixed = shuffled(labels, projects[mine], rng)
        table[f"information_{name}_shuffled"] = information(readout[mine], mixed, seed)
    return table.sort_values("effect", ascending=False, kind="stable").reset_index(drop=True)


def information(readout: NDArray[np.float32], labels: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Mutual information of each pair [pairs] with labels [n], nats; NaN where there are too few items or one label."""
    if len(labels) < 2 or np.bincount(labels).max() > len(labels) - 2 or np.ptp(labels) == 0:
        return np.full(readout.shape[1], np.nan)
    found: NDArray[np.float64] = mutual_info_classif(readout, labels, random_state=seed)
    return found


def place_groups(lines: NDArray[np.int64]) -> NDArray[np.int64]:
    """Lines [n] in up to PLACES groups of about equal size: 0 is the top; equal lines are together."""
    if not len(lines):
        return lines
    edges = np.unique(np.quantile(lines, np.arange(1, PLACES) / PLACES))
    return np.unique(np.searchsorted(edges, lines, side="right"), return_inverse=True)[1]


def write_pairs(table: pd.DataFrame, out: Path) -> None:
    """As CSV, six digits; what cannot be had is empty."""
    with replacing(out) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")
