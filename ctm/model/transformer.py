"""A plain transformer: the control that spends the CTM's compute on depth instead of on ticks.

Backbone, heads, tokenizer and data are the CTM's; the backbone has more blocks (benchmarks/compare picks how
many), and one learned query looks at its cells once. It has one tick, so its certainty only ranks answers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ctm.model.attention import Attention
from ctm.model.base import EditModel, Encoding, Loss, ModelOutput, Target, TickOutput
from ctm.model.config import NO_TERMS, LossTerms, TransformerConfig
from ctm.model.deep_supervision import every_tick_loss
from ctm.model.heads import PointerHead, ReplacementHead, certainty


class Transformer(EditModel):
    """`Transformer(config)(tokens, rows, cols, lengths, diagnosis)` answers a batch of packed code at once."""

    architecture = "transformer"
    sizes = TransformerConfig
    config: TransformerConfig

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config)
        c = config
        self.attention = Attention(c.width, c.width, c.heads)
        self.start_query = nn.Parameter(torch.randn(c.width))
        self.pointers = PointerHead(c.width, c.width)
        self.units = ReplacementHead(c)

    def initial_state(self, encoding: Encoding) -> Tensor:
        """The learned query, [B, d]."""
        return self.start_query.expand(len(encoding.h), -1)

    def tick(self, state: Tensor, encoding: Encoding) -> tuple[Tensor, TickOutput]:
        """One look at the cells; another one would see the same."""
        read = self.attention.step(state, self.attention.keys_and_values(encoding.h), encoding.mask)
        pointers = self.pointers(read[:, None], encoding.h, encoding.mask)
        readout = read if read.dtype == torch.float64 else read.float()
        return state, TickOutput(readout, pointers[:, 0], certainty(pointers, encoding.lengths)[:, 0])

    def loss(
        self, thought: ModelOutput, target: Target, terms: LossTerms = NO_TERMS, drawn: Tensor | None = None
    ) -> Loss:
        """That of its only tick; it has none of `terms`."""
        return every_tick_loss(self, thought, target)
