"""What is trained by a comparison: the CTM, the TRM, and controls of the CTM's, each as a stage with one recipe."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from ctm.evaluation.training_compute import training_flops
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.config import LossTerms
from ctm.pipeline.config import Config, section
from ctm.training.batch import TrainingBatch
from ctm.training.settings import StageRun, stage_of_ctm

CTM, TRM, ONE_TICK, TRANSFORMER = "CTM", "TRM", "CTM, one tick", "transformer"
OTHERS = (TRM, ONE_TICK, TRANSFORMER)
"""What the CTM is compared with."""
MOST_BLOCKS = 24


def run_of(config: Config, name: str, blocks: int, samples: int, usable: int, seed: int) -> StageRun:
    """One training. All have the same name and data, so that samples come in the same order."""
    order, stages = config.training.order, config.training.stages
    first, last, sizes = stages[order[0]], stages[order[-1]], section(config, "model")
    epochs = max(1, math.ceil(samples / usable))
    stage = dataclasses.replace(
        last, samples=round(samples / epochs), epochs=epochs, learning_rate=first.learning_rate,
        warmup=0.05, final_rate=0.02,
    )  # fmt: skip
    training = dataclasses.replace(
        config.training, seed=seed, ema=config.trm.ema, validation_items=40, log_steps=50
    )
    ctm = stage_of_ctm("compare", stage, training, sizes)
    if name == TRM:
        other = {**section(config, "trm.model"), "architecture": "trm"}
        return _other(ctm, config.trm.stage.ticks, other)
    if name == TRANSFORMER:
        shared = {key: sizes[key] for key in ("width", "heads", "kernel", "units", "dropout")}
        return _other(ctm, 1, {**shared, "blocks": blocks, "architecture": "transformer"})
    return (
        dataclasses.replace(ctm, stage=dataclasses.replace(ctm.stage, ticks=1)) if name == ONE_TICK else ctm
    )


def variants(config: Config, models: Sequence[str], blocks: Sequence[int]) -> dict[str, tuple[str, Config]]:
    """What is trained, by its label: the kind of model, and the config that has its sizes.

    The CTM, those of OTHERS in `models`, and with each number of `blocks` the CTM and the CTM of one tick.
    """
    found = {name: (name, config) for name in (CTM, *(name for name in OTHERS if name in models))}
    for number in blocks:
        sizes = dataclasses.replace(config, model=dataclasses.replace(config.model, blocks=number))
        found |= {f"{name}, {number} blocks": (name, sizes) for name in (CTM, ONE_TICK)}
    return found


def _other(ctm: StageRun, ticks: int, sizes: dict[str, Any]) -> StageRun:
    """The same training of another model."""
    stage = dataclasses.replace(ctm.stage, ticks=ticks)
    return dataclasses.replace(ctm, stage=stage, model=sizes, loss=LossTerms())


def equal_blocks(
    config: Config, parts: list[TrainingBatch], codec: CodeTokenizer, wanted: float, seed: int
) -> int:
    """Blocks of the transformer whose training costs what is nearest to `wanted`; the cost grows evenly with them."""
    batch = config.training.stages[
        config.training.order[-1]
    ].batch  # of so many samples, as a stage has no fewer
    one, two = (
        training_flops(run_of(config, TRANSFORMER, n, batch, batch, seed), parts, codec) for n in (1, 2)
    )
    return min(MOST_BLOCKS, max(1, 1 + round((wanted - one) / (two - one))))
