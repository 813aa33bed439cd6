"""The Tiny Recursive Model (arXiv 2510.04871) with the CTM's encoder features and heads: the baseline it has to beat.

One small network is all there is. A tick is one recursion of the paper's figure 3: n updates of a latent
state z from the code x, the answer y and itself, then one update of y from y and z; every tick is supervised, and no
gradient goes from a tick into the one before (deep supervision). The paper's recursions without gradient before each
supervised one are supervised ticks here. It halts by a learned probability of being right, which takes the place of
the CTM's certainty, in evaluation too.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ctm.model.backbone import Block, rotation_of
from ctm.model.base import EditModel, Encoding, Loss, ModelOutput, Target, TickOutput
from ctm.model.config import NO_TERMS, LossTerms, TRMConfig
from ctm.model.deep_supervision import HALTING, every_tick_loss
from ctm.model.heads import PointerHead, ReplacementHead

UNLIKELY = -5.0
"""Logit of halting before training, as in the public code: nothing is right yet."""


class TRMState(NamedTuple):
    """What a tick hands to the next."""

    latent: Tensor  # z [B, N, d]
    answer: Tensor  # y [B, N, d]


class GatedMLP(nn.Module):
    """SwiGLU (arXiv 2002.05202): [..., d] -> [..., d]."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.both = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.both(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * value)


class RecursiveLayer(Block):
    """A block with a gated MLP, normalized after each sum: recursion lets a bare residual stream grow without end."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__(width, heads, dropout)
        self.mlp = GatedMLP(width, hidden)  # in the place of the plain one

    def forward(self, x: Tensor, mask: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        x = self.norm_attention(x + self.dropout(self.attend(x, mask, rotation)))
        return self.norm_mlp(x + self.dropout(self.mlp(x)))


class TRM(EditModel):
    """`TRM(config)(tokens, rows, cols, lengths, diagnosis)` thinks about a batch of packed code."""

    architecture = "trm"
    sizes = TRMConfig
    config: TRMConfig

    def __init__(self, config: TRMConfig) -> None:
        super().__init__(config)
        c = config
        self.layers = nn.ModuleList(
            RecursiveLayer(c.width, c.heads, c.mlp, c.dropout) for _ in range(c.layers)
        )
        self.start_latent = nn.Parameter(torch.randn(c.width))
        self.start_answer = nn.Parameter(torch.randn(c.width))
        self.pointers = PointerHead(c.width, c.width)
        self.halt = nn.Linear(c.width, 1)
        nn.init.zeros_(self.halt.weight)
        nn.init.constant_(self.halt.bias, UNLIKELY)
        self.units = ReplacementHead(c)

    def initial_state(self, encoding: Encoding) -> TRMState:
        """The learned state before the first tick, the same at every cell."""
        return TRMState(self.start_latent.expand_as(encoding.h), self.start_answer.expand_as(encoding.h))

    def tick(self, state: TRMState, encoding: Encoding) -> tuple[TRMState, TickOutput]:
        """One recursion from the code x: think n times, answer once, and say what the answer says."""
        x, mask, rotation = (
            encoding.h,
            encoding.mask[:, None, None, :],
            rotation_of(encoding.h, self.config.heads),
        )
        latent, answer = state
        for _ in range(self.config.updates):
            latent = self._network(latent + answer + x, mask, rotation)
        answer = self._network(answer + latent, mask, rotation)
        return TRMState(latent, answer), self._predict(answer, encoding)

    def between_ticks(self, state: TRMState) -> TRMState:
        """No gradient from one recursion into the one before."""
        return TRMState(state.latent.detach(), state.answer.detach())

    def loss(
        self, thought: ModelOutput, target: Target, terms: LossTerms = NO_TERMS, drawn: Tensor | None = None
    ) -> Loss:
        """The mean over all recursions, and the halting loss; it has none of `terms`."""
        return every_tick_loss(self, thought, target, HALTING)

    def _network(self, x: Tensor, mask: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        for layer in self.layers:
            x = layer(x, mask, rotation)
        return x

    def _predict(self, answer: Tensor, encoding: Encoding) -> TickOutput:
        """What END knows asks for the span; the answer's cells there are what the units are read from."""
        rows = torch.arange(len(answer), device=answer.device)
        end = answer[rows, encoding.lengths - 1]  # [B, d]
        pointers = self.pointers(end[:, None], answer, encoding.mask)[:, 0]
        pointed = pointers.exp().to(answer.dtype) @ answer  # [B, 2, d]
        readout = torch.cat([end, pointed.flatten(1)], dim=1)
        halt = self.halt(end)[:, 0]
        readout, halt = (t if t.dtype == torch.float64 else t.float() for t in (readout, halt))
        return TickOutput(readout, pointers, torch.sigmoid(halt))
