"""The loss of models that supervise every tick: a TRM (arXiv 2510.04871), and a plain transformer with its one tick.

A tick's loss gives no gradient to the ticks before (the model cuts it), so the mean over the ticks trains each
recursion to better whatever state it is handed. A learned certainty is trained as the paper's halting probability, to
be 1 where the answer is right.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ctm.model.base import EditModel, Loss, ModelOutput, Target
from ctm.model.loss import units_loss

HALTING = 0.5
"""Weight of the halting loss, the public code's."""
TICKS_AT_ONCE = 4
"""Ticks whose units are weighed together: their logits [R, ticks, V] are the largest tensor."""
NEARLY = 1e-6
"""Learned certainties are kept this far from 0 and 1 in their loss."""


def every_tick_loss(model: EditModel, thought: ModelOutput, batch: Target, halting: float = 0.0) -> Loss:
    """Mean over samples and ticks of the negative log-probability of the right edit, and `halting` times its loss.

    An answer counts as right where start and end are the likeliest cells and the right units have more than half of
    the probability: then they are what would be answered.
    """
    rows = torch.arange(len(batch.start), device=batch.start.device)
    right_cells = (
        thought.pointers[rows, :, 0, batch.start],
        thought.pointers[rows, :, 1, batch.end],
    )  # [B, T] each
    parts = thought.readout.split(TICKS_AT_ONCE, dim=1)
    units = torch.cat([units_loss(model, part, thought.encoding, batch) for part in parts], dim=1)  # [B, T]
    losses = units - right_cells[0] - right_cells[1]
    by_tick = losses.detach()
    total = losses.mean()
    if halting:
        likeliest = thought.pointers.detach().amax(dim=3)  # [B, T, 2]
        found = (right_cells[0] >= likeliest[..., 0]) & (right_cells[1] >= likeliest[..., 1])
        right = found & (units < math.log(2))
        total = total + halting * halting_loss(thought.certainty, right)
    lowest = by_tick.min(dim=1).values.mean()
    certain = by_tick[rows, thought.certainty.argmax(dim=1)].mean()
    return Loss(total, lowest, certain, torch.zeros_like(lowest), by_tick.mean(dim=0))


def halting_loss(certainty: Tensor, right: Tensor) -> Tensor:
    """Binary cross-entropy of certainty [B, T] against whether the answer is right, bool [B, T]; a scalar."""
    logits = torch.logit(certainty, eps=NEARLY)
    return F.binary_cross_entropy_with_logits(logits, right.to(logits.dtype))
