"""Inference: runs ticks until the model is certain, selects the tick that answers, and decodes its candidates.

A sample is frozen at its first tick whose certainty reaches the threshold, or else answers with its most
certain tick; so a batch gives what single samples give. The ONNX graph runs `select_tick` in a Loop
and `decode_candidates` behind it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ctm.model.base import EditModel, Encoding, TickOutput
from ctm.model.decoding import best_spans, best_units

RUN_ALL_TICKS = 2.0
"""A threshold that no certainty reaches: all ticks are thought."""
SPANS = 10
"""Spans of an answer."""
REPLACEMENTS = 4
"""Replacements of each. What more of both gives: docs/log/2026-11-search.md."""


class SelectedTick(NamedTuple):
    """What the answering tick of each sample said, so far."""

    certainty: Tensor  # [B], -inf before the first tick
    tick: Tensor  # int64 [B], 1 is the first
    readout: Tensor  # [B, n_out]
    pointers: Tensor  # [B, 2, N]


class CandidateTensors(NamedTuple):
    """The candidates of a batch: K spans, the one with the likeliest candidate first, R replacements of each."""

    spans: Tensor  # int64 [B, K, 2]
    span_log_probability: Tensor  # [B, K]
    units: Tensor  # int64 [B, K, R, units]; what follows STOP means nothing
    unit_log_probability: Tensor  # [B, K, R], best first; far below -1000 where there is no such candidate


def no_tick_selected(model: EditModel, encoding: Encoding) -> SelectedTick:
    """Nothing kept yet."""
    batch, cells = encoding.tokens.shape
    blank = encoding.mask.new_zeros(batch, model.config.readout_width)
    return SelectedTick(
        torch.full_like(blank[:, 0], -torch.inf),
        torch.zeros_like(encoding.lengths),
        blank,
        blank.new_zeros(batch, 2, cells),
    )


def select_tick(
    selected: SelectedTick, output: TickOutput, tick: Tensor | int, threshold: Tensor | float
) -> SelectedTick:
    """`selected` after tick number `tick` (from 1): replaced where that tick is more certain and
    the sample not frozen.
    """
    better = (output.certainty > selected.certainty) & (selected.certainty < threshold)
    return SelectedTick(
        torch.where(better, output.certainty, selected.certainty),
        torch.where(better, tick, selected.tick),
        torch.where(better[:, None], output.readout, selected.readout),
        torch.where(better[:, None, None], output.pointers, selected.pointers),
    )


def decode_candidates(
    model: EditModel,
    selected: SelectedTick,
    encoding: Encoding,
    spans: int = SPANS,
    replacements: int = REPLACEMENTS,
) -> CandidateTensors:
    """The likeliest spans, each with its likeliest replacements."""
    found, span_score = best_spans(selected.pointers, spans)
    units, unit_score = best_units(model, selected.readout, encoding, found, span_score, replacements)
    order = (span_score + unit_score[:, :, 0]).topk(spans, dim=1).indices
    wide = order[:, :, None].expand(-1, -1, replacements)
    return CandidateTensors(
        found.gather(1, order[:, :, None].expand(-1, -1, 2)),
        span_score.gather(1, order),
        units.gather(1, wide[..., None].expand(-1, -1, -1, units.shape[3])),
        unit_score.gather(1, wide),
    )


def infer(
    model: EditModel,
    inputs: dict[str, Tensor],
    threshold: float = RUN_ALL_TICKS,
    max_ticks: int | None = None,
) -> tuple[SelectedTick, Encoding]:
    """Think about a batch (inputs of `EditModel.encode`) until all samples are frozen, `max_ticks` (default T) at most.

    Raises ValueError for fewer than one tick.
    """
    most = model.config.ticks if max_ticks is None else max_ticks
    if most < 1:
        raise ValueError(f"max_ticks is {most}; it must be at least 1")
    encoding = model.encode(**inputs)
    state, selected = model.initial_state(encoding), no_tick_selected(model, encoding)
    for tick in range(1, most + 1):
        state, output = model.tick(state, encoding)
        selected = select_tick(selected, output, tick, threshold)
        if not bool((selected.certainty < threshold).any()):
            break
    return selected, encoding
