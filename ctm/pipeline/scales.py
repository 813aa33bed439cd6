"""What the time of each rule grows with, so that a measured run can be scaled to another config.

A quantity is worked out from the config and the pinned lists alone, of the run that was measured and of the one that is
planned; a rule's seconds are multiplied by the ratio of the two. That is an assumption, and where the ratio is not 1
`ctm-pipeline plan` says so. Left out is what no config says: how long the texts are, and how much of a source is found.
"""

from __future__ import annotations

import csv
import dataclasses
import typing
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from ctm.pipeline.sections import Config
from ctm.training.settings import Category, CTMStageSettings


class Quantities:
    """Quantities of a configuration by their names, as SCALES has them. root: the checkout.

    Building the models to count their parameters takes seconds, and is done for the rules alone that need it.
    """

    def __init__(self, config: Config, root: Path) -> None:
        self.config, self.root = config, root

    def of(self, name: str, rule: str) -> float:
        """A quantity for a rule. Raises OSError where a pinned list cannot be read."""
        config = self.config
        match name:
            case "nothing":
                return 1
            case "packages":
                return self._packages
            case "releases":
                return _rows(self.root / config.sources.releases.pins)
            case "commit pairs":
                return config.sources.commits.pairs
            case "packages x bugs of a snippet":
                return self._packages * config.bugs.per_snippet
            case "visits x ticks x parameters":
                stage = (
                    config.trm.stage
                    if rule == "train_trm"
                    else config.training.stages[rule.removeprefix("train_")]
                )
                return stage.samples * stage.epochs * stage.ticks * self._size(rule)
            case "test items x ticks x parameters":
                return self._test_items * self._last.ticks * self._size(rule)
            case "compared items x ticks x parameters":
                return (config.trm.items or self._test_items) * self._last.ticks * self._size(rule)
            case "followed items x ticks x parameters":
                items = config.analysis.scaling_items + config.analysis.control_items
                return items * max(config.analysis.scaling_ticks) * self._size(rule)
            case "analyzed items x ticks x parameters":
                return config.synchronization.items * self._last.ticks * self._size(rule)
            case "ticks x parameters":
                return self._last.ticks * self._size(rule)
            case "parameters":
                return self._size(rule)
            case "items":
                return config.references.items or self._test_items
        raise KeyError(name)

    @cached_property
    def _packages(self) -> float:
        sources = self.config.sources
        return _rows(self.root / sources.packages.pins) if sources.packages.enabled else 1

    @property
    def _test_items(self) -> int:
        """Of the frozen test set, about: it has at least that many of each category, where there are as many."""
        return len(typing.get_args(Category)) * self.config.pairs.per_category

    @property
    def _last(self) -> CTMStageSettings:
        return self.config.training.stages[self.config.training.order[-1]]

    def _size(self, rule: str) -> int:
        return self._parameters_trm if rule == "train_trm" else self._parameters

    @cached_property
    def _parameters(self) -> int:
        """Parameters of the final CTM without its tables of words."""
        from ctm.model.model import CTM

        sizes = dataclasses.replace(
            self.config.model,
            memory=self._last.memory,
            ticks=self._last.ticks,
            vocabulary=self.config.tokenizer.vocabulary,
        )
        return CTM(sizes).parameter_counts()["body"]

    @cached_property
    def _parameters_trm(self) -> int:
        from ctm.model.trm import TRM

        sizes = dataclasses.replace(self.config.trm.model, vocabulary=self.config.tokenizer.vocabulary)
        return TRM(sizes).parameter_counts()["body"]


SCALES: Mapping[str, str] = {
    "collect_packages": "packages",
    "collect_releases": "releases",
    "collect_commits": "commit pairs",
    "clean_snippets": "packages",
    "train_tokenizer": "packages",
    "balance_mix": "packages",
    "mutate": "packages x bugs of a snippet",
    "build_pairs": "packages x bugs of a snippet",
    "fit_bug_mix": "nothing",
    "encode_shard": "packages x bugs of a snippet",
    "grid_manifest": "packages x bugs of a snippet",
    "data_card": "packages x bugs of a snippet",
    "validate_model": "ticks x parameters",
    "baseline": "ticks x parameters",
    "train_trm": "visits x ticks x parameters",
    "working_windows": "packages",
    "benchmark": "test items x ticks x parameters",
    "reference_points": "items",
    "follow_thoughts": "followed items x ticks x parameters",
    "analyze_iterations": "nothing",
    "analyze_certainty": "nothing",
    "draw_thought": "nothing",
    "analyze_synchronization": "analyzed items x ticks x parameters",
    "compare_trm": "compared items x ticks x parameters",
    "export_onnx": "parameters",
    "check_onnx": "ticks x parameters",
    "bundle": "parameters",
    "model_card": "nothing",
    "judge_criteria": "nothing",
    "report": "nothing",
    "provenance": "nothing",
}
"""Of each rule, what its time grows with; stages of training as `train_trm`. A rule that is not here has no scale: it
waits for others' servers, or reads what the config does not tell the size of."""

WEIGHTS = {"train": "parameters", "bundle": "parameters", "export_onnx": "parameters"}
"""Rules whose outputs grow with another quantity than their time, by the beginning of their names."""


def scale_of(rule: str) -> str | None:
    """What the time of a rule grows with; None where the config does not tell."""
    return SCALES.get("train_trm" if rule.startswith("train_stage") else rule)


def disk_scale_of(rule: str) -> str | None:
    """What the size of its outputs grows with."""
    if rule == "train_tokenizer":
        return "nothing"
    scale = next((scale for name, scale in WEIGHTS.items() if rule.startswith(name)), scale_of(rule))
    return scale if scale is None or "x ticks" not in scale else "nothing"


def jobs_of(rule: str, config: Config) -> int:
    """Jobs that share the work of a rule."""
    if rule.startswith("collect_"):
        return int(getattr(config.sources, rule.removeprefix("collect_")).shards)
    if rule == "encode_shard":
        return config.grids.train_shards + config.grids.validation_shards
    return config.bugs.shards if rule == "mutate" else 1


def _rows(path: Path) -> int:
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.DictReader(file))
