"""The full scale of the specification, and how far a run is from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ctm.analysis.verdict.artifacts import Artifacts, find
from ctm.analysis.verdict.criterion import ABOUT, Condition, Derived, Figure, Key, Scale

BENCHMARK, COMPARISON = "reports/benchmark.json", "reports/comparison.json"
CERTAINTY, ITERATIONS = "reports/certainty.json", "reports/iterations.json"
SYNCHRONIZATION, BASELINE = "reports/synchronization.json", "reports/baseline.json"
VALIDATION, TRM = "reports/validation.json", "trm/summary.json"


@dataclass(frozen=True)
class Stage:
    """A stage of the curriculum, in the specification's numbers."""

    name: str
    ticks: int
    samples: int
    throughput: float
    milestones: tuple[tuple[str, str, float], ...]
    """At which quarter, loss or a category, and its bound: loss below, accuracy above."""
    expected: tuple[tuple[str, float], ...] = ()
    """Accuracy at the end that it expects besides."""

    @property
    def summary(self) -> str:
        """Its artifact."""
        return f"training/{self.name}/summary.json"

    def scales(self) -> tuple[Scale, ...]:
        """Samples, ticks and size of the model."""
        return (
            Scale(f"unique samples of {self.name}", Key(self.summary, "unique_samples"), self.samples),
            Scale(f"ticks of {self.name}", Key(self.summary, "settings.stage.ticks"), self.ticks),
            Scale("parameters", Key(self.summary, "parameters.body"), PARAMETERS, 1 - ABOUT),
        )


PARAMETERS, TRM_PARAMETERS = 15_000_000, 7_000_000
"""Body of a full model, about."""
STAGES = (
    Stage(
        "stage1", 16, 200_000, 4.6,
        (("25%", "loss", 4.0), ("50%", "loss", 3.0), ("75%", "loss", 2.5), ("100%", "syntax", 0.80)),
        (("syntax", 0.85),),
    ),
    Stage(
        "stage2", 32, 300_000, 2.8,
        (("25%", "syntax", 0.85), ("50%", "logic", 0.40), ("75%", "logic", 0.55), ("100%", "logic", 0.65)),
    ),
    Stage(
        "stage3", 48, 500_000, 1.8,
        (("25%", "overall", 0.50), ("50%", "overall", 0.60), ("75%", "overall", 0.68), ("100%", "overall", 0.72)),
    ),
    Stage(
        "stage4", 64, 1_000_000, 1.2,
        (("25%", "overall", 0.70), ("50%", "overall", 0.73), ("75%", "overall", 0.75), ("100%", "overall", 0.76)),
        (("syntax", 0.93), ("logic", 0.72), ("security", 0.78)),
    ),
)  # fmt: skip
SAMPLES, TICKS = sum(stage.samples for stage in STAGES), STAGES[-1].ticks


def summaries(run: Artifacts) -> list[dict[str, Any]]:
    """Of all stages of the CTM that the run has."""
    return run.matching("training/*/summary.json")


def total(key: str) -> Derived:
    """Sum of a figure over the stages."""
    return Derived(
        f"training/*/summary.json: sum of {key}",
        lambda run: Figure(
            float(sum(find(summary, key, "a summary of training") for summary in summaries(run)))
        ),
    )


def _largest(key: str) -> Derived:
    """The largest of a setting over the stages: what the last one has."""
    return Derived(
        f"training/*/summary.json: largest {key}",
        lambda run: Figure(
            max(float(find(summary, key, "a summary of training")) for summary in summaries(run))
        ),
    )


MODEL_TICKS = Scale("ticks", _largest("settings.stage.ticks"), TICKS)
MODEL_PARAMETERS = Scale("parameters", Key(BENCHMARK, "parameters.body"), PARAMETERS, 1 - ABOUT)
FULL_TRAINING = (
    Scale("unique samples", total("unique_samples"), SAMPLES),
    MODEL_TICKS,
    MODEL_PARAMETERS,
)
"""A trained model of full scale."""
FULL_DATA = (
    Scale("samples asked for by the last stage", _largest("settings.stage.samples"), STAGES[-1].samples),
)
"""A run that asks for the data of full scale."""
FULL_TRM = (
    Scale("unique samples of the TRM", Key(TRM, "unique_samples"), 1_000_000),
    Scale("parameters of the TRM", Key(TRM, "parameters.body"), TRM_PARAMETERS, 1 - ABOUT),
)


def comparable(run: Artifacts) -> str:
    """What speaks against reading a verdict from the comparison of CTM and TRM."""
    if run.find(COMPARISON, "pairs[first=CTM].comparable"):
        return ""
    said = run.find(COMPARISON, "pairs[first=CTM].equality")
    return f"{said} `make compare` trains both on equal terms."


EQUAL_TERMS = Condition(comparable)
