"""The loss of a thought: the tick where it is lowest and the tick that is most certain, half each (paper, eq. 12).

Notable: which tick is lowest needs the loss of all ticks, but only the two chosen ones receive gradient; the units'
part of it is therefore computed twice, for all ticks without gradient and for the two with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ctm.model.model import CTM, Memory, Thought
from ctm.training.data import Batch


@dataclass(frozen=True)
class Loss:
    """A batch's loss and what to log of it."""

    total: Tensor
    """Scalar to step on, nats a sample."""
    at_lowest: Tensor
    """Mean loss at the tick where it is lowest."""
    at_certain: Tensor
    """Mean loss at the most certain tick."""
    diversity: Tensor
    """Synchronisation-diversity term, unweighted."""
    by_tick: Tensor
    """Mean loss of every tick, [T], without gradient."""


def thought_loss(model: CTM, thought: Thought, batch: Batch, diversity: float) -> Loss:
    """Loss of a batch; `diversity` weighs the term against collapse of the synchronisation."""
    rows = torch.arange(batch.start.shape[0], device=batch.start.device)
    pointers = -(
        thought.pointers[rows, :, 0, batch.start] + thought.pointers[rows, :, 1, batch.end]
    )  # [B, T]
    with torch.no_grad():
        every = [
            units_loss(model, thought.synchronisation[:, t], thought.memory, batch)
            for t in range(pointers.shape[1])
        ]
        whole = pointers + torch.stack(every, dim=1)
    lowest = whole.argmin(dim=1)
    certain = thought.certainty.argmax(dim=1)
    losses = []
    for tick in (lowest, certain):
        units = units_loss(model, thought.synchronisation[rows, tick], thought.memory, batch)
        losses.append((pointers[rows, tick] + units).mean())
    spread = sync_diversity(thought.synchronisation[rows, certain])
    total = (losses[0] + losses[1]) / 2
    if diversity:
        total = total + diversity * spread
    return Loss(total, losses[0].detach(), losses[1].detach(), spread.detach(), whole.mean(dim=0))


def units_loss(model: CTM, sync: Tensor, memory: Memory, batch: Batch) -> Tensor:
    """Negative log-probability [B] of the right units; a copy counts at every cell where its word begins."""
    slots = model.units.slots(sync, memory.h, batch.start[:, None], batch.end[:, None])[:, 0]
    copies = model.units.copies(slots, memory.h, memory.tokens)[batch.unit_sample, batch.unit_slot]  # [R, N]
    vocabulary = model.units.vocabulary(
        slots[batch.unit_sample, batch.unit_slot], model.backbone.token.weight
    )
    if vocabulary.dtype != torch.float64:
        vocabulary, copies = vocabulary.float(), copies.float()
    nothing = torch.finfo(vocabulary.dtype).min
    every = torch.logaddexp(vocabulary.logsumexp(-1), copies.logsumexp(-1))
    token = vocabulary.gather(1, batch.unit_token.clamp(min=0)[:, None])[:, 0]
    token = token.masked_fill(batch.unit_token < 0, nothing)
    same = (batch.words[batch.unit_sample] == batch.unit_word[:, None]) & (batch.unit_word >= 0)[:, None]
    copy = copies.masked_fill(~same, nothing).logsumexp(-1)
    asked = (batch.unit_token >= 0) | (batch.unit_word >= 0)
    loss = torch.where(asked, every - torch.logaddexp(token, copy), torch.zeros_like(every))
    return torch.zeros_like(sync[:, 0], dtype=loss.dtype).index_add(0, batch.unit_sample, loss)


def sync_diversity(sync: Tensor) -> Tensor:
    """Mean squared cosine between the synchronisations [B, n] of different samples: 0 diverse, 1 collapsed."""
    unit = torch.nn.functional.normalize(sync - sync.mean(dim=1, keepdim=True), dim=1)
    alike = (unit @ unit.T) ** 2
    count = sync.shape[0]
    return (alike.sum() - alike.diagonal().sum()) / max(count * (count - 1), 1)
