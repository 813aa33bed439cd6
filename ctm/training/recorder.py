"""Measures a stage while it trains, and writes what it finds: figures of steps, accuracy at milestones, events."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import torch

from ctm.grid.tokenizer import CodeTokenizer
from ctm.training.batch import TrainingBatch
from ctm.training.data import TrainingSet
from ctm.training.machine import MachineMonitor
from ctm.training.metrics import Metrics
from ctm.training.micro_batches import slice_batch
from ctm.training.settings import Quarter
from ctm.training.stage_state import StageState
from ctm.training.validation_accuracy import measure_accuracy

log = logging.getLogger(__name__)
LOOKED_AT = 4
"""Samples of a micro-batch on which a model's own figures are taken."""


class Recorder:
    """Looks at a stage and changes none of its weights. held_out: what accuracy is measured on."""

    def __init__(
        self, state: StageState, held_out: TrainingSet, codec: CodeTokenizer, machine: MachineMonitor, metrics: Metrics
    ) -> None:  # fmt: skip
        self.state, self.held_out, self.codec = state, held_out, codec
        self.machine, self.metrics = machine, metrics

    def resume(self) -> None:
        """From where the stage stands: what was written later is taken back."""
        self.metrics.resume_at(self.state.progress.step, self.state.progress.metrics_bytes)

    def record_step(self, record: dict[str, Any], parts: Sequence[TrainingBatch]) -> None:
        """A step was made: write its figures and measure, where it is time. parts: its micro-batches."""
        state, metrics, step = self.state, self.metrics, self.state.progress.step
        milestone = metrics.milestone_steps.get(step)
        if milestone or step % state.training.log_steps == 0:
            record["samples_per_second"] = record["samples"] / state.progress.seconds
            if state.ranks.is_first:
                few = slice_batch(parts[0], 0, min(LOOKED_AT, len(parts[0].start)))
                record |= state.model.statistics(few.to(state.device).inputs)
                record["machine"] = self.machine.figures()
                metrics.write(record)
                metrics.log_step(record, state.progress.seconds)
        metrics.advance_bar(step, state.progress.seconds)
        every = state.training.validation_steps
        if milestone or (every and step % every == 0):
            self._measure(milestone, record)

    def record_event(self, event: str, what: dict[str, Any]) -> None:
        """Something happened that the report must show."""
        state = self.state
        step = state.progress.step
        record = {"event": event, "step": step, "samples": state.samples_at(step), **what}
        state.progress.events = [*state.progress.events, record]
        self.metrics.write(record)
        told = ", ".join(f"{k} {v}" for k, v in record.items() if k != "event")
        log.warning("%s: %s: %s", state.name, event, told)

    def _measure(self, milestone: Quarter | None, record: dict[str, Any]) -> None:
        """Accuracy on the validation slice, written and logged; the best weights so far are kept.

        What is asked for it is no concern of the trainer (ctm/pipeline/targets.py).
        """
        state = self.state
        if not state.ranks.is_first:
            return
        random = torch.get_rng_state()
        with state.averaged() as model:
            measured = measure_accuracy(
                model, self.held_out, self.codec, state.training.validation_items,
                state.stage.max_cells or state.training.max_cells,
            )  # fmt: skip
            if measured.score > state.progress.best.get("score", -math.inf):
                state.averages.best = {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}
                state.progress.best = {
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
        self.metrics.write(line)
        shown = "  ".join(f"{k} {v:.1%}" for k, v in measured.accuracy.items())
        log.info("%s %s: %s", state.name, f"{milestone} of the samples" if milestone else "validation", shown)
