"""What was measured is compared with the targets at hand, and the trainer is told none of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from ctm.pipeline.config import parse_config, stage_json, targets_of, trm_json
from ctm.pipeline.targets import compare, compare_at

FULL = yaml.safe_load(Path(__file__).parents[2].joinpath("config/config.yaml").read_text(encoding="utf-8"))
HALF = {"milestone": "50%", "accuracy": {"syntax": 0.5}, "loss": 3.0}


@pytest.mark.parametrize(
    ("figure", "asked", "met"),
    [
        ("syntax", 0.49, True),
        ("syntax", 0.5, False),
        ("loss", 3.1, True),
        ("loss", 3.0, False),
        ("security", 0.0, False),
    ],
)
def test_accuracies_are_above_and_the_loss_is_below(figure: str, asked: float, met: bool) -> None:
    [one] = compare([HALF], {"50%": {figure: asked}})
    assert (one.milestone, one.figure, one.asked, one.met) == ("50%", figure, asked, met)


def test_what_was_not_measured_is_not_met() -> None:
    """A stage of few steps has fewer milestones; its targets are shown all the same."""
    found = compare([HALF], {"50%": {"loss": 9.0, "logic": 0.1}, "25%": {"loss": 9.0}})
    assert [(one.milestone, one.figure, one.reached, one.met) for one in found] == [
        ("25%", "loss", None, False), ("50%", "loss", 3.0, True), ("50%", "logic", None, False),
    ]  # fmt: skip


def test_of_a_stage_that_runs_only_what_it_came_to_is_compared() -> None:
    asked = {"25%": {"loss": 9.0}, "50%": {"loss": 2.0}, "75%": {"loss": 1.0}}
    assert [(one.milestone, one.met) for one in compare_at("50%", HALF, asked)] == [("50%", False)]


def test_trainers_are_told_no_target() -> None:
    """So that nothing they write can depend on one."""
    config = parse_config(FULL)
    assert all(targets_of(config).values()), "there are some at full scale"
    for told in (stage_json(config, "stage1"), trm_json(config)):
        assert "milestones" not in json.loads(told)["stage"]
