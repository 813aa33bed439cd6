"""What the losses of all models are made of: how unlikely the right span and the right units are.

Of the slots of a replacement only those that the answer has are computed.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ctm.model.base import EditModel, Encoding, Target


def pointer_loss(pointers: Tensor, batch: Target) -> Tensor:
    """Negative log-probability [B, K] of the right start and end, from log-probabilities [B, K, 2, N]."""
    rows = torch.arange(len(batch.start), device=batch.start.device)
    return -(pointers[rows, :, 0, batch.start] + pointers[rows, :, 1, batch.end])


def units_loss(model: EditModel, sync: Tensor, encoding: Encoding, batch: Target) -> Tensor:
    """Negative log-probability [B, K] of the right units after each of K ticks, from their sync [B, K, n].

    A copy counts at every cell where its word begins.
    """
    heads, sample = model.units, batch.unit_sample
    place = heads.span_features(encoding.h, batch.start[:, None], batch.end[:, None])  # [B, 1, d]
    slot = heads.slot(batch.unit_slot)[:, None]
    spans = heads.thought(sync) + place  # [B, K, d]
    slots = heads.slot_features(spans.index_select(0, sample) + slot)  # [R, K, d]
    copies = heads.copies(
        slots, encoding.copies.index_select(0, sample), encoding.tokens[sample]
    )  # [R, K, N]
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
    """Mean squared cosine between the synchronizations [B, n] of different samples: 0 diverse, 1 collapsed."""
    unit = torch.nn.functional.normalize(sync - sync.mean(dim=1, keepdim=True), dim=1)
    alike = (unit @ unit.T) ** 2
    count = sync.shape[0]
    return (alike.sum() - alike.diagonal().sum()) / max(count * (count - 1), 1)
