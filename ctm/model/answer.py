"""Reading the answer of a tick: the best spans, and for each the likeliest replacement.

Notable: spans come from the 32 best starts and ends, start <= end; plain tensor operations with fixed sizes, so that
training, evaluation and the ONNX graph run the same lines.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ctm.model.attention import MASKED
from ctm.model.base import EditModel, Encoding

AMONG = 32
STOP = 4
EARLY = 4  # slots of a replacement that are read for all spans


def best_spans(pointers: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Spans int64 [B, count, 2] best first and log P(start) + log P(end) [B, count], from [B, 2, N]."""
    batch = pointers.shape[0]
    padded = torch.cat([pointers, pointers.new_full((batch, 2, AMONG), MASKED)], dim=2)
    value, cell = padded.topk(AMONG, dim=2)
    joint = value[:, 0, :, None] + value[:, 1, None, :]
    start = cell[:, 0, :, None].expand(-1, -1, AMONG)
    end = cell[:, 1, None, :].expand(-1, AMONG, -1)
    joint = torch.where(start <= end, joint, torch.full_like(joint, 4 * MASKED)).reshape(batch, -1)
    best, place = joint.topk(count, dim=1)
    last = pointers.shape[2] - 1
    spans = torch.stack(
        [start.reshape(batch, -1).gather(1, place), end.reshape(batch, -1).gather(1, place)], dim=2
    )
    return spans.clamp(max=last), best


def best_units(model: EditModel, sync: Tensor, memory: Encoding, spans: Tensor) -> tuple[Tensor, Tensor]:
    """Units int64 [B, k, units] of each span of [B, k, 2] and their log-probability [B, k], to the first STOP with it.

    A unit u < V is a token, u >= V copies the word at cell u - V; what follows STOP means nothing. Most replacements
    stop early: the first `EARLY` slots are computed for all spans, the others where none of those stops.
    """
    heads = model.units
    batch, count, _ = spans.shape
    size = heads.slot.weight.shape[0]
    early = min(EARLY, size)
    asked = heads.thought(sync)[:, None] + heads.places(memory.h, spans[..., 0], spans[..., 1])  # [B, k, d]
    slots = heads.states(asked[:, :, None] + heads.slot.weight[:early]).reshape(batch, count * early, -1)
    copies = heads.copies(slots, memory.copies, memory.tokens).reshape(batch * count, early, -1)
    unit, value = _likeliest(model, slots.reshape(batch * count, early, -1), copies)
    rows = (unit != STOP).all(dim=1).nonzero()[:, 0]
    sample = rows // count
    slots = heads.states(asked.reshape(batch * count, 1, -1)[rows] + heads.slot.weight[early:])
    copies = heads.copies(slots, memory.copies[sample], memory.tokens[sample])
    late_unit, late_value = _likeliest(model, slots, copies)
    unit = torch.cat(
        [unit, unit.new_full((batch * count, size - early), STOP).index_put((rows,), late_unit)], dim=1
    )
    value = torch.cat(
        [value, value.new_zeros(batch * count, size - early).index_put((rows,), late_value)], dim=1
    )
    stops = (unit == STOP).long()
    before = stops.cumsum(dim=1) - stops
    score = torch.where(before == 0, value, torch.zeros_like(value)).sum(dim=1)
    return unit.reshape(batch, count, size), score.reshape(batch, count)


def _likeliest(model: EditModel, slots: Tensor, copies: Tensor) -> tuple[Tensor, Tensor]:
    """Unit int64 [R, u] and log-probability [R, u] of slots [R, u, d] with logits of copies [R, u, N]."""
    logits = model.units.vocabulary(slots, model.backbone.token.weight)
    if logits.dtype != torch.float64:
        logits, copies = logits.float(), copies.float()
    (token_best, token), (copy_best, cell) = logits.max(dim=-1), copies.max(dim=-1)
    best = torch.maximum(token_best, copy_best)
    mass = (logits - best[..., None]).exp().sum(dim=-1) + (copies - best[..., None]).exp().sum(dim=-1)
    return torch.where(copy_best > token_best, cell + logits.shape[-1], token), -mass.log()
