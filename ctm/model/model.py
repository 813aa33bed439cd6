"""The Continuous Thought Machine: encode the code once, think for T ticks, read an edit from synchronisation.

Notable: one `tick` serves training, evaluation and export; everything that does not change during a thought (keys and
values of the code, pointer keys) is made once in `encode`. Source: arXiv 2505.05522; names as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ctm.model.attention import Attention
from ctm.model.backbone import Backbone, padding_mask
from ctm.model.config import ModelConfig
from ctm.model.heads import Pointers, Units, certainty
from ctm.model.nlm import NeuronLevelModels
from ctm.model.synapse import Synapse
from ctm.model.synchronization import Synchronization


class Memory(NamedTuple):
    """What does not change during a thought."""

    tokens: Tensor  # int64 [B, N]
    lengths: Tensor  # int64 [B], END included
    mask: Tensor  # [B, N], 0 or MASKED
    h: Tensor  # [B, N, d]
    key: Tensor  # [B, heads, d/heads, N]
    value: Tensor  # [B, heads, N, d/heads]
    pointers: Tensor  # [B, 2, N, d]
    copies: Tensor  # [B, d, N]


class State(NamedTuple):
    """What a tick hands to the next."""

    trace: Tensor  # pre-activations [D, M, B], newest last
    z: Tensor  # post-activations [B, D]
    alpha_action: Tensor  # [B, n_action]
    beta_action: Tensor  # [1, n_action]
    alpha_out: Tensor  # [B, n_out]
    beta_out: Tensor  # [1, n_out]


class Output(NamedTuple):
    """What a tick says."""

    synchronisation: Tensor  # [B, n_out]
    pointers: Tensor  # log-probabilities of start and end [B, 2, N]
    certainty: Tensor  # [B]


@dataclass(frozen=True)
class Thought:
    """All ticks of a thought."""

    pointers: Tensor
    """Log-probabilities of start and end, [B, T, 2, N]."""
    certainty: Tensor
    """[B, T], 1 is certain."""
    synchronisation: Tensor
    """S_out, [B, T, n_out]."""
    memory: Memory
    """The encoding that the ticks attended to."""


class CTM(nn.Module):
    """`CTM(config)(tokens, rows, cols, lengths, diagnosis)` thinks about a batch of packed code."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        c = config
        self.backbone = Backbone(c)
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

    def encode(
        self, tokens: Tensor, rows: Tensor, cols: Tensor, lengths: Tensor, diagnosis: Tensor
    ) -> Memory:
        """tokens, rows, cols int64 [B, N]; lengths int64 [B] with END; diagnosis int64 [B, 2] (cell or -1, kind)."""
        mask = padding_mask(lengths, tokens.shape[1], self.start_z.dtype)
        h = self.backbone(tokens, rows, cols, diagnosis, mask)
        key, value = self.attention.remember(h)
        return Memory(tokens, lengths, mask, h, key, value, self.pointers.remember(h), self.units.remember(h))

    def start(self, memory: Memory) -> State:
        """The learned state before the first tick."""
        batch = memory.tokens.shape[0]
        z = self.start_z.expand(batch, -1).contiguous()
        trace = self.start_trace[:, :, None].expand(-1, -1, batch).contiguous()
        alpha_out = self.sync_out.product(z)
        nothing = torch.zeros_like(self.sync_action.product(z))
        return State(trace, z, nothing, nothing[:1].clone(), alpha_out, torch.ones_like(alpha_out[:1]))

    def tick(self, state: State, memory: Memory) -> tuple[State, Output]:
        """One internal tick: ask, read, mix, think, synchronise."""
        sync, alpha_action, beta_action = self.sync_action.step(
            state.z, state.alpha_action, state.beta_action
        )
        read = self.attention.step(sync, memory.key, memory.value, memory.mask)
        pre = self.synapse(torch.cat([read, state.z.to(read.dtype)], dim=-1))
        trace = torch.cat([state.trace[:, 1:], pre.t().unsqueeze(1).to(state.trace.dtype)], dim=1)
        z = self.nlm(trace).to(state.z.dtype)
        sync_out, alpha_out, beta_out = self.sync_out.step(z, state.alpha_out, state.beta_out)
        pointers = self.pointers(sync_out, memory.pointers, memory.mask)
        said = Output(sync_out, pointers, certainty(pointers, memory.lengths))
        return State(trace, z, alpha_action, beta_action, alpha_out, beta_out), said

    def forward(
        self,
        tokens: Tensor,
        rows: Tensor,
        cols: Tensor,
        lengths: Tensor,
        diagnosis: Tensor,
        ticks: int | None = None,
    ) -> Thought:
        """All T ticks (or `ticks`); shapes as in `encode` and `Thought`."""
        memory = self.encode(tokens, rows, cols, lengths, diagnosis)
        state = self.start(memory)
        said: list[Output] = []
        for _ in range(ticks or self.config.ticks):
            state, output = self.tick(state, memory)
            said.append(output)
        return Thought(
            pointers=torch.stack([s.pointers for s in said], dim=1),
            certainty=torch.stack([s.certainty for s in said], dim=1),
            synchronisation=torch.stack([s.synchronisation for s in said], dim=1),
            memory=memory,
        )

    @torch.no_grad()
    def after_step(self) -> None:
        """To be called after each step of the optimiser: decays stay >= 0."""
        self.sync_action.clamp()
        self.sync_out.clamp()

    def parameter_counts(self) -> dict[str, int]:
        """{"body", "embedding"}: embeddings are the tables of tokens and of places."""
        tables = sum(p.numel() for m in self.modules() if isinstance(m, nn.Embedding) for p in m.parameters())
        return {"body": sum(p.numel() for p in self.parameters()) - tables, "embedding": tables}
