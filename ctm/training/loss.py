"""The loss of a thought: the tick where it is lowest and the tick that is most certain, half each (paper, eq. 12).

Notable: which tick is lowest needs the loss of all ticks, but only the chosen ones receive gradient; pointers and units
are therefore computed twice, for all ticks without gradient and for the chosen with it. Of the slots of a replacement
only those that the answer has are computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ctm.model.base import EditModel, Encoding, Thought
from ctm.model.model import CTM, Memory
from ctm.training.batch import Batch

TICKS_AT_ONCE = {"cpu": 4}
"""Ticks whose units are weighed together without gradient: their logits [R, ticks, V] are the largest tensor. On a CPU
8 at a time took a tenth longer for a whole step: each tensor of 16 MB is fresh memory from the kernel."""
TICKS_AT_ONCE_ELSEWHERE = 8


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


def thought_loss(
    model: CTM, thought: Thought, batch: Batch, diversity: float = 0.0, later_ticks: float = 0.0,
    drawn: Tensor | None = None,
) -> Loss:  # fmt: skip
    """Loss of a batch.

    diversity: weight of the term against collapse of the synchronisation. later_ticks: weight of the loss at one tick
    of each sample drawn at random, tick t with probability in proportion to t (`drawn` int64 [B], if the caller drew it
    already). The two ticks of the paper alone let ticks divide the kinds of answers among themselves (an early one for
    edits, the last for 'no edit'), so that more thinking does not mean better answers; this term ends that.
    """
    samples, ticks = thought.certainty.shape
    rows = torch.arange(samples, device=batch.start.device)
    sync, memory = thought.synchronisation, thought.memory
    assert isinstance(memory, Memory)
    several = TICKS_AT_ONCE.get(sync.device.type, TICKS_AT_ONCE_ELSEWHERE)
    with torch.no_grad():
        every = torch.cat(
            [units_loss(model, part, memory, batch) for part in sync.split(several, dim=1)], dim=1
        )
        whole = pointer_loss(thought.pointers, batch) + every
    lowest, certain = whole.argmin(dim=1), thought.certainty.argmax(dim=1)
    chosen = [lowest, certain]
    if later_ticks:
        if drawn is None:
            drawn = torch.multinomial(torch.arange(1.0, ticks + 1).expand(samples, -1), 1)[:, 0]
        chosen.append(drawn.to(lowest.device))
    asked = sync[rows[:, None], torch.stack(chosen, dim=1)]  # [B, 2 or 3, n]
    pointers, _ = model.say(asked, memory)
    losses = pointer_loss(pointers, batch) + units_loss(model, asked, memory, batch)
    means = losses.mean(dim=0)
    spread = sync_diversity(sync[rows, certain])
    total = (means[0] + means[1]) / 2
    if later_ticks:
        total = total + later_ticks * means[2]
    if diversity:
        total = total + diversity * spread
    return Loss(total, means[0].detach(), means[1].detach(), spread.detach(), whole.mean(dim=0))


def pointer_loss(pointers: Tensor, batch: Batch) -> Tensor:
    """Negative log-probability [B, K] of the right start and end, from log-probabilities [B, K, 2, N]."""
    rows = torch.arange(len(batch.start), device=batch.start.device)
    return -(pointers[rows, :, 0, batch.start] + pointers[rows, :, 1, batch.end])


def units_loss(model: EditModel, sync: Tensor, memory: Encoding, batch: Batch) -> Tensor:
    """Negative log-probability [B, K] of the right units after each of K ticks, from their sync [B, K, n].

    A copy counts at every cell where its word begins.
    """
    heads, sample = model.units, batch.unit_sample
    place = heads.places(memory.h, batch.start[:, None], batch.end[:, None])  # [B, 1, d]
    slot = heads.slot(batch.unit_slot)[:, None]
    spans = heads.thought(sync) + place  # [B, K, d]
    slots = heads.states(spans.index_select(0, sample) + slot)  # [R, K, d]
    copies = heads.copies(slots, memory.copies.index_select(0, sample), memory.tokens[sample])  # [R, K, N]
    vocabulary = heads.vocabulary(slots, model.backbone.token.weight)  # [R, K, V]
    if vocabulary.dtype != torch.float64:
        vocabulary, copies = vocabulary.float(), copies.float()
    nothing = torch.finfo(vocabulary.dtype).min
    every = torch.logaddexp(vocabulary.logsumexp(-1), copies.logsumexp(-1))
    right = batch.unit_token.clamp(min=0)[:, None, None].expand(-1, vocabulary.shape[1], -1)
    token = vocabulary.gather(2, right)[..., 0].masked_fill(batch.unit_token[:, None] < 0, nothing)
    same = (batch.words[sample] == batch.unit_word[:, None]) & (batch.unit_word >= 0)[:, None]
    copy = copies.masked_fill(~same[:, None], nothing).logsumexp(-1)
    asked = (batch.unit_token >= 0) | (batch.unit_word >= 0)
    loss = torch.where(asked[:, None], every - torch.logaddexp(token, copy), torch.zeros_like(every))
    return loss.new_zeros(sync.shape[:2]).index_add(0, sample, loss)


def sync_diversity(sync: Tensor) -> Tensor:
    """Mean squared cosine between the synchronisations [B, n] of different samples: 0 diverse, 1 collapsed."""
    unit = torch.nn.functional.normalize(sync - sync.mean(dim=1, keepdim=True), dim=1)
    alike = (unit @ unit.T) ** 2
    count = sync.shape[0]
    return (alike.sum() - alike.diagonal().sum()) / max(count * (count - 1), 1)
