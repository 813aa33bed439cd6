"""The interface of all models: encode the code, make an initial state, run a tick.

A model encodes the code once (`encode`), begins (`initial_state`) and answers at each tick (`tick`): a CTM's tick is
one step of its neurons, a TRM's one supervised recursion, and a plain transformer has a single one. Its loss, the
statistics that training logs of its inside and how it goes on from an earlier stage (`grown`) are its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ctm.model.backbone import Backbone, padding_mask
from ctm.model.config import NO_TERMS, LossTerms, ModelSizes
from ctm.model.heads import ReplacementHead

T = TypeVar("T")
"""The result of a tick."""


class Encoding(Protocol):
    """What does not change during a thought, and what the heads read of it."""

    @property
    def tokens(self) -> Tensor:
        """int64 [B, N]."""

    @property
    def lengths(self) -> Tensor:
        """int64 [B], END included."""

    @property
    def mask(self) -> Tensor:
        """[B, N], 0 or MASK_VALUE."""

    @property
    def h(self) -> Tensor:
        """[B, N, d]."""

    @property
    def copies(self) -> Tensor:
        """Keys of the copies, [B, d, N]."""


class PlainEncoding(NamedTuple):
    """An `Encoding` with nothing besides."""

    tokens: Tensor
    lengths: Tensor
    mask: Tensor
    h: Tensor
    copies: Tensor


def select_samples(encoding: Encoding, rows: Tensor) -> PlainEncoding:
    """Some samples' encoding; rows int64 [R]."""
    return PlainEncoding(
        *(
            part[rows]
            for part in (encoding.tokens, encoding.lengths, encoding.mask, encoding.h, encoding.copies)
        )
    )


class TickOutput(NamedTuple):
    """The output of one tick."""

    readout: Tensor  # what the units are read from, [B, n]: a CTM's S_out, another model's answer vector
    pointers: Tensor  # log-probabilities of start and end [B, 2, N]
    certainty: Tensor  # [B], 0 to 1


@dataclass(frozen=True)
class ModelOutput:
    """All ticks of a thought."""

    pointers: Tensor
    """Log-probabilities of start and end, [B, T, 2, N]."""
    certainty: Tensor
    """[B, T], 1 is certain."""
    readout: Tensor
    """S_out of a CTM, the answer vector of another model, [B, T, n]."""
    encoding: Encoding
    """The encoding that the ticks attended to."""


def _some_ticks(tick: Callable[[Any], tuple[Any, T]], state: Any, count: int) -> tuple[Any, list[T]]:
    results: list[T] = []
    for _ in range(count):
        state, result = tick(state)
        results.append(result)
    return state, results


class Target(Protocol):
    """The right edits of a batch of B samples, with R units in all."""

    @property
    def start(self) -> Tensor:
        """int64 [B], first cell that is replaced."""

    @property
    def end(self) -> Tensor:
        """int64 [B], the cell after the last one."""

    @property
    def words(self) -> Tensor:
        """int64 [B, N], number of the word that begins at the cell or -1."""

    @property
    def unit_sample(self) -> Tensor:
        """int64 [R], which sample a unit belongs to. Units without token and word count for nothing."""

    @property
    def unit_slot(self) -> Tensor:
        """int64 [R], its slot."""

    @property
    def unit_token(self) -> Tensor:
        """int64 [R], right token or -1."""

    @property
    def unit_word(self) -> Tensor:
        """int64 [R], number of the word that it may copy or -1."""


@dataclass(frozen=True)
class Loss:
    """A batch's loss and what to log of it."""

    total: Tensor
    """Scalar to step on, nats a sample."""
    at_lowest: Tensor
    """Mean loss at the tick where it is lowest."""
    at_certain: Tensor
    """Mean loss at the most certain tick."""
    diversity: Tensor
    """Synchronization-diversity term, unweighted; 0 where a model has none."""
    by_tick: Tensor
    """Mean loss of every tick, [T], without gradient."""


class EditModel(nn.Module, ABC):
    """`model(tokens, rows, cols, lengths, diagnosis)` thinks about a batch of packed code."""

    architecture: ClassVar[str]
    """Its name in the config and in files of weights."""
    sizes: ClassVar[type[ModelSizes]]
    """The class of its `config`."""
    checkpoint_ticks: int = 0
    """Ticks whose intermediate values are forgotten and made again in backward, at a time; 0: all are kept."""
    config: ModelSizes
    units: ReplacementHead

    def __init__(self, config: ModelSizes) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config)

    def encode(self, tokens: Tensor, rows: Tensor, cols: Tensor, lengths: Tensor, diagnosis: Tensor) -> Any:
        """tokens, rows, cols int64 [B, N]; lengths int64 [B] with END; diagnosis int64 [B, 2] (cell or -1, kind).

        Returns what `build_encoding` makes of it.
        """
        mask = padding_mask(lengths, tokens.shape[1], self.units.bias.dtype)
        return self.build_encoding(tokens, lengths, mask, self.backbone(tokens, rows, cols, diagnosis, mask))

    def build_encoding(self, tokens: Tensor, lengths: Tensor, mask: Tensor, h: Tensor) -> Any:
        """What stays the same during a thought about the encoding h [B, N, d]; mask [B, N] as `padding_mask`.

        Returns an `Encoding`, which may hold more for a model's own ticks.
        """
        return PlainEncoding(tokens, lengths, mask, h, self.units.copy_keys(h))

    @abstractmethod
    def initial_state(self, encoding: Any) -> Any:
        """The state before the first tick."""

    @abstractmethod
    def tick(self, state: Any, encoding: Any) -> tuple[Any, TickOutput]:
        """Run one tick: returns the next state and its output."""

    def between_ticks(self, state: Any) -> Any:
        """What a tick of `forward` hands to the next; a model may cut the gradient here."""
        return state

    def forward(
        self, tokens: Tensor, rows: Tensor, cols: Tensor, lengths: Tensor, diagnosis: Tensor,
        ticks: int | None = None, pointers_with_gradient: bool = True,
    ) -> ModelOutput:  # fmt: skip
        """All T ticks (or `ticks`); shapes as in `encode` and `ModelOutput`.

        Without `pointers_with_gradient` a model whose loss asks chosen ticks again leaves the gradients of pointers and
        certainty out.
        """
        encoding = self.encode(tokens, rows, cols, lengths, diagnosis)

        def tick(state: Any) -> tuple[Any, TickOutput]:
            state, output = self.tick(state, encoding)
            return self.between_ticks(state), output

        outputs = self.all_ticks(tick, self.initial_state(encoding), ticks or self.config.ticks)
        return ModelOutput(
            pointers=torch.stack([s.pointers for s in outputs], dim=1),
            certainty=torch.stack([s.certainty for s in outputs], dim=1),
            readout=torch.stack([s.readout for s in outputs], dim=1),
            encoding=encoding,
        )

    def all_ticks(self, tick: Callable[[Any], tuple[Any, T]], state: Any, ticks: int) -> list[T]:
        """The results of `ticks` ticks from `state` on; `tick` makes of a state the next one and a result.

        With gradient, the intermediate values of `checkpoint_ticks` ticks at a time are forgotten.
        """
        at_once = self.checkpoint_ticks if torch.is_grad_enabled() else 0
        results: list[T] = []
        while len(results) < ticks:
            count = min(at_once or ticks, ticks - len(results))
            if at_once:
                state, more = checkpoint(_some_ticks, tick, state, count, use_reentrant=False)
            else:
                state, more = _some_ticks(tick, state, count)
            results += more
        return results

    @abstractmethod
    def loss(
        self, thought: ModelOutput, target: Target, terms: LossTerms = NO_TERMS, drawn: Tensor | None = None
    ) -> Loss:
        """What it is trained with.

        thought: of `forward`, without `pointers_with_gradient` or with. drawn: int64 [B], a tick for each sample,
        tick t with probability in proportion to t, for a term that asks for one.
        """

    def statistics(self, inputs: dict[str, Tensor]) -> dict[str, dict[str, float]]:
        """What to log of its inside while it thinks about `inputs` (as `encode` takes them): figures by group.

        Runs without gradient and dropout, and leaves the model as it was. A model without such figures gives none.
        """
        return {}

    def grown(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of an earlier stage, whose `config.lasting()` was the same, in this model's shapes."""
        return dict(tensors)

    def compile_parts(self) -> None:
        """Send what has many small kernels through torch.compile, in place, so that names of weights stay."""
        self.backbone.compile(dynamic=True)

    @torch.no_grad()
    def after_step(self) -> None:
        """To be called after each step of the optimizer."""

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.backbone.token.weight.device

    def parameter_counts(self) -> dict[str, int]:
        """{"body", "embedding"}: embeddings are the tables of tokens and of places."""
        tables = sum(p.numel() for m in self.modules() if isinstance(m, nn.Embedding) for p in m.parameters())
        return {"body": sum(p.numel() for p in self.parameters()) - tables, "embedding": tables}
