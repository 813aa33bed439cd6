"""The Continuous Thought Machine: encodes the code once, runs T ticks, predicts an edit from the synchronization.

One `tick` serves training, evaluation and export; everything that does not change during a thought (keys and
values of the code, pointer keys) is made once in `encode`. Source: arXiv 2505.05522; names as in the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from ctm.model.activations import activation_figures
from ctm.model.attention import Attention, KeyValues, product_dtype
from ctm.model.base import EditModel, Loss, ModelOutput, Target, TickOutput
from ctm.model.config import NO_TERMS, CTMConfig, LossTerms
from ctm.model.heads import PointerHead, ReplacementHead, certainty
from ctm.model.loss import pointer_loss, sync_diversity, units_loss
from ctm.model.nlm import NeuronLevelModels
from ctm.model.synapse import Synapse
from ctm.model.synchronization import Synchronization
from ctm.model.trace import TraceBuffer

__all__ = ["CTM", "CTMEncoding", "CTMState", "ModelOutput", "TickOutput"]
TICKS_AT_ONCE = {"cpu": 4}
"""Ticks whose units are weighed together without gradient: their logits [R, ticks, V] are the largest tensor. On a CPU
8 at a time took a tenth longer for a whole step: each tensor of 16 MB is fresh memory from the kernel."""
TICKS_AT_ONCE_ELSEWHERE = 8


class CTMEncoding(NamedTuple):
    """What does not change during a thought."""

    tokens: Tensor  # int64 [B, N]
    lengths: Tensor  # int64 [B], END included
    mask: Tensor  # [B, N], 0 or MASK_VALUE
    h: Tensor  # [B, N, d]
    h_cast: Tensor  # h in the type of products
    key_values: KeyValues  # keys and values
    copies: Tensor  # [B, d, N]


class CTMState(NamedTuple):
    """What a tick hands to the next."""

    trace: Tensor | TraceBuffer  # pre-activations [D, M, B], newest last; or the buffer of a whole thought
    z: Tensor  # post-activations [B, D]
    alpha_action: Tensor  # [B, n_action]
    beta_action: Tensor  # [1, n_action]
    alpha_out: Tensor  # [B, n_out]
    beta_out: Tensor  # [1, n_out]


class CTM(EditModel):
    """`CTM(config)(tokens, rows, cols, lengths, diagnosis)` thinks about a batch of packed code."""

    architecture = "ctm"
    sizes = CTMConfig
    config: CTMConfig

    def __init__(self, config: CTMConfig) -> None:
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
        self.pointers = PointerHead(c.out_pairs, c.width)
        self.units = ReplacementHead(c)

    def build_encoding(self, tokens: Tensor, lengths: Tensor, mask: Tensor, h: Tensor) -> CTMEncoding:
        """See `EditModel.build_encoding`; with the keys and values that every tick attends to."""
        return CTMEncoding(
            tokens,
            lengths,
            mask,
            h,
            h.to(product_dtype(h)),
            self.attention.keys_and_values(h),
            self.units.copy_keys(h),
        )

    def initial_state(self, encoding: CTMEncoding, ticks: int | None = None) -> CTMState:
        """The learned state before the first tick; with `ticks`, its trace is one buffer for that many."""
        batch = encoding.tokens.shape[0]
        z = self.start_z.expand(batch, -1).contiguous()
        trace: Tensor | TraceBuffer
        if ticks is None:
            trace = self.start_trace[:, :, None].expand(-1, -1, batch).contiguous()
        else:
            trace = self.nlm.allocate(self.start_trace, batch, ticks)
        alpha_out = self.sync_out.pair_products(z)
        nothing = torch.zeros_like(self.sync_action.pair_products(z))
        return CTMState(trace, z, nothing, nothing[:1].clone(), alpha_out, torch.ones_like(alpha_out[:1]))

    def step(self, state: CTMState, encoding: CTMEncoding) -> tuple[CTMState, Tensor]:
        """One tick: attention, synapse, neuron-level models, synchronization. The next state and S_out [B, n_out]."""
        sync, alpha_action, beta_action = self.sync_action(state.z, state.alpha_action, state.beta_action)
        read = self.attention.step(sync, encoding.key_values, encoding.mask)
        pre = self.synapse(torch.cat([read, state.z.to(read.dtype)], dim=-1))
        trace, z = self.nlm.step(state.trace, pre)
        z = z.to(state.z.dtype)
        sync_out, alpha_out, beta_out = self.sync_out(z, state.alpha_out, state.beta_out)
        return CTMState(trace, z, alpha_action, beta_action, alpha_out, beta_out), sync_out

    def predict_span(self, sync: Tensor, encoding: CTMEncoding) -> tuple[Tensor, Tensor]:
        """Pointers [B, K, 2, N] and certainty [B, K] from the S_out of K ticks, [B, K, n_out]."""
        pointers = self.pointers(sync, encoding.h_cast, encoding.mask)
        return pointers, certainty(pointers, encoding.lengths)

    def tick(self, state: CTMState, encoding: CTMEncoding) -> tuple[CTMState, TickOutput]:
        """One tick and its output: for a thought that may end after it."""
        state, sync = self.step(state, encoding)
        pointers, sure = self.predict_span(sync[:, None], encoding)
        return state, TickOutput(sync, pointers[:, 0], sure[:, 0])

    def forward(
        self,
        tokens: Tensor,
        rows: Tensor,
        cols: Tensor,
        lengths: Tensor,
        diagnosis: Tensor,
        ticks: int | None = None,
        pointers_with_gradient: bool = True,
    ) -> ModelOutput:
        """All T ticks (or `ticks`), what they say worked out at once; shapes as in `encode` and `ModelOutput`.

        Without `pointers_with_gradient` pointers and certainty carry none, for a loss that asks chosen ticks again.
        """
        encoding = self.encode(tokens, rows, cols, lengths, diagnosis)
        readout = self.run_ticks(encoding, ticks or self.config.ticks)
        with torch.set_grad_enabled(torch.is_grad_enabled() and pointers_with_gradient):
            pointers, sure = self.predict_span(readout, encoding)
        return ModelOutput(pointers, sure, readout, encoding)

    def run_ticks(self, encoding: CTMEncoding, ticks: int) -> Tensor:
        """S_out of `ticks` ticks, [B, T, n_out]."""
        readouts = self.all_ticks(
            lambda state: self.step(state, encoding), self.initial_state(encoding, ticks), ticks
        )
        return torch.stack(readouts, dim=1)

    def loss(
        self, thought: ModelOutput, target: Target, terms: LossTerms = NO_TERMS, drawn: Tensor | None = None
    ) -> Loss:
        """Half the loss at the tick where it is lowest, half that at the most certain tick (paper, eq. 12).

        terms.later_ticks: weight of the loss at the tick `drawn` for each sample (drawn here where the caller did
        not). The two ticks of the paper alone let ticks divide the kinds of answers among themselves (an early one
        for edits, the last for 'no edit'), so that more thinking does not mean better answers; this term ends that.

        Which tick is lowest needs the loss of all ticks, but only the chosen ones receive gradient; pointers and
        units are therefore computed twice, for all ticks without gradient and for the chosen with it.
        """
        samples, ticks = thought.certainty.shape
        rows = torch.arange(samples, device=target.start.device)
        sync, encoding = thought.readout, cast(CTMEncoding, thought.encoding)
        ticks_at_once = TICKS_AT_ONCE.get(sync.device.type, TICKS_AT_ONCE_ELSEWHERE)
        with torch.no_grad():
            every = torch.cat(
                [units_loss(self, part, encoding, target) for part in sync.split(ticks_at_once, dim=1)], dim=1
            )
            whole = pointer_loss(thought.pointers, target) + every
        lowest, certain = whole.argmin(dim=1), thought.certainty.argmax(dim=1)
        chosen = [lowest, certain]
        if terms.later_ticks:
            if drawn is None:
                drawn = torch.multinomial(torch.arange(1.0, ticks + 1).expand(samples, -1), 1)[:, 0]
            chosen.append(drawn.to(lowest.device))
        asked = sync[rows[:, None], torch.stack(chosen, dim=1)]  # [B, 2 or 3, n]
        pointers, _ = self.predict_span(asked, encoding)
        losses = pointer_loss(pointers, target) + units_loss(self, asked, encoding, target)
        means = losses.mean(dim=0)
        spread = sync_diversity(sync[rows, certain])
        total = (means[0] + means[1]) / 2
        if terms.later_ticks:
            total = total + terms.later_ticks * means[2]
        if terms.diversity:
            total = total + terms.diversity * spread
        return Loss(total, means[0].detach(), means[1].detach(), spread.detach(), whole.mean(dim=0))

    @torch.no_grad()
    def statistics(self, inputs: dict[str, Tensor]) -> dict[str, dict[str, float]]:
        """Of the post-activations of its "neurons": see `activation_figures`.

        It thinks once more: the training pass itself, whatever it fuses, is not touched and costs nothing more.
        """
        training = self.training
        self.eval()
        encoding = self.encode(**inputs)
        state, thought = self.initial_state(encoding), []
        for _ in range(self.config.ticks):
            state, _ = self.step(state, encoding)
            thought.append(state.z.float())
        self.train(training)
        return {"neurons": activation_figures(torch.stack(thought))}

    def grown(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """With a longer memory: the weights of the newest M stay, older ones start at zero.

        Raises ValueError if the memory would shrink.
        """
        grown, memory = dict(tensors), self.config.memory
        first, trace = tensors["nlm.layers.0.weight"], tensors["start_trace"]
        more = memory - trace.shape[1]
        if more < 0:
            raise ValueError(
                f"memory is {memory}; the stage before has {trace.shape[1]}, and memory must not shrink from stage "
                "to stage"
            )
        grown["nlm.layers.0.weight"] = torch.cat([first.new_zeros(*first.shape[:2], more), first], dim=2)
        grown["start_trace"] = torch.cat([trace.new_zeros(trace.shape[0], more), trace], dim=1)
        return grown

    def compile_parts(self) -> None:
        """See `EditModel.compile_parts`; the synapse and the synchronizations besides.

        What a thought shares over its ticks (`ctm.model.shared_gradients`) is Python that a compiler cannot
        see through; only what lies between is compiled.
        """
        super().compile_parts()
        self.synapse.compile()
        for synchronization in (self.sync_action, self.sync_out):
            synchronization.compile()

    @torch.no_grad()
    def after_step(self) -> None:
        """To be called after each step of the optimizer: decays stay >= 0."""
        self.sync_action.clamp_decay()
        self.sync_out.clamp_decay()
