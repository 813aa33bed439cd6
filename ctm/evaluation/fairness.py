"""Whether two models were trained on equal terms, in numbers and in a sentence.

Equal data: the same settings decide which pairs are drawn how often. Equal samples, equal compute: within 5 %. Two
models are comparable where data and one of the two are equal; of others, no verdict may be read from their accuracies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ctm.evaluation.training_compute import TrainedStage

EQUAL = 1.05
"""The most that equal quantities may differ by, as a factor."""
QUANTITIES = ("samples_seen", "unique_samples", "flops", "seconds")


def equality(first: str, ours: Mapping[str, Any], second: str, theirs: Mapping[str, Any]) -> dict[str, Any]:
    """What the first model had of what the second had: factors, what of it is equal, and a sentence.

    ours, theirs: figures of a model, with "training" (`training_figures`) and "parameters".
    """
    training = ours["training"], theirs["training"]
    factors = {name: _factor(training[0][name], training[1][name]) for name in QUANTITIES}
    factors["parameters"] = _factor(ours["parameters"]["body"], theirs["parameters"]["body"])
    drawn = [stage["data"] for side in training for stage in side["stages"]]
    equal = {
        "data": all(data == drawn[0] for data in drawn),
        "samples": _is_equal(factors["samples_seen"]),
        "compute": _is_equal(factors["flops"]),
    }
    comparable = equal["data"] and (equal["samples"] or equal["compute"])
    return {
        "factors": factors,
        "equal": equal,
        "comparable": comparable,
        "equality": _sentence(first, second, factors, equal, comparable),
    }


def nearest(samples: Sequence[int], wanted: int) -> int:
    """Place of the number that is nearest to `wanted` as a factor; the first of equals."""
    return min(range(len(samples)), key=lambda place: _distance(samples[place], wanted))


def nearest_milestones(
    first: str, ours: Sequence[TrainedStage], second: str, theirs: Sequence[TrainedStage]
) -> dict[str, Any] | None:
    """The milestones at which both had seen most nearly the same number of samples; the later of equals, None of none.

    Of each: samples seen in all stages so far, stage and milestone, its mix, and the accuracy of first edits on the
    validation slice of its stage. It costs nothing, as training measured it.
    """
    sides = [_milestones(ours), _milestones(theirs)]
    if not all(sides):
        return None
    pairs = [(a, b) for a in sides[0] for b in sides[1]]
    apart = [_distance(a["samples"], b["samples"]) for a, b in pairs]
    least = min(apart)
    a, b = [pair for pair, distance in zip(pairs, apart, strict=True) if math.isclose(distance, least)][-1]
    return {"models": {first: a, second: b}, "factor": _factor(a["samples"], b["samples"])}


def _milestones(stages: Sequence[TrainedStage]) -> list[dict[str, Any]]:
    before = np.cumsum([0, *(stage.samples_seen for stage in stages)]).tolist()
    return [
        {
            "samples": seen + line["samples"],
            "stage": stage.run.name,
            "milestone": line["milestone"],
            "mix": stage.data["mix"],
            "max_cells": stage.data["max_cells"],
            "validation_items": stage.run.training.validation_items,
            "accuracy": line["accuracy"],
        }
        for seen, stage in zip(before, stages, strict=False)
        for line in stage.milestones
    ]


def _sentence(
    first: str, second: str, factors: Mapping[str, float | None], equal: Mapping[str, bool], comparable: bool
) -> str:
    samples, compute = (
        f"{_times(factors[name])} the {what}"
        for name, what in (("samples_seen", "samples"), ("flops", "training compute"))
    )
    data = "of the same mix" if equal["data"] else "of another mix of categories or lengths"
    if not comparable:
        return (
            f"Not comparable: {first} had {samples} of {second}, {data}, and {compute}. No verdict can be read from "
            "their accuracies."
        )
    if equal["samples"] and equal["compute"]:
        return f"{first} and {second} had equal data, samples and training compute."
    if equal["samples"]:
        return f"{first} and {second} had equal data and samples; {first} had {compute}."
    return f"{first} and {second} had equal data and training compute; {first} had {samples}."


def _times(factor: float | None) -> str:
    if factor is None:
        return "an unknown multiple of"
    return f"{factor:.1f} times" if factor >= 1 else f"{factor:.2g} times"


def _factor(ours: float, theirs: float) -> float | None:
    return ours / theirs if ours and theirs else None


def _is_equal(factor: float | None) -> bool:
    return factor is not None and 1 / EQUAL <= factor <= EQUAL


def _distance(one: float, other: float) -> float:
    return abs(math.log(max(one, 1) / max(other, 1)))
