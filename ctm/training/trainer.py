"""Trains a stage from its newest checkpoint: updates, validation, checkpoints, and rollback after a divergence."""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel
from ctm.training.batch import TrainingBatch, batches
from ctm.training.checkpoint import (
    Averages,
    Progress,
    checkpoint_at,
    checkpoints,
    load_checkpoint,
    resumable,
    save_checkpoint,
    set_aside,
    step_of,
    usable_checkpoints,
)
from ctm.training.cuda_graphs import rounded
from ctm.training.data import Plan, TrainingSet
from ctm.training.gradients import FIGURES, Gradients
from ctm.training.interruption import Stopped, StopRequest
from ctm.training.machine import MachineMonitor
from ctm.training.memory_plan import MemoryPlan, as_memory_error
from ctm.training.metrics import Metrics
from ctm.training.micro_batches import slice_batch
from ctm.training.optimizer import learning_rate_at, make_optimizer
from ctm.training.ranks import Ranks
from ctm.training.recovery import HISTORY, Diverged, diverged
from ctm.training.settings import Quarter, StageRun
from ctm.training.validation_accuracy import measure_accuracy

log = logging.getLogger(__name__)
LOOKED_AT = 4
"""Samples of a micro-batch on which a model's own figures are taken."""


@dataclass(frozen=True, eq=False)
class StageInputs:
    """What a stage trains on and with."""

    data: TrainingSet
    held_out: TrainingSet
    plan: Plan
    codec: CodeTokenizer


class Trainer:
    """A stage's model with its optimizer, moving average and position. `work`: folder of its checkpoints."""

    def __init__(
        self, run: StageRun, material: StageInputs, model: EditModel, gradients: Gradients, ranks: Ranks,
        device: torch.device, work: Path,
    ) -> None:  # fmt: skip
        self.name, self.stage, self.training = run.name, run.stage, run.training
        self.material, self.model, self.gradients = material, model, gradients
        self.ranks, self.device, self.work = ranks, device, work
        self.optimizer = make_optimizer(model, self.training)
        self.steps = len(material.plan) // self.stage.accumulation
        self.machine = MachineMonitor(device)
        self.progress, self.averages = Progress(), Averages()

    def run(self, metrics: Metrics, stop: StopRequest) -> list[dict[str, Any]]:
        """All remaining steps; returns the milestones of the whole stage.

        Raises FloatingPointError and MemoryError, and Stopped where it was asked to `stop`.
        """
        self._begin(metrics)
        clock = time.monotonic() - self.progress.seconds
        while self.progress.step < self.steps:
            try:
                for parts in self._micro_batches():
                    # any of several processes may be asked first; all stop after the same step
                    if self.ranks.any(stop.requested, self.device):
                        self._stop(metrics)
                    self._step(parts, metrics, clock)
            except Diverged as error:
                self._roll_back(str(error), metrics)
        return metrics.milestones()

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

    def _begin(self, metrics: Metrics) -> None:
        """From the newest checkpoint, or the one of step 0, which is written first: a rollback may lead to it."""
        found, damaged = usable_checkpoints(resumable(self.work))
        self.ranks.barrier()  # all have looked before a file is renamed or written
        if found:
            self._load(found[-1])
            metrics.resume_at(self.progress.step, self.progress.metrics_bytes)
            log.info("%s: resuming at step %d of %d", self.name, self.progress.step, self.steps)
        else:
            self._begin_anew(metrics)
        if damaged:
            self._tell_damaged(damaged, metrics)
        if damaged or not found:
            self._save_checkpoint(metrics)
        # last, so that a kill before it leads here again
        self._set_aside(damaged)

    def _begin_anew(self, metrics: Metrics) -> None:
        with as_memory_error(
            f"{self.name}: out of memory for the model and its optimizer state; give the rule more vram, or make the "
            "model smaller"
        ):
            self.optimizer.allocate()  # now: a step that fails half way cannot be taken back
        if self.training.ema:
            self.averages.ema = {k: v.detach().clone() for k, v in self.model.named_parameters()}
        metrics.resume_at(0, 0)

    def _load(self, path: Path) -> None:
        self.progress, self.averages = load_checkpoint(path, self.model, self.optimizer)
        self.averages.ema = {k: v.to(self.device) for k, v in self.averages.ema.items()}
        if self.progress.fit:
            fit = MemoryPlan(**self.progress.fit)
            graphs = (
                fit.graphs and self.gradients.memory_plan.graphs
            )  # the probe of this process decides, too
            self.gradients.apply_memory_plan(dataclasses.replace(fit, graphs=graphs))

    def _tell_damaged(self, damaged: Sequence[Path], metrics: Metrics) -> None:
        """Damaged checkpoints, newest last, as events: what was trained since the newest good one is trained again."""
        for path in damaged:
            self._record_event(
                "damaged checkpoint", {"why": "its checksum differs", "file": path.name}, metrics
            )

    def _set_aside(self, damaged: Sequence[Path]) -> None:
        if self.ranks.is_first:
            for path in damaged:
                log.warning("%s: kept as %s, and not used", self.name, set_aside(path))
        self.ranks.barrier()

    def _stop(self, metrics: Metrics) -> None:
        """End here, with a checkpoint. Raises Stopped."""
        self._save_checkpoint(metrics, stopped=True)
        raise Stopped(
            f"{self.name}: stopped as it was asked to, after step {self.progress.step} of {self.steps}; the same "
            "command goes on from there"
        )

    def _save_checkpoint(self, metrics: Metrics, stopped: bool = False) -> None:
        self.progress.metrics_bytes = metrics.length()
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

    def _micro_batches(self) -> Iterator[list[TrainingBatch]]:
        """The micro-batches of one step after the other; the next is made while one trains."""
        several = self.stage.accumulation
        material = self.material
        source = batches(material.data, material.plan, material.codec, self.progress.step * several)

        def make() -> list[TrainingBatch]:
            made = [batch for _, batch in zip(range(several), source, strict=False)]
            if self.gradients.memory_plan.graphs:  # here, where no step waits for it
                made = [rounded(batch) for batch in made]
            return [batch.pinned() for batch in made] if self.device.type == "cuda" else made

        with ThreadPoolExecutor(1) as maker:
            ready = maker.submit(make)
            while parts := ready.result():
                ready = maker.submit(make)
                yield parts

    def _step(self, parts: list[TrainingBatch], metrics: Metrics, clock: float) -> None:
        step = self.progress.step
        record = self._update(parts, metrics, step)
        self.progress.step = step = step + 1
        self.progress.seconds = time.monotonic() - clock
        milestone = metrics.milestone_steps.get(step)
        if milestone or step % self.training.log_steps == 0:
            record["samples_per_second"] = record["samples"] / self.progress.seconds
            if self.ranks.is_first:
                few = slice_batch(parts[0], 0, min(LOOKED_AT, len(parts[0].start)))
                record |= self.model.statistics(few.to(self.device).inputs)
                record["machine"] = self.machine.figures()
                metrics.write(record)
                metrics.log_step(record, self.progress.seconds)
        metrics.advance_bar(step, self.progress.seconds)
        if milestone or (self.training.validation_steps and step % self.training.validation_steps == 0):
            self._measure(milestone, record, metrics)
        if step % self.training.checkpoint_steps == 0 or step == self.steps:
            self._save_checkpoint(metrics)

    def _update(self, parts: list[TrainingBatch], metrics: Metrics, step: int) -> dict[str, Any]:
        """One step of the optimizer. Raises Diverged before it is made, MemoryError where it fails half way."""
        rate = learning_rate_at(step, self.steps, self.stage) * self.progress.rate_factor
        self.optimizer.set_learning_rate(rate)

        def smaller(problem: str, before: MemoryPlan, after: MemoryPlan) -> None:
            changed = {k: v for k, v in vars(after).items() if v != vars(before)[k]}
            self._record_event("out of memory", {"why": problem, **changed}, metrics)

        sums = self.gradients.accumulate_step(parts, step, smaller)
        clipped = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.training.clip)
        # the one wait for the device in a step: whether the step is made is decided here
        *told, norm = torch.cat([sums, clipped.reshape(1)]).tolist()
        figures = dict(zip(FIGURES, told, strict=True))
        loss = (figures["loss_lowest"] + figures["loss_certain"]) / 2
        why = diverged(loss, norm, self.progress.losses, self.training.spike)
        if why:
            self.gradients.clear()
            raise Diverged(why)
        with as_memory_error(
            f"{self.name}: out of memory inside optimizer step {step}; some weights may have changed, so the step is "
            "discarded. Give the rule more vram and start again: the stage resumes at its last checkpoint"
        ):
            self.optimizer.step()
        self.gradients.clear()
        self.model.after_step()
        if self.averages.ema:
            with torch.no_grad():
                # young averages forget faster, so that the random start does not linger
                keep = min(self.training.ema, (1 + step) / (10 + step))
                average = list(self.averages.ema.values())
                torch._foreach_lerp_(average, list(self.model.parameters()), 1 - keep)
        self.progress.losses = [*self.progress.losses[1 - HISTORY :], loss]
        return {
            "step": step + 1, "samples": self._samples(step + 1), "loss": loss, **figures, "gradient_norm": norm,
            "rate": rate,
        }  # fmt: skip

    def _samples(self, step: int) -> int:
        return step * self.stage.batch * self.stage.accumulation

    def _roll_back(self, why: str, metrics: Metrics) -> None:
        """To the last good checkpoint, with a lower rate from there on.

        A checkpoint that was gone back to already, and led here again, is taken for bad: the one before it is next.
        """
        failed, now = self.progress.step, self.progress
        done = [e for e in now.events if e["event"] == "rollback"]
        found = [p for p in checkpoints(self.work) if step_of(p) <= failed]
        if done and len(found) > 1 and found[-1] == checkpoint_at(self.work, done[-1]["to_step"]):
            found.pop()
        if len(done) >= self.training.rollbacks:
            raise FloatingPointError(
                f"{self.name}: {why} at step {failed}, after {len(done)} rollbacks. Lower learning_rate "
                f"({self.stage.learning_rate:g}) or raise warmup of the stage; raise training.spike "
                f"({self.training.spike:g}) if this data's loss jumps without diverging"
            )
        usable, damaged = usable_checkpoints(found)
        self.ranks.barrier()
        if not usable:
            self._set_aside(damaged)
            raise FloatingPointError(
                f"{self.name}: {why} at step {failed}, and no checkpoint to go back to is whole ({self.work}). Start "
                "again: the stage begins anew"
            )
        best = self.averages.best
        self._load(usable[-1])
        self.progress.events, self.progress.best, self.averages.best = now.events, now.best, best
        self.progress.rate_factor = now.rate_factor * self.training.rollback_rate
        metrics.resume_at(self.progress.step, self.progress.metrics_bytes)
        self._record_event(
            "rollback",
            {
                "why": why, "at_step": failed, "to_step": self.progress.step,
                "rate_factor": self.progress.rate_factor,
            },
            metrics,
        )  # fmt: skip
        self._tell_damaged(damaged, metrics)
        self._save_checkpoint(metrics)
        self._set_aside(damaged)
        if self.ranks.is_first:
            for later in checkpoints(self.work):
                if later > checkpoint_at(self.work, self.progress.step):
                    later.unlink()
        self.ranks.barrier()

    def _record_event(self, event: str, what: dict[str, Any], metrics: Metrics) -> None:
        """Something happened that the report must show."""
        step = self.progress.step
        record = {"event": event, "step": step, "samples": self._samples(step), **what}
        self.progress.events = [*self.progress.events, record]
        metrics.write(record)
        told = ", ".join(f"{k} {v}" for k, v in record.items() if k != "event")
        log.warning("%s: %s: %s", self.name, event, told)

    def _measure(self, milestone: Quarter | None, record: dict[str, Any], metrics: Metrics) -> None:
        """Accuracy on the validation slice, written and logged; what is asked for it is no concern of the trainer."""
        if not self.ranks.is_first:
            return
        random = torch.get_rng_state()
        with self.averaged() as model:
            measured = measure_accuracy(
                model, self.material.held_out, self.material.codec, self.training.validation_items,
                self.stage.max_cells or self.training.max_cells,
            )  # fmt: skip
            if measured.score > self.progress.best.get("score", -math.inf):
                self.averages.best = {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}
                self.progress.best = {
                    "step": record["step"], "score": measured.score, "error": measured.error,
                }  # fmt: skip
        torch.set_rng_state(random)
        by_tick = measured.by_tick
        line: dict[str, Any] = {
            "step": record["step"], "samples": record["samples"], "accuracy": measured.accuracy,
            "score": measured.score, "error": measured.error, "accuracy_by_tick": by_tick,
            "certainty": measured.certainty,
            "gain_per_tick": (by_tick[-1] - by_tick[0]) / max(1, len(by_tick) - 1),
            "sync_variance": measured.sync_variance, "loss": record["loss"],
        }  # fmt: skip
        if milestone:
            line = {"milestone": milestone, **line}
        metrics.write(line)
        shown = "  ".join(f"{k} {v:.1%}" for k, v in measured.accuracy.items())
        log.info("%s %s: %s", self.name, f"{milestone} of the samples" if milestone else "validation", shown)
