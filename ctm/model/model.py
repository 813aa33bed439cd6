"""The Continuous Thought Machine: encode the code once, think for T ticks, read an edit from synchronisation.

Notable: one `tick` serves training, evaluation and export; everything that does not change during a thought (keys and
values of the code, pointer keys) is made once in `encode`. Source: arXiv 2505.05522; names as in the paper.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ctm.model.attention import Attention, Remembered, product_dtype
from ctm.model.base import EditModel, Output, Thought
from ctm.model.config import ModelConfig
from ctm.model.heads import Pointers, Units, certainty
from ctm.model.nlm import NeuronLevelModels
from ctm.model.synapse import Synapse
from ctm.model.synchronization import Synchronization
from ctm.model.trace import Trace

__all__ = ["CTM", "Memory", "Output", "State", "Thought"]


class Memory(NamedTuple):
    """What does not change during a thought."""

    tokens: Tensor  # int64 [B, N]
    lengths: Tensor  # int64 [B], END included
    mask: Tensor  # [B, N], 0 or MASKED
    h: Tensor  # [B, N, d]
    cells: Tensor  # h in the type of products
    code: Remembered  # keys and values
    copies: Tensor  # [B, d, N]


class State(NamedTuple):
    """What a tick hands to the next."""

    trace: Tensor | Trace  # pre-activations [D, M, B], newest last; or the buffer of a whole thought
    z: Tensor  # post-activations [B, D]
    alpha_action: Tensor  # [B, n_action]
    beta_action: Tensor  # [1, n_action]
    alpha_out: Tensor  # [B, n_out]
    beta_out: Tensor  # [1, n_out]


class CTM(EditModel):
    """`CTM(config)(tokens, rows, cols, lengths, diagnosis)` thinks about a batch of packed code."""

    architecture = "ctm"
    config: ModelConfig

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        c = config
        self.attention = Attention(c.action_pairs, c.width, c.heads)
        self.synapse = Synapse(c.width + c.neurons, c.neurons, c.synapse_depth, c.synapse_minimum, c.dropout)
        self.nlm = NeuronLevelModels(c.neurons, c.memory, c.nlm_hidden, c.nlm, c.dropout)
        self.sync_action = Synchronization(c.neurons, c.action_pairs, c.pairing, c.self_pairs, 2 * c.seed)
        self.sync_out = Synchronization(c.neurons, c.out_pairs, c.pairing, c.self_pairs, 2 * c.seed + 1)
        self.start_z = nn.Parameter(torch.empty(c.neurons).uniform_(-1, 1) * c.neurons**-0.5)
        self.start_trace = nn.Parameter(
            torch.empty(c.neurons, c.memory).uniform_(-1, 1) * (c.neurons + c.memory) ** -0.5
        )
        self.pointers = Pointers(c.out_pairs, c.width)
        self.units = Units(c)

    def remember(self, tokens: Tensor, lengths: Tensor, mask: Tensor, h: Tensor) -> Memory:
        """See `EditModel.remember`; with the keys and values that every tick attends to."""
        return Memory(
            tokens,
            lengths,
            mask,
            h,
            h.to(product_dtype(h)),
            self.attention.remember(h),
            self.units.remember(h),
        )

    def start(self, memory: Memory, ticks: int | None = None) -> State:
        """The learned state before the first tick; with `ticks`, its trace is one buffer for that many."""
        batch = memory.tokens.shape[0]
        z = self.start_z.expand(batch, -1).contiguous()
        trace: Tensor | Trace
        if ticks is None:
            trace = self.start_trace[:, :, None].expand(-1, -1, batch).contiguous()
        else:
            trace = self.nlm.begin(self.start_trace, batch, ticks)
        alpha_out = self.sync_out.product(z)
        nothing = torch.zeros_like(self.sync_action.product(z))
        return State(trace, z, nothing, nothing[:1].clone(), alpha_out, torch.ones_like(alpha_out[:1]))

    def think(self, state: State, memory: Memory) -> tuple[State, Tensor]:
        """One internal tick: ask, read, mix, think, synchronise. The next state and S_out [B, n_out]."""
        sync, alpha_action, beta_action = self.sync_action(state.z, state.alpha_action, state.beta_action)
        read = self.attention.step(sync, memory.code, memory.mask)
        pre = self.synapse(torch.cat([read, state.z.to(read.dtype)], dim=-1))
        trace, z = self.nlm.step(state.trace, pre)
        z = z.to(state.z.dtype)
        sync_out, alpha_out, beta_out = self.sync_out(z, state.alpha_out, state.beta_out)
        return State(trace, z, alpha_action, beta_action, alpha_out, beta_out), sync_out

    def say(self, sync: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Pointers [B, T, 2, N] and certainty [B, T] of the ticks whose S_out is given, [B, T, n_out]."""
        pointers = self.pointers(sync, memory.cells, memory.mask)
        return pointers, certainty(pointers, memory.lengths)

    def tick(self, state: State, memory: Memory) -> tuple[State, Output]:
        """One internal tick and what it says: for a thought that may end after it."""
        state, sync = self.think(state, memory)
        pointers, sure = self.say(sync[:, None], memory)
        return state, Output(sync, pointers[:, 0], sure[:, 0])

    def forward(
        self,
        tokens: Tensor,
        rows: Tensor,
        cols: Tensor,
        lengths: Tensor,
        diagnosis: Tensor,
        ticks: int | None = None,
        say_with_gradient: bool = True,
    ) -> Thought:
        """All T ticks (or `ticks`), what they say worked out at once; shapes as in `encode` and `Thought`.

        Without `say_with_gradient` pointers and certainty carry none, for a loss that asks chosen ticks again.
        """
        memory = self.encode(tokens, rows, cols, lengths, diagnosis)
        synchronisation = self.synchronise(memory, ticks or self.config.ticks)
        with torch.set_grad_enabled(torch.is_grad_enabled() and say_with_gradient):
            pointers, sure = self.say(synchronisation, memory)
        return Thought(pointers, sure, synchronisation, memory)

    def synchronise(self, memory: Memory, ticks: int) -> Tensor:
        """S_out of `ticks` ticks, [B, T, n_out]."""
        said = self.all_ticks(lambda state: self.think(state, memory), self.start(memory, ticks), ticks)
        return torch.stack(said, dim=1)

    @torch.no_grad()
    def after_step(self) -> None:
        """To be called after each step of the optimiser: decays stay >= 0."""
        self.sync_action.clamp()
        self.sync_out.clamp()
