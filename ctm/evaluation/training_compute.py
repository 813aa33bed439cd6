"""What a training cost: samples, and floating-point operations as samples times those of a measured training step.

The operations are those of the matrix products of forward, loss and backward, counted on a few samples from the
shortest to the longest that the stage trains on; the optimizer's own, which do not grow with the batch, are left out.
So it is an estimate, and the same on every machine.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter

from ctm.evaluation.flops import count_flops
from ctm.grid.tokenizer import CodeTokenizer
from ctm.training.batch import TrainingBatch, batches
from ctm.training.data import TrainingSet, plan_visits
from ctm.training.initial import new_model
from ctm.training.micro_batches import slice_batch
from ctm.training.settings import StageRun

BATCHES, SAMPLES = 4, 8
"""Micro-batches of a stage, at even quantiles of their length, and samples of each, on which operations are counted."""


@dataclass(frozen=True)
class TrainedStage:
    """A stage that a model was trained in: what its summary says."""

    run: StageRun
    samples_seen: int
    unique_samples: int
    seconds: float
    milestones: list[dict[str, Any]]

    @staticmethod
    def read(summary: Path) -> TrainedStage:
        """From what `ctm.training.stage` wrote. Raises ValueError for a file that names no settings."""
        content = json.loads(summary.read_text(encoding="utf-8"))
        if "settings" not in content:
            raise ValueError(f"{summary}: has no settings of its stage; train it again with this version")
        return TrainedStage(
            TypeAdapter(StageRun).validate_python(content["settings"]),
            content["samples_seen"],
            content["unique_samples"],
            content["seconds"],
            content["milestones"],
        )

    @property
    def data(self) -> dict[str, Any]:
        """The settings that decide which pairs are drawn how often, and which of their states."""
        stage, training = self.run.stage, self.run.training
        mix = {name: share / sum(stage.mix.values()) for name, share in sorted(stage.mix.items())}
        return {
            "mix": mix,
            "max_cells": stage.max_cells or training.max_cells,
            "real_weight": stage.real_weight,
            "final_state_share": training.final_state_share,
        }


def training_flops(run: StageRun, parts: Sequence[TrainingBatch], codec: CodeTokenizer) -> float:
    """Operations of matrix products in a training step of `run`, a sample: forward, loss and backward.

    parts: micro-batches as the stage makes them.
    """
    model = new_model({**run.model, "ticks": run.stage.ticks}, codec, 0).train()

    def steps() -> None:
        for part in parts:
            model.loss(model(**part.inputs, pointers_with_gradient=False), part, run.loss).total.backward()

    return count_flops(steps) / sum(len(part.start) for part in parts)


def step_flops(run: StageRun, data: TrainingSet, codec: CodeTokenizer) -> float:
    """`training_flops` on a few samples of micro-batches of the stage, from its shortest ones to its longest.

    data: the training split, or another that is like it; of the stage's mix, categories that it lacks are left out.
    Raises ValueError where no pair is short enough for the stage.
    """
    short = np.diff(data.offsets) < (run.stage.max_cells or run.training.max_cells)
    if not short.any():
        raise ValueError(
            f"no pair is shorter than the {run.stage.max_cells} cells of stage {run.name}: raise max_cells"
        )
    there = set(data.category[short & ((data.source == "mutation") | (run.stage.real_weight > 0))].tolist())
    mix = {name: share for name, share in run.stage.mix.items() if name in there}
    plan = plan_visits(data, dataclasses.replace(run.stage, mix=mix), run.training, 0)
    pair, state = plan.pair.reshape(-1, plan.batch), plan.state.reshape(-1, plan.batch)
    by_length = np.diff(data.offsets)[pair].max(axis=1).argsort(kind="stable")
    places = by_length[(np.arange(BATCHES) * 2 + 1) * len(by_length) // (2 * BATCHES)]
    some = dataclasses.replace(plan, pair=pair[places].ravel(), state=state[places].ravel())
    # the last ones are the longest: as wide as the whole micro-batch is
    parts = [
        _without_fill(slice_batch(part, max(0, plan.batch - SAMPLES), plan.batch))
        for part in batches(data, some, codec)
    ]
    with torch.random.fork_rng(devices=[]):  # a loss that draws ticks must not change what is drawn elsewhere
        torch.manual_seed(0)
        return training_flops(run, parts, codec)


def _without_fill(part: TrainingBatch) -> TrainingBatch:
    """A batch less the empty units that fill it up: of a few samples they would be most of the units."""
    asked = (part.unit_token >= 0) | (part.unit_word >= 0)
    asked[0] |= not asked.any()
    columns = ("unit_sample", "unit_slot", "unit_token", "unit_word")
    return dataclasses.replace(part, **{name: getattr(part, name)[asked] for name in columns})


def training_figures(stages: Sequence[TrainedStage], cost: Mapping[str, float]) -> dict[str, Any]:
    """Samples, seconds and operations of all stages of a model together.

    cost: operations of a sample, by the stage's name (`step_flops`). unique_samples: as each stage counts them; a pair
    that comes in two stages counts twice.
    """
    by_stage: list[dict[str, Any]] = [
        {
            "stage": stage.run.name,
            "samples_seen": stage.samples_seen,
            "unique_samples": stage.unique_samples,
            "seconds": stage.seconds,
            "step_flops": cost[stage.run.name],
            "data": stage.data,
        }
        for stage in stages
    ]
    return {
        "samples_seen": sum(stage["samples_seen"] for stage in by_stage),
        "unique_samples": sum(stage["unique_samples"] for stage in by_stage),
        "seconds": sum(stage["seconds"] for stage in by_stage),
        "flops": sum(stage["samples_seen"] * stage["step_flops"] for stage in by_stage),
        "stages": by_stage,
    }
