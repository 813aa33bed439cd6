"""Computes the gradient of one step from micro-batches, split where memory is short, on one or more processes.

The gradient is the mean over all samples of the step, however they are cut and dealt: a piece counts by its share of
them. Whatever is random in a step (dropout, the tick drawn for each sample) is seeded by its place in the stage, so
that no restart changes it. The cut changes only the masks of dropout, and the diversity term, which compares the
samples of a piece with each other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ctm.model.base import EditModel
from ctm.model.config import NO_TERMS, LossTerms
from ctm.training.batch import TrainingBatch
from ctm.training.cuda_graphs import CudaGraphs
from ctm.training.memory_plan import (
    MemoryPlan,
    first_line,
    is_out_of_memory,
    next_smaller_plan,
    release_cached_memory,
)
from ctm.training.micro_batches import merge_batches, slice_batch, split_bounds
from ctm.training.probe import is_usable
from ctm.training.ranks import Ranks
from ctm.training.settings import StageSettings, TrainingSettings

FIGURES = ("loss_lowest", "loss_certain", "diversity", "certainty", "sync_variance")


class Gradients:
    """Fills `model`'s gradients for one step after the other."""

    def __init__(
        self, model: EditModel, stage: StageSettings, training: TrainingSettings, ranks: Ranks, device: torch.device,
        precision: torch.dtype, seed: int, terms: LossTerms = NO_TERMS,
    ) -> None:  # fmt: skip
        self.model, self.stage, self.training, self.ranks = model, stage, training, ranks
        self.terms = terms
        self.device, self.precision, self.seed = device, precision, seed
        # micro-batches of a step, and samples of each
        self.parts, self.size = (1, stage.batch * stage.accumulation) if training.joined else (
            stage.accumulation, stage.batch,
        )  # fmt: skip
        self.compiled = training.compile and is_usable("compile", device)
        if self.compiled:
            model.compile_parts()
        graphs = training.graphs and not training.checkpoint_ticks and is_usable("graphs", device)
        self.apply_memory_plan(MemoryPlan(self._shared(), training.checkpoint_ticks, graphs=graphs))

    def apply_memory_plan(self, fit: MemoryPlan) -> None:
        """Make the steps fit in this way."""
        self.memory_plan = fit
        self.model.checkpoint_ticks = fit.checkpoint_ticks
        if fit.ticks:
            self.model.config = dataclasses.replace(self.model.config, ticks=fit.ticks)
        self.graphs = CudaGraphs(self._backward, self.model)  # those of another way are of no use

    def clear(self) -> None:
        """Forget the gradients; graphs add to tensors that stay."""
        self.model.zero_grad(set_to_none=not self.memory_plan.graphs)

    def options(self) -> dict[str, Any]:
        """What of torch.compile and CUDA graphs is used, for the report."""
        return {
            "compile": self.compiled,
            "graphs": self.graphs.figures() if self.memory_plan.graphs else False,
        }

    def accumulate_step(
        self,
        parts: list[TrainingBatch],
        step: int,
        on_smaller_plan: Callable[[str, MemoryPlan, MemoryPlan], None],
    ) -> Tensor:
        """Gradients of a step from its micro-batches; returns FIGURES, means over its samples, still on the device.

        on_smaller_plan: called with why, before and after, where memory ran out and the step is tried in a smaller way.
        Raises MemoryError where there is none left.
        """
        while True:
            sums, problem = self._attempt(parts, step)
            if not self.ranks.any(problem is not None, self.device):
                self.ranks.sum_gradients(self.model.parameters())
                return self.ranks.sum(sums)
            self.model.zero_grad(set_to_none=True)
            problem = problem or "another process of this run is out of memory"
            smaller = next_smaller_plan(self.memory_plan, self.size, self.stage.ticks, self.training)
            if smaller is None:
                raise MemoryError(
                    f"step {step} is out of memory even with {self.memory_plan}: {problem}. Give the rule more vram, "
                    "or set training.memory_checkpoint_ticks, training.fewer_ticks or training.smallest_batch"
                )
            on_smaller_plan(problem, self.memory_plan, smaller)
            self.apply_memory_plan(smaller)
            release_cached_memory(self.device)

    def _attempt(self, parts: list[TrainingBatch], step: int) -> tuple[Tensor, str | None]:
        """Sums of FIGURES over this process's pieces, and the error where memory ran out (its frames are gone)."""
        sums = torch.zeros(len(FIGURES), device=self.device)
        try:
            number = 0
            ticks = [self._drawn_ticks(part, step, micro) for micro, part in enumerate(parts)]
            if self.training.joined:
                parts, ticks = [merge_batches(parts)], [torch.cat(ticks)]
            for micro, (part, drawn) in enumerate(zip(parts, ticks, strict=True)):
                for place, (begin, end) in enumerate(split_bounds(self.size, self.memory_plan.pieces)):
                    number += 1
                    if (number - 1) % self.ranks.count == self.ranks.rank:
                        piece = part if self.memory_plan.pieces == 1 else slice_batch(part, begin, end)
                        share = (end - begin) / (self.size * self.parts)
                        torch.manual_seed(self._place(step, micro, 1 + place))
                        sums += share * self._run(piece, drawn[begin:end], share)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return sums, first_line(error)
        return sums, None

    def _run(self, piece: TrainingBatch, drawn: Tensor, share: float) -> Tensor:
        if self.memory_plan.graphs:
            return self.graphs(piece, drawn, share)
        return self._backward(piece.to(self.device), drawn.to(self.device), share)

    def _backward(self, piece: TrainingBatch, drawn: Tensor, share: float) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16):
            thought = self.model(**piece.inputs, pointers_with_gradient=False)
            loss = self.model.loss(thought, piece, self.terms, drawn)
        (loss.total * share).backward()
        variance = thought.readout[:, -1].detach().var(dim=0, correction=0).mean()
        certainty = thought.certainty.detach().max(1).values.mean()
        return torch.stack([loss.at_lowest, loss.at_certain, loss.diversity, certainty, variance])

    def _drawn_ticks(self, part: TrainingBatch, step: int, micro: int) -> Tensor:
        """A tick for each sample of a micro-batch, tick t with probability in proportion to t: int64 [B]."""
        generator = torch.Generator().manual_seed(self._place(step, micro, 0))
        weights = torch.arange(1.0, self.model.config.ticks + 1).expand(len(part.start), -1)
        return torch.multinomial(weights, 1, generator=generator)[:, 0]

    def _place(self, *place: int) -> int:
        """A seed for a place in the stage."""
        return int(np.random.SeedSequence([self.seed, *place]).generate_state(1, np.uint64)[0])

    def _shared(self) -> int:
        """Fewest pieces that give all processes the same number of them, or else each at least one."""
        count = self.ranks.count
        doubled = [2**n for n in range(self.size.bit_length()) if 2**n <= self.size]
        even = [p for p in doubled if self.parts * p % count == 0]
        enough = [p for p in doubled if self.parts * p >= count]
        if not enough:
            raise ValueError(
                f"{count} processes cannot share a step of {self.size} x {self.parts} samples: start at most "
                f"{self.size * self.parts} processes, or raise batch or accumulation"
            )
        return (even or enough)[0]
