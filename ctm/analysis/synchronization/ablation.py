"""Which pairs matter? What right edits lose when pairs of the readout are taken out.

Asked are items whose first edit is right: of the others the few that are surely wrong outweigh all. S_out feeds nothing
but the heads, so an ablation at the answering tick is all that a pair does there. A pair is set to zero, to its mean
over the items, or to what another item has ("resampled"); the last keeps each pair's distribution. Pairs are ranked on
one half of the projects and ablated together on the other, beside as many random pairs of nearest variance; how near
it is stands there too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor

from ctm.analysis.settings import SynchronizationSettings
from ctm.evaluation.estimates import Resampling, no_figure
from ctm.evaluation.thoughts import AskedBatch, AskedItems
from ctm.model.loss import pointer_loss, units_loss
from ctm.model.model import CTM

SHARES = (0.01, 0.05, 0.1)
"""Of the pairs that are ablated together; at least one pair."""
METHODS = ("zero", "mean", "resampled")
RANDOM_DRAWS = 3
AT_ONCE = 32
"""Ablated readouts of a batch that are weighed together: their logits [units, readouts, V] are the largest tensor."""
SMALL_BATCH = 16
NEIGHBORS = 8
"""Pairs of nearest variance, on each side, that a random control pair is drawn from."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PairEffects:
    """What each pair does to the log-likelihood of the right edit."""

    loss: Floats
    """Nats that an item loses by the mean ablation of a pair, [n, pairs]; negative: it gains."""
    half: NDArray[np.bool_]
    """Which half of the projects each item is of, [n]."""

    def of_half(self, half: bool) -> Floats:
        """Mean effect [pairs] in one half."""
        return self.loss[self.half == half].mean(axis=0)


def log_likelihoods(model: CTM, readout: Tensor, batch: AskedBatch) -> Tensor:
    """Of the right edit (span and units), [B, K], by readouts [B, K, n_out]."""
    parts = []
    for some in readout.split(AT_ONCE, dim=1):
        pointers, _ = model.predict_span(some, batch.encoding)
        parts.append(
            -pointer_loss(pointers, batch.target) - units_loss(model, some, batch.encoding, batch.target)
        )
    return torch.cat(parts, dim=1)


@torch.inference_mode()
def pair_effects(model: CTM, items: AskedItems, readout: NDArray[np.float32]) -> PairEffects:
    """Each pair by itself set to its mean over the items; readout: of the answering ticks, [n, pairs]."""
    loss = np.zeros(readout.shape)
    if not len(items):
        return PairEffects(loss, np.zeros(0, bool))
    means = torch.from_numpy(readout.mean(axis=0)).to(model.device)
    for batch in items.batches(model, SMALL_BATCH):
        places = batch.places
        own = torch.from_numpy(readout[places]).to(model.device)
        whole = log_likelihoods(model, own[:, None], batch)
        every = own[:, None].expand(-1, own.shape[1], -1).clone()  # [B, pairs, pairs], one without each
        every.diagonal(dim1=1, dim2=2).copy_(means.expand(len(own), -1))
        loss[places] = (whole - log_likelihoods(model, every, batch)).double().cpu().numpy()
    return PairEffects(loss, halves_of(items.projects.tolist()))


def ablation_figures(
    model: CTM,
    items: AskedItems,
    readout: NDArray[np.float32],
    effects: PairEffects,
    settings: SynchronizationSettings,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """What is lost of log-likelihood and right edits, by how many pairs are ablated and how; how stable ranks are.

    Of an item the pairs are those that matter most in the other half of the projects.
    """
    halves = [int((effects.half == half).sum()) for half in (False, True)]
    if min(halves) < settings.fewest:
        why = f"the halves of the projects have {halves[0]} and {halves[1]} right edits, fewer than {settings.fewest}"
        return {"n": len(items), "why": why}
    pairs = readout.shape[1]
    chosen: dict[tuple[float, int], list[NDArray[np.int64]]] = {}
    variance = readout.var(axis=0)
    for share in SHARES:
        count = max(1, round(share * pairs))
        best = [np.argsort(-effects.of_half(not half))[:count] for half in (False, True)]
        chosen[share, 0] = best
        for draw in range(1, RANDOM_DRAWS + 1):
            chosen[share, draw] = [equal_variance(variance, of, rng) for of in best]
    donors = _donors(len(items), rng)
    lost, right = _ablated(model, items, readout, effects.half, list(chosen.values()), donors)
    resampling = Resampling(items.projects.tolist())
    return {
        "n": len(items),
        "stability": rank_stability(effects),
        "by share": [
            {
                "share": share,
                "pairs": len(chosen[share, 0][0]),
                "variance of random": variance_beside(
                    variance, chosen[share, 0], [chosen[share, draw] for draw in range(1, RANDOM_DRAWS + 1)]
                ),
                **{
                    method: _compared(
                        resampling, lost, right, list(chosen).index((share, 0)), place, len(chosen)
                    )
                    for place, method in enumerate(METHODS)
                },
            }
            for share in SHARES
        ],
    }


def _compared(
    resampling: Resampling, lost: Floats, right: Floats, first: int, method: int, sets: int
) -> Mapping[str, Any]:
    """The best pairs (set `first`), the random ones (the sets behind it), and how far apart they are."""
    column = method * sets + first
    random = slice(column + 1, column + 1 + RANDOM_DRAWS)
    return {
        "best": {
            "nats lost": resampling.mean(lost[:, column]),
            "edits lost": resampling.share(1 - right[:, column]),
        },
        "random": {
            "nats lost": resampling.mean(lost[:, random].mean(axis=1)),
            "edits lost": resampling.mean(1 - right[:, random].mean(axis=1)),
            "nats lost, each draw": lost[:, random].mean(axis=0).tolist(),
        },
        "best more than random, nats": resampling.mean(lost[:, column] - lost[:, random].mean(axis=1)),
        "best more than random, edits": resampling.mean(right[:, random].mean(axis=1) - right[:, column]),
    }


@torch.inference_mode()
def _ablated(
    model: CTM,
    items: AskedItems,
    readout: NDArray[np.float32],
    half: NDArray[np.bool_],
    sets: Sequence[Sequence[NDArray[np.int64]]],
    donors: NDArray[np.int64],
) -> tuple[Floats, Floats]:
    """Nats lost, and whether the first edit is still right, [n, methods x sets] each."""
    keep = np.ones((2, len(sets), readout.shape[1]), bool)  # by half and set
    for number, of in enumerate(sets):
        for side in (0, 1):
            keep[side, number, of[side]] = False
    fill = {
        "zero": np.zeros_like(readout), "mean": np.broadcast_to(readout.mean(axis=0), readout.shape),
        "resampled": readout[donors],
    }  # fmt: skip
    width = len(METHODS) * len(sets)
    lost, right = np.zeros((len(items), width)), np.zeros((len(items), width))
    for batch in items.batches(model):
        places = batch.places
        own, kept = readout[places][:, None], keep[half[places].astype(int)]
        every = np.concatenate(
            [own, *(np.where(kept, own, fill[method][places][:, None]) for method in METHODS)], axis=1
        )
        readouts = torch.from_numpy(every).to(model.device)
        likelihood = log_likelihoods(model, readouts, batch)
        lost[places] = (likelihood[:, :1] - likelihood[:, 1:]).double().cpu().numpy()
        pointers, _ = model.predict_span(readouts, batch.encoding)
        for column in range(width):
            right[places, column] = items.right(
                model, batch, readouts[:, 1 + column], pointers[:, 1 + column]
            )
    return lost, right


def halves_of(projects: Sequence[str]) -> NDArray[np.bool_]:
    """Which of two halves each item [n] is of: whole projects, the larger ones dealt out first."""
    names, counts = np.unique(np.array(projects, np.str_), return_counts=True)
    size, side = [0, 0], {}
    for place in np.argsort(-counts, kind="stable"):
        smaller = int(size[1] < size[0])
        side[str(names[place])] = bool(smaller)
        size[smaller] += int(counts[place])
    return np.array([side[str(project)] for project in projects])


def equal_variance(variance: Floats, of: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """For each pair of `of` another one of about its variance: one of its nearest that is not taken yet."""
    order = np.argsort(variance)
    place_of = np.empty(len(order), np.int64)
    place_of[order] = np.arange(len(order))
    taken, drawn = set(of.tolist()), []
    for pair in of.tolist():
        free = [other for other in order.tolist() if other not in taken]
        if not free:
            break
        free.sort(key=lambda other: abs(int(place_of[other] - place_of[pair])))
        drawn.append(free[int(rng.integers(min(2 * NEIGHBORS, len(free))))])
        taken.add(drawn[-1])
    return np.array(drawn, np.int64)


def variance_beside(
    variance: Floats, best: Sequence[NDArray[np.int64]], random: Sequence[Sequence[NDArray[np.int64]]]
) -> float | None:
    """Mean variance of the random pairs as a multiple of the best ones'; None where those do not vary.

    The nearest free pairs of the ones that vary most all vary less: how far they are from equal has to be told.
    """
    own = np.concatenate([variance[of] for of in best]).mean()
    other = np.concatenate([variance[of] for draw in random for of in draw]).mean()
    return float(other / own) if own > 0 else None


def rank_stability(effects: PairEffects) -> dict[str, Any]:
    """Spearman's correlation of the effects in the two halves; p: of no correlation."""
    one, other = effects.of_half(False), effects.of_half(True)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return no_figure("all pairs have the same effect", len(one))
    found = spearmanr(one, other)
    return {"value": float(found.statistic), "p": float(found.pvalue), "n": len(one)}


def _donors(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Another item for each, [n]: the next one of a random circle."""
    order = rng.permutation(n)
    donors = np.empty(n, np.int64)
    donors[order] = np.roll(order, 1)
    return donors
