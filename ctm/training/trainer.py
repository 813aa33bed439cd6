"""Trains a stage: step after step from where it stands, to the last one or until it is asked to stop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel
from ctm.training.batch import TrainingBatch, batches
from ctm.training.cuda_graphs import rounded
from ctm.training.data import Plan, TrainingSet
from ctm.training.gradients import FIGURES, Gradients
from ctm.training.interruption import Stopped, StopRequest
from ctm.training.machine import MachineMonitor
from ctm.training.memory_plan import MemoryPlan, as_memory_error
from ctm.training.metrics import Metrics
from ctm.training.optimizer import learning_rate_at
from ctm.training.ranks import Ranks
from ctm.training.recorder import Recorder
from ctm.training.recovery import HISTORY, Diverged, diverged
from ctm.training.rollback import resume, roll_back
from ctm.training.settings import StageRun
from ctm.training.stage_state import StageState


@dataclass(frozen=True, eq=False)
class StageInputs:
    """What a stage trains on and with."""

    data: TrainingSet
    held_out: TrainingSet
    plan: Plan
    codec: CodeTokenizer


class Trainer:
    """Makes the steps of a stage. `work`: folder of its checkpoints."""

    def __init__(
        self, run: StageRun, material: StageInputs, model: EditModel, gradients: Gradients, ranks: Ranks,
        device: torch.device, work: Path,
    ) -> None:  # fmt: skip
        self.state = StageState(run, model, gradients, ranks, device, work)
        self.material = material
        self.steps = len(material.plan) // run.stage.accumulation
        self.machine = MachineMonitor(device)

    def run(self, metrics: Metrics, stop: StopRequest) -> list[dict[str, Any]]:
        """All remaining steps; returns the milestones of the whole stage.

        Raises FloatingPointError and MemoryError, and Stopped where it was asked to `stop`.
        """
        state, material = self.state, self.material
        recorder = Recorder(state, material.held_out, material.codec, self.machine, metrics)
        resume(state, recorder)
        clock = time.monotonic() - state.progress.seconds
        while state.progress.step < self.steps:
            try:
                for parts in self._micro_batches():
                    # any of several processes may be asked first; all stop after the same step
                    if state.ranks.any(stop.requested, state.device):
                        self._stop(metrics)
                    self._step(parts, recorder, clock)
            except Diverged as error:
                roll_back(state, str(error), recorder)
        return metrics.milestones()

    def _stop(self, metrics: Metrics) -> None:
        """End here, with a checkpoint. Raises Stopped."""
        state = self.state
        state.save(metrics.length(), stopped=True)
        raise Stopped(
            f"{state.name}: stopped as it was asked to, after step {state.progress.step} of {self.steps}; the same "
            "command goes on from there"
        )

    def _micro_batches(self) -> Iterator[list[TrainingBatch]]:
        """The micro-batches of one step after the other; the next is made while one trains."""
        state, material = self.state, self.material
        several = state.stage.accumulation
        source = batches(material.data, material.plan, material.codec, state.progress.step * several)

        def make() -> list[TrainingBatch]:
            made = [batch for _, batch in zip(range(several), source, strict=False)]
            if state.gradients.memory_plan.graphs:  # here, where no step waits for it
                made = [rounded(batch) for batch in made]
            return [batch.pinned() for batch in made] if state.device.type == "cuda" else made

        with ThreadPoolExecutor(1) as maker:
            ready = maker.submit(make)
            while parts := ready.result():
                ready = maker.submit(make)
                yield parts

    def _step(self, parts: list[TrainingBatch], recorder: Recorder, clock: float) -> None:
        state = self.state
        record = self._update(parts, recorder, state.progress.step)
        state.progress.step = step = state.progress.step + 1
        state.progress.seconds = time.monotonic() - clock
        recorder.record_step(record, parts)
        if step % state.training.checkpoint_steps == 0 or step == self.steps:
            state.save(recorder.metrics.length())

    def _update(self, parts: list[TrainingBatch], recorder: Recorder, step: int) -> dict[str, Any]:
        """One step of the optimizer. Raises Diverged before it is made, MemoryError where it fails half way."""
        state = self.state
        rate = learning_rate_at(step, self.steps, state.stage) * state.progress.rate_factor
        state.optimizer.set_learning_rate(rate)

        def smaller(problem: str, before: MemoryPlan, after: MemoryPlan) -> None:
            changed = {k: v for k, v in vars(after).items() if v != vars(before)[k]}
            recorder.record_event("out of memory", {"why": problem, **changed})

        sums = state.gradients.accumulate_step(parts, step, smaller)
        clipped = torch.nn.utils.clip_grad_norm_(state.model.parameters(), state.training.clip)
        # the one wait for the device in a step: whether the step is made is decided here
        *told, norm = torch.cat([sums, clipped.reshape(1)]).tolist()
        figures = dict(zip(FIGURES, told, strict=True))
        loss = (figures["loss_lowest"] + figures["loss_certain"]) / 2
        why = diverged(loss, norm, state.progress.losses, state.training.spike)
        if why:
            state.gradients.clear()
            raise Diverged(why)
        with as_memory_error(
            f"{state.name}: out of memory inside optimizer step {step}; some weights may have changed, so the step is "
            "discarded. Give the rule more vram and start again: the stage resumes at its last checkpoint"
        ):
            state.optimizer.step()
        state.gradients.clear()
        state.model.after_step()
        state.update_average()
        state.progress.losses = [*state.progress.losses[1 - HISTORY :], loss]
        return {
            "step": step + 1, "samples": state.samples_at(step + 1), "loss": loss, **figures,
            "gradient_norm": norm, "rate": rate,
        }  # fmt: skip
