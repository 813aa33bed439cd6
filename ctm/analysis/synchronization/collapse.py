"""Has the synchronization collapsed? How many directions it uses, over samples and over ticks.

The effective rank is exp of the entropy of the singular values, each divided by their sum (Roy and Vetterli, The
effective rank, EUSIPCO 2007). It is 1 where all rows are multiples of one, and at most the smaller side of the matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.evaluation.thoughts import Thoughts

ROUNDING = 1e-6
"""Singular values below this share of the largest are rounding: they come from the product of the matrix with itself,
where one of 1e-8 cannot be told from none."""


def collapse_figures(
    trained: Thoughts, untrained: Thoughts, rng: np.random.Generator
) -> dict[str, dict[str, Any]]:
    """Of the trained and the untrained model, and of as many independent normal numbers as a tick has."""
    last = trained.readout[:, -1]
    noise = rng.normal(size=last.shape)
    return {
        "trained": readout_spread(trained.readout),
        "untrained": readout_spread(untrained.readout),
        "independent numbers": {"effective rank over samples, last tick": effective_rank(noise)},
    }


def readout_spread(readout: NDArray[np.float32]) -> dict[str, Any]:
    """Effective ranks and variances of S_out [n, T, n_out].

    The variance of a pair is that over samples and ticks together; it is split into that between samples (of their
    means over the ticks), between ticks (of their means over the samples) and the rest, all summed up over the pairs.
    """
    n, _, pairs = readout.shape
    values = readout.astype(np.float64)
    whole = values.reshape(-1, pairs).var(axis=0).sum()
    between_samples, between_ticks = (values.mean(axis=axis).var(axis=0).sum() for axis in (1, 0))

    def part(variance: float) -> float | None:
        return float(variance / whole) if whole > 0 else None

    return {
        "effective rank over samples, first tick": effective_rank(values[:, 0]),
        "effective rank over samples, last tick": effective_rank(values[:, -1]),
        "effective rank over samples and ticks": effective_rank(values.reshape(-1, pairs)),
        "largest possible": min(n - 1, pairs),
        "standard deviation of a pair over samples, mean": float(values[:, -1].std(axis=0).mean()),
        "share of variance between samples": part(between_samples),
        "share of variance between ticks": part(between_ticks),
        "share of variance of both together": part(whole - between_samples - between_ticks),
    }


def effective_rank(rows: NDArray[np.floating]) -> float | None:
    """Of rows [n, k] less their mean; None where they do not differ."""
    centered = np.asarray(rows, np.float64) - np.mean(rows, axis=0)
    gram = centered.T @ centered if centered.shape[0] > centered.shape[1] else centered @ centered.T
    singular = np.sqrt(np.clip(np.linalg.eigvalsh(gram), 0, None))
    if singular.max() <= 1e-12 * max(1.0, float(np.abs(rows).max())):
        return None
    shares = singular[singular > ROUNDING * singular.max()]
    shares /= shares.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
