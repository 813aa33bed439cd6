"""The CTM as one exportable module: encoder, an ONNX Loop over ticks until all samples are certain, heads once after.

The loop is `torch.while_loop`, so the graph holds one tick whatever T is. What it carries must be
contiguous, own its storage and keep its shape; what does not change in a thought is closed over.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from ctm.model.inference import SelectedTick, decode_candidates, no_tick_selected, select_tick
from ctm.model.model import CTM, CTMState


class ExportedCTM(nn.Module):
    """`CTM` with the inputs and outputs of the ONNX graph; for export only, `ctm.model.inference` runs the same."""

    def __init__(self, model: CTM) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        tokens: Tensor,
        rows: Tensor,
        cols: Tensor,
        lengths: Tensor,
        diagnosis: Tensor,
        threshold: Tensor,
        max_ticks: Tensor,
    ) -> tuple[Tensor, ...]:
        """tokens, rows, cols int64 [B, N]; lengths int64 [B]; diagnosis int64 [B, 2]; threshold [], max_ticks int64 [].

        Returns spans int64 [B, K, 2], their log-probability [B, K], R replacements of each span, units int64
        [B, K, R, units], their log-probability [B, K, R], certainty [B] and the answering tick's number, int64 [B].
        """
        model = self.model
        encoding = model.encode(tokens, rows, cols, lengths, diagnosis)
        state, selected = model.initial_state(encoding), no_tick_selected(model, encoding)

        def goes_on(done: Tensor, *carried: Tensor) -> Tensor:
            return (done < max_ticks) & (_selected(carried).certainty < threshold).any()

        def tick(done: Tensor, *carried: Tensor) -> tuple[Tensor, ...]:
            after, output = model.tick(CTMState(*carried[: len(CTMState._fields)]), encoding)
            now = select_tick(_selected(carried), output, done + 1, threshold)
            return (done + 1, *(t.contiguous() for t in (*_tensors(after), *now)))

        carried = (torch.zeros_like(max_ticks), *_tensors(state), *selected)
        final = while_loop(goes_on, tick, carried)
        selected = _selected(final[1:])
        return (*decode_candidates(model, selected, encoding), selected.certainty, selected.tick)


def _tensors(state: CTMState) -> tuple[Tensor, ...]:
    return cast(
        tuple[Tensor, ...], tuple(state)
    )  # its trace is a buffer only where all ticks are thought at once


def _selected(carried: tuple[Tensor, ...]) -> SelectedTick:
    return SelectedTick(*carried[len(CTMState._fields) :])


def while_loop(goes_on: Any, step: Any, carried: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """`torch.while_loop`, typed."""
    return torch.while_loop(goes_on, step, carried)
