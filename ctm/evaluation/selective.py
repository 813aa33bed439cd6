"""What is gained by answering only where one is sure: risk against coverage, its area, AUROC of failure prediction.

Coverage is the share of the answers that are given, the surest first; risk the share of wrong ones among those. AURC is
the mean risk over all coverages (Geifman and others, arXiv 1805.08206): the share of wrong answers where scores say
nothing, and the oracle's where all right answers come first. AUROC is how often a right answer has the higher score.
Both depend on the order of the scores alone, as do early exit and abstention, which is why AUROC, not calibration,
decides what these can gain (arXiv 2508.21495).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from ctm.evaluation.reliability import LEAST, LEAST_OF_EACH
from ctm.evaluation.scored import Counts, Scored
from ctm.repair.intervals import Floats, farther_ends, ratios

COVERAGES = np.linspace(0.05, 1, 20)
"""Shares of the answers at which the curve is told."""


def selective(scored: Scored) -> dict[str, Any]:
    """AUROC, AURC, what an oracle and guessing have of it, and the curve, with 95 % intervals by project.

    Null where there are too few answers; `reasons` says which figures and why.
    """
    found: dict[str, Any] = {
        "auroc": None, "auroc_interval": None, "aurc": None, "aurc_interval": None, "aurc_excess": None,
        "aurc_excess_interval": None, "aurc_oracle": None, "aurc_guess": None, "curve": [], "reasons": {},
    }  # fmt: skip
    draws = scored.draws
    few = min(int(scored.right.sum()), int((~scored.right).sum()))
    if few < LEAST_OF_EACH:
        found["reasons"]["auroc"] = (
            f"{few} answers of one sort; AUROC needs {LEAST_OF_EACH} right and as many wrong"
        )
    else:
        found["auroc"] = float(roc_auc_score(scored.right, scored.score))
        if draws:
            found["auroc_interval"] = farther_ends([auroc(one) for one in draws])
    if len(scored) < LEAST:
        found["reasons"]["aurc"] = f"{len(scored)} answers; a curve of risk needs {LEAST}"
        return found
    counts = scored.counts
    area, best = float(aurc(counts)), float(oracle_aurc(counts))
    found |= {
        "aurc": area,
        "aurc_excess": area - best,
        "aurc_oracle": best,
        "aurc_guess": float(1 - scored.right.mean()),
        "curve": _curve(counts, draws),
    }
    if draws:
        areas = [aurc(one) for one in draws]
        found["aurc_interval"] = farther_ends(areas)
        found["aurc_excess_interval"] = farther_ends(
            [area - oracle_aurc(one) for area, one in zip(areas, draws, strict=True)]
        )
    return found


def auroc(counts: Counts) -> Floats:
    """How often a right answer has the higher score than a wrong one, a tie counting half; NaN without one of each."""
    below = counts.wrong.cumsum(axis=-1) - counts.wrong
    pairs = (counts.right * (below + counts.wrong / 2)).sum(axis=-1)
    return ratios(np.asarray(pairs), np.asarray(counts.right.sum(axis=-1) * counts.wrong.sum(axis=-1)))


def aurc(counts: Counts) -> Floats:
    """Mean risk of the k surest answers over k = 1 ... n; of answers with equal scores the mean over their orders."""
    n, wrong = counts.n[..., ::-1], counts.wrong[..., ::-1]
    until, errors = n.cumsum(axis=-1), wrong.cumsum(axis=-1)
    before = until - n
    rate = ratios(wrong, n)
    rate[np.isnan(rate)] = 0.0
    # risk of the k-th answer of a level: ((errors before) + (k - before) rate) / k
    steps = _harmonic(until) - _harmonic(before)
    area = (errors - wrong - before * rate) * steps + wrong
    return np.asarray(area.sum(axis=-1) / until[..., -1])


def oracle_aurc(counts: Counts) -> Floats:
    """The same where every right answer comes before every wrong one."""
    wrong, right = counts.wrong.sum(axis=-1), counts.right.sum(axis=-1)
    none = np.zeros_like(wrong)
    return aurc(Counts(np.stack([wrong, right], axis=-1), np.stack([none, right], axis=-1)))


def risks(counts: Counts, coverages: Floats = COVERAGES) -> Floats:
    """Risk at each of k coverages, [k] or [D, k]; between two levels of the score errors come evenly."""
    n, wrong = (np.atleast_2d(part)[:, ::-1].cumsum(axis=1) for part in (counts.n, counts.wrong))
    found = np.stack(
        [
            np.interp(coverages * until[-1], np.append(0, until), np.append(0, errors))
            / (coverages * until[-1])
            for until, errors in zip(n, wrong, strict=True)
        ]
    )
    return found if counts.n.ndim == 2 else found[0]


def _curve(counts: Counts, draws: list[Counts]) -> list[dict[str, Any]]:
    values = risks(counts)
    drawn = [risks(one) for one in draws]
    return [
        {
            "coverage": float(coverage),
            "risk": float(values[place]),
            "interval": farther_ends([one[:, place] for one in drawn]) if drawn else None,
        }
        for place, coverage in enumerate(COVERAGES)
    ]


def _harmonic(k: Floats) -> Floats:
    """1 + 1/2 + ... + 1/k of whole numbers k."""
    table = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, int(k.max()) + 1))])
    return np.asarray(table[k.astype(np.int64)])
