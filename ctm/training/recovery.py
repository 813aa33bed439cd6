"""Decides whether a step has diverged: a loss or a gradient that is not finite, or a loss far above the usual."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

HISTORY = 100
"""Steps whose losses a loss is compared with."""
ENOUGH = 20
"""Fewer say nothing: at a stage's beginning the loss moves fast."""
FLOOR = 1.0
"""Nats. Below this median a batch of a few hard samples is many times the median, and no divergence."""


class Diverged(Exception):
    """A step whose update must not be made."""


def diverged(loss: float, gradient_norm: float, history: Sequence[float], spike: float) -> str | None:
    """Why a step must not be made, or None.

    loss: nats a sample. history: losses of the steps before, newest last. spike: how many times their median a loss may
    be (0: any finite one is fine).
    """
    if not math.isfinite(loss):
        return f"the loss is {loss}"
    if not math.isfinite(gradient_norm):
        return f"the norm of the gradient is {gradient_norm}"
    if spike and len(history) >= ENOUGH:
        usual = statistics.median(history[-HISTORY:])
        if loss > spike * max(usual, FLOOR):
            return f"the loss is {loss:.2f} where the last {len(history[-HISTORY:])} steps had {usual:.2f}"
    return None
