"""Decodes the edits of a tick: the best spans, and the likeliest replacements of each.

Spans come from the 32 best starts and ends, start <= end; plain tensor operations with fixed sizes, so that
training, evaluation and the ONNX graph run the same lines.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ctm.model.attention import MASK_VALUE
from ctm.model.base import EditModel, Encoding

TOP_CELLS = 32
STOP = 4
FIRST_SLOTS = 3
"""Slots of a replacement that are read for all spans."""
BEAM_WIDTH = 3
"""Beginnings that are kept where only the likeliest replacement is wanted: the best unit of each slot may not stop."""
MIN_LOG_PROBABILITY = -9.0
"""Log-probability, of span and beginning together, from which a replacement is read beyond those slots."""


def best_spans(pointers: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Spans int64 [B, count, 2] best first and log P(start) + log P(end) [B, count], from [B, 2, N]."""
    batch = pointers.shape[0]
    padded = torch.cat([pointers, pointers.new_full((batch, 2, TOP_CELLS), MASK_VALUE)], dim=2)
    value, cell = padded.topk(TOP_CELLS, dim=2)
    joint = value[:, 0, :, None] + value[:, 1, None, :]
    start = cell[:, 0, :, None].expand(-1, -1, TOP_CELLS)
    end = cell[:, 1, None, :].expand(-1, TOP_CELLS, -1)
    joint = torch.where(start <= end, joint, torch.full_like(joint, 4 * MASK_VALUE)).reshape(batch, -1)
    best, place = joint.topk(count, dim=1)
    last = pointers.shape[2] - 1
    spans = torch.stack(
        [start.reshape(batch, -1).gather(1, place), end.reshape(batch, -1).gather(1, place)], dim=2
    )
    return spans.clamp(max=last), best


def best_units(
    model: EditModel, sync: Tensor, encoding: Encoding, spans: Tensor, span_score: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """The `count` likeliest replacements of each span, best first, by a beam over the slots.

    spans: int64 [B, k, 2]. span_score: their log-probability [B, k].
    Returns units int64 [B, k, count, units] and log-probabilities [B, k, count], to the first STOP with it. A unit
    u < V is a token, u >= V copies the word at cell u - V; what follows STOP is STOP. A replacement that is no
    candidate has 4 * MASK_VALUE.

    Most replacements stop early: the first `FIRST_SLOTS` slots are computed for all spans, the others where a
    replacement that goes on has, with its span, at least the log-probability `MIN_LOG_PROBABILITY`; others that go on
    are dropped, but for the likeliest one of the first span.
    """
    heads = model.units
    batch, k, _ = spans.shape
    size = heads.slot.weight.shape[0]
    early = min(FIRST_SLOTS, size)
    asked = heads.thought(sync)[:, None] + heads.span_features(
        encoding.h, spans[..., 0], spans[..., 1]
    )  # [B, k, d]
    slots = heads.slot_features(asked[:, :, None] + heads.slot.weight[:early]).reshape(batch, k * early, -1)
    copies = heads.copies(slots, encoding.copies, encoding.tokens).reshape(batch * k, early, -1)
    unit, value = _likeliest(model, slots.reshape(batch * k, early, -1), copies, count)
    beam = _Beam.begin(unit, count, size)
    for slot in range(early):
        beam = beam.step(slot, unit[:, slot], value[:, slot])
    worth = (span_score.reshape(-1, 1) + beam.score) > MIN_LOG_PROBABILITY
    order = torch.arange(k * count, device=unit.device).reshape(1, k, count)
    first = (order == 0).expand(batch, -1, -1).reshape(batch * k, count)  # there is always one candidate
    rows = (~beam.stopped & (worth | first)).any(dim=1).nonzero()[:, 0]
    if early < size:
        sample = rows // k
        slots = heads.slot_features(asked.reshape(batch * k, 1, -1)[rows] + heads.slot.weight[early:])
        copies = heads.copies(slots, encoding.copies[sample], encoding.tokens[sample])
        unit, value = _likeliest(model, slots, copies, count)
        late = _Beam(beam.units[rows], beam.score[rows], beam.stopped[rows])
        for slot in range(early, size):
            late = late.step(slot, unit[:, slot - early], value[:, slot - early])
        full = torch.ones_like(late.stopped)  # a replacement may fill all slots
        beam = _Beam(
            *(
                old.index_put((rows,), new)
                for old, new in zip(beam, (late.units, late.score, full), strict=True)
            )
        )
        dropped = ~beam.stopped
    else:
        dropped = torch.zeros_like(beam.stopped)
    score = torch.where(dropped, torch.full_like(beam.score, 4 * MASK_VALUE), beam.score)
    return beam.units.reshape(batch, k, count, size), score.reshape(batch, k, count)


def likeliest_units(model: EditModel, sync: Tensor, encoding: Encoding, spans: Tensor) -> Tensor:
    """The likeliest replacement of each span of int64 [B, k, 2], whatever it takes, as units int64 [B, k, units]."""
    certain = torch.full_like(spans[:, :, 0], -MASK_VALUE, dtype=torch.float32)
    return best_units(model, sync, encoding, spans, certain, BEAM_WIDTH)[0][:, :, 0]


class _Beam(NamedTuple):
    """The likeliest beginnings of replacements of R spans."""

    units: Tensor  # int64 [R, count, units], STOP behind what is known
    score: Tensor  # [R, count]
    stopped: Tensor  # bool [R, count]

    @staticmethod
    def begin(like: Tensor, count: int, size: int) -> _Beam:
        """One empty beginning for each row of `like`, which is int64."""
        rows = like.shape[0]
        nothing = torch.full((rows, count - 1), 4.0 * MASK_VALUE, device=like.device)
        return _Beam(
            like.new_full((rows, count, size), STOP),
            torch.cat(
                [torch.zeros_like(nothing[:, :1]) if count > 1 else nothing.new_zeros(rows, 1), nothing], 1
            ),
            torch.zeros((rows, count), dtype=torch.bool, device=like.device),
        )

    def step(self, slot: int, unit: Tensor, value: Tensor) -> _Beam:
        """All beginnings one slot on; its units int64 [R, count] and their log-probabilities, best first."""
        count, size = self.units.shape[1:]
        first = torch.arange(count, device=unit.device) == 0
        ended = torch.where(first, 0.0, 4.0 * MASK_VALUE).to(value.dtype)
        grown = self.score[:, :, None] + torch.where(self.stopped[:, :, None], ended, value[:, None, :])
        score, place = grown.reshape(-1, count * count).topk(count, dim=1)
        parent = place // count
        stopped = self.stopped.gather(1, parent)
        chosen = torch.where(stopped, STOP, unit.gather(1, place % count))
        units = self.units.gather(1, parent[:, :, None].expand(-1, -1, size))
        here = torch.arange(size, device=unit.device) == slot
        return _Beam(torch.where(here, chosen[:, :, None], units), score, stopped | (chosen == STOP))


def _likeliest(model: EditModel, slots: Tensor, copies: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` likeliest units, int64 [R, u, count], and their log-probabilities, best first.

    slots: [R, u, d]. copies: their logits of copies [R, u, N].
    """
    logits = model.units.vocabulary(slots, model.backbone.token.weight)
    if logits.dtype != torch.float64:
        logits, copies = logits.float(), copies.float()
    padded = torch.cat([copies, copies.new_full((*copies.shape[:2], count), 4 * MASK_VALUE)], dim=2)
    (token_best, token), (copy_best, cell) = logits.topk(count, dim=-1), padded.topk(count, dim=-1)
    cell = cell.clamp(max=copies.shape[2] - 1)
    best, place = torch.cat([token_best, copy_best], dim=-1).topk(count, dim=-1)
    top = best[..., :1]
    mass = (logits - top).exp().sum(dim=-1, keepdim=True) + (copies - top).exp().sum(dim=-1, keepdim=True)
    units = torch.cat([token, cell + logits.shape[-1]], dim=-1)
    return units.gather(-1, place), best - top - mass.log()
