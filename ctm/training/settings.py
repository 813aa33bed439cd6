"""What a stage of training is, in numbers: for any model, and what only a CTM has besides."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ctm.bounds import (
    Amount,
    Count,
    Device,
    Factor,
    Few,
    FewOrNone,
    Part,
    PositiveShare,
    Rate,
    Seed,
    Share,
    Weight,
)
from ctm.model.config import NO_TERMS, LossTerms, Precision

Category = Literal["syntax", "logic", "security", "complex", "clean"]
Quarter = Literal["25%", "50%", "75%", "100%"]


@dataclass(frozen=True)
class StageSettings:
    """One stage of the training of any model."""

    ticks: Few
    """Ticks of a thought, T: a CTM's internal ticks, a TRM's recursions."""
    batch: Count
    """Samples of a micro-batch."""
    accumulation: Count
    """Micro-batches of a step of the optimizer."""
    learning_rate: Rate
    """Peak learning rate."""
    epochs: Count
    """How often each of the stage's samples is visited."""
    samples: Count
    """Unique samples of the stage; fewer where the training split has fewer (said in the log)."""
    mix: dict[Category, Share] = field(default_factory=dict)
    """Share of each category among the visits; empty: as they come."""
    real_weight: Weight = 1.0
    """How much likelier a real pair (commit, release, ...) is drawn than a synthetic one; 0 leaves them out."""
    warmup: Share = 0.02
    """Share of the stage's steps in which the rate rises."""
    final_rate: Share = 0.1
    """Rate at the end of the cosine, as a share of the peak."""
    max_cells: Count | None = None
    """Longer states are left out of this stage, counted; null: as training.max_cells says."""

    def __post_init__(self) -> None:
        """Refuse a mix that is no whole, and a stage of less than a batch."""
        if self.mix and not math.isclose(sum(self.mix.values()), 1, abs_tol=1e-6):
            raise ValueError(f"the shares of mix must add up to 1, not {sum(self.mix.values()):g}")
        if self.samples < self.batch:
            raise ValueError(
                f"samples is {self.samples}, less than a batch of {self.batch}; raise it, or lower batch"
            )


@dataclass(frozen=True)
class CTMStageSettings(StageSettings):
    """One stage of the curriculum."""

    memory: Few = field(kw_only=True)
    """Pre-activations a neuron-level model sees, M; not less than the stage before."""


@dataclass(frozen=True)
class TrainingSettings:
    """What all stages of all models share."""

    seed: Seed = 0
    """Seeds weights, order of samples and dropout."""
    optimizer: Literal["muon", "adamw"] = "muon"
    """"muon" for the matrices of linear layers with AdamW for the rest, or "adamw" for all."""
    muon_factor: Factor = 1.0
    """Muon's rate as a multiple of AdamW's."""
    weight_decay: Share = 0.01
    """On matrices only."""
    clip: Factor = 0.5
    """Largest norm of the gradient."""
    final_state_share: Share = 0.15
    """Share of a pair's visits that show its repaired state, whose answer is 'no edit'."""
    max_cells: Count = 3072
    """Longer states are left out of training, counted."""
    precision: Precision = "auto"
    """Of matrix products: "float32", "bfloat16", or "auto" (bfloat16 where the device has matrix units for it)."""
    ema: Part = 0.0
    """Decay of the moving average of the weights that is saved and evaluated; 0: the weights themselves."""
    checkpoint_steps: Count = 200
    """Steps between checkpoints."""
    keep: Count = 5
    """Last checkpoints kept while a stage runs; the best weights by validation are kept beside them."""
    log_steps: Count = 20
    """Steps between lines of metrics."""
    validation_items: Count = 512
    """Items of the validation split that milestones are measured on."""
    validation_steps: Amount = 0
    """Steps between measurements besides those of the milestones; 0: none."""
    result: Literal["best", "last"] = "best"
    """Weights that a stage hands on: "best" by validation if they beat the last ones by more than chance, or "last"."""
    spike: Weight = 8.0
    """A loss this many times the median of the last 100 steps is a divergence, as NaN is; 0: NaN and infinity only."""
    rollbacks: Amount = 3
    """How often a stage goes back to a checkpoint after a divergence before it stops."""
    rollback_rate: PositiveShare = 0.5
    """What each of them multiplies the learning rate of the rest of the stage with."""
    smallest_batch: Count = 1
    """Samples that a micro-batch may be cut down to, half by half, where memory runs out; the step keeps all of its."""
    checkpoint_ticks: FewOrNone = 0
    """Ticks between gradient checkpoints: less memory, more time; 0: none."""
    memory_checkpoint_ticks: FewOrNone = 8
    """The same once micro-batches cannot be cut further and memory runs out; 0: not tried."""
    fewer_ticks: FewOrNone = 0
    """Ticks of a thought once that does not suffice either (48 in the specification); 0: not tried."""
    joined: bool = False
    """Train a step's micro-batches as one: the same gradient, and a GPU has more to do at once. Where memory runs out,
    it is cut again."""
    graphs: bool = True
    """Replay micro-batches as CUDA graphs (CUDA, ROCm), where a probe finds them right; not with checkpoint_ticks."""
    compile: bool = False
    """Send the encoder, the synapse and the synchronizations through torch.compile, where a probe finds it right."""
    deterministic: Literal["auto", "on", "off"] = "auto"
    """Whether only deterministic algorithms are taken, so that a run has the same bits again: "on", "off" (a GPU then
    adds in any order, and faster), or "auto" (on processors alone, where it costs nothing)."""
    device: Device = "auto"
    """"auto" (CUDA or ROCm, MPS, else CPU) or a torch device."""


@dataclass(frozen=True)
class CTMTrainingSettings(TrainingSettings):
    """What all stages of the curriculum share."""

    diversity: Weight = 0.0
    """Weight of the synchronization-diversity term (against collapse)."""
    later_ticks: Weight = 0.5
    """Weight of the loss at a tick drawn at random, later ones likelier, so that all learn to answer; 0: none."""


@dataclass(frozen=True)
class StageRun:
    """A stage by name, with everything its trainer needs: what the rule hands over as one JSON."""

    name: str
    """Name of the stage."""
    stage: StageSettings
    """Its own numbers."""
    training: TrainingSettings
    """What all stages share."""
    model: dict[str, int | float | str]
    """Sizes of the model, with its "architecture" if it is no CTM; ticks and vocabulary are left to the stage and the
    tokenizer."""
    loss: LossTerms = NO_TERMS
    """Weights of the terms that the model's loss has besides."""


def stage_of_ctm(
    name: str, stage: CTMStageSettings, training: CTMTrainingSettings, sizes: Mapping[str, Any]
) -> StageRun:
    """The run of a CTM's stage: what only a CTM has goes to the model's sizes and the terms of its loss."""
    return StageRun(
        name,
        stage_of_any(stage),
        training_of_any(training),
        {**sizes, "memory": stage.memory},
        LossTerms(diversity=training.diversity, later_ticks=training.later_ticks),
    )


def stage_of_any(stage: StageSettings) -> StageSettings:
    """What a trainer needs of the settings of a stage: of what is asked of its milestones it knows nothing."""
    return StageSettings(**_of_any(StageSettings, stage))


def training_of_any(training: TrainingSettings) -> TrainingSettings:
    """What any model has of the settings of the curriculum."""
    return TrainingSettings(**_of_any(TrainingSettings, training))


def _of_any(kind: type, settings: object) -> dict[str, Any]:
    return {item.name: getattr(settings, item.name) for item in dataclasses.fields(kind)}
