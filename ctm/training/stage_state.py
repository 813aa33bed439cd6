"""A stage as it stands: its model with the optimizer, the moving average and the position, kept in checkpoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ctm.model.base import EditModel
from ctm.training.checkpoint import Averages, Progress, load_checkpoint, save_checkpoint
from ctm.training.gradients import Gradients
from ctm.training.memory_plan import MemoryPlan, as_memory_error
from ctm.training.optimizer import make_optimizer
from ctm.training.ranks import Ranks
from ctm.training.settings import StageRun


class StageState:
    """What a stage trains, and where it is. `work`: folder of its checkpoints."""

    def __init__(
        self, run: StageRun, model: EditModel, gradients: Gradients, ranks: Ranks, device: torch.device, work: Path
    ) -> None:  # fmt: skip
        self.name, self.stage, self.training = run.name, run.stage, run.training
        self.model, self.gradients = model, gradients
        self.ranks, self.device, self.work = ranks, device, work
        self.optimizer = make_optimizer(model, self.training)
        self.progress, self.averages = Progress(), Averages()

    def begin(self) -> None:
        """Make what the optimizer and the moving average keep. Raises MemoryError where it does not fit."""
        with as_memory_error(
            f"{self.name}: out of memory for the model and its optimizer state; give the rule more vram, or make the "
            "model smaller"
        ):
            self.optimizer.allocate()  # now: a step that fails half way cannot be taken back
        if self.training.ema:
            self.averages.ema = {k: v.detach().clone() for k, v in self.model.named_parameters()}

    def load(self, path: Path) -> None:
        """Be as a checkpoint was."""
        self.progress, self.averages = load_checkpoint(path, self.model, self.optimizer)
        self.averages.ema = {k: v.to(self.device) for k, v in self.averages.ema.items()}
        if self.progress.fit:
            fit = MemoryPlan(**self.progress.fit)
            graphs = (
                fit.graphs and self.gradients.memory_plan.graphs
            )  # the probe of this process decides, too
            self.gradients.apply_memory_plan(dataclasses.replace(fit, graphs=graphs))

    def save(self, metrics_bytes: int, stopped: bool = False) -> None:
        """Write a checkpoint. metrics_bytes: length of the metrics so far. stopped: as save_checkpoint has it."""
        self.progress.metrics_bytes = metrics_bytes
        self.progress.fit = dataclasses.asdict(self.gradients.memory_plan)
        if self.ranks.is_first:
            save_checkpoint(
                self.work,
                self.model,
                self.averages,
                self.optimizer,
                self.progress,
                self.training.keep,
                stopped,
            )
        self.ranks.barrier()

    def samples_at(self, step: int) -> int:
        """Samples that so many steps have seen."""
        return step * self.stage.batch * self.stage.accumulation

    def update_average(self) -> None:
        """Move the average, where there is one, towards the weights that the step after `progress.step` has left."""
        if self.averages.ema:
            step = self.progress.step
            with torch.no_grad():
                # young averages forget faster, so that the random start does not linger
                keep = min(self.training.ema, (1 + step) / (10 + step))
                average = list(self.averages.ema.values())
                torch._foreach_lerp_(average, list(self.model.parameters()), 1 - keep)

    @contextmanager
    def averaged(self) -> Iterator[EditModel]:
        """The model with its moving average in place of the weights, where there is one; the weights come back."""
        if not self.averages.ema:
            yield self.model
            return
        live = [p.detach().clone() for p in self.model.parameters()]
        try:
            self._put(self.averages.ema.values())
            yield self.model
        finally:
            self._put(live)

    def _put(self, values: Iterable[torch.Tensor]) -> None:
        """New values for the model's weights, in their order."""
        with torch.no_grad():
            for parameter, value in zip(self.model.parameters(), values, strict=True):
                parameter.copy_(value)
