"""The model card says what the model reaches and where it ends, and which milestones were missed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml

from ctm.export.bundle import final_metrics
from ctm.pipeline.model_card import model_card, write_card
from helpers.bundle_parts import BENCHMARK, STAGES

CONFIG: dict[str, Any] = {"model": {"ticks": 4}, "thresholds": BENCHMARK["thresholds"]}
COUNTS = {"by_split": {"train": 9000, "test": 800}, "by_source": {"mutation": 9000, "release": 800}}
CHECK = {"items": 200, "largest_probability_difference": 3e-6}


def card_of(targets: dict[str, Any]) -> str:
    """The card of a run with the targets."""
    return model_card(CONFIG, final_metrics(BENCHMARK, STAGES), STAGES, COUNTS, CHECK, targets)


def test_card_shows_figures_and_limits() -> None:
    card = card_of({})
    for shown in (
        "50.0%",
        "| syntax | 50.0% | 47.0 to 53.0% | 55.0% | 52.0 to 58.0% | 99.0% | 1,200 | 7 |",
        "security | not tested",
        "2.00 M",
        "4.0%",
        "0.600",
        "Limits",
        "Apache-2.0",
        "2 proposals per 1,000 functions",
        "working code of the test projects (not chosen there): 1.2 (90 % interval 0.4 to 2.9",
        "logic 7.0%, security -",
        "takes 0.5% of all functions to hold a bug like the made ones; it is 0.30 at most",
        "(guarded): 55.0%",
        "64.0% and 19.0%",
        "22.0% lose a name or literal",
        "(AUROC): 0.8",
        "From a confidence of 0.612 on at least 90%",
        "93.4% of 321, lower bound 90.3%",
        "No confidence is known from which on 95%",
        "best are the 90 surest of 700",
    ):
        assert shown in card, shown
    assert "none were in the data" in card, "real fixes were not tested, and the card says so"


def test_missed_milestones_are_those_of_the_targets_at_hand() -> None:
    """Another target is another card, of the same training."""
    assert "Milestones" not in card_of({}) + card_of({"stage1": {"100%": {"syntax": 0.45, "loss": 2.6}}})
    card = card_of({"stage1": {"100%": {"syntax": 0.85, "loss": 2.5}}, "stage2": {"50%": {"logic": 0.2}}})
    assert (
        "**not** met: stage1 at 100%: syntax 0.5, asked for 0.85; stage1 at 100%: loss 2.5, asked for 2.5; "
        "stage2 at 50%: logic -, asked for 0.2." in card
    ), "a stage that never measured it has not met it"


def test_it_is_written_from_the_artifacts_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    content = {
        "metrics": final_metrics(BENCHMARK, STAGES),
        "counts": COUNTS,
        "check": CHECK,
        "stage1": STAGES[0],
    }
    for name, value in content.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    metrics, counts, check, stage1 = (tmp_path / f"{name}.json" for name in content)
    targets = {"stage1": {"100%": {"syntax": 0.85}}}
    write_card(tmp_path / "config.yaml", metrics, [stage1], counts, check, targets, tmp_path / "card.md")
    card = (tmp_path / "card.md").read_text()
    assert "train 9,000" in card and "answered 200 items" in card and "**not** met" in card


def test_card_of_a_model_that_never_stops_early() -> None:
    config = copy.deepcopy(CONFIG)
    config["thresholds"]["tick"] = 2.0
    metrics = copy.deepcopy(final_metrics(BENCHMARK, STAGES))
    metrics["suites"]["real"] = {"n": 77, "exact_at_1": 0.1, "coverage": None}
    metrics["suite_intervals"]["real"] = {"exact_at_1": [0.05, 0.18]}
    card = model_card(config, metrics, [], {}, {"items": 1, "largest_probability_difference": 0.0}, {})
    assert "all ticks are thought" in card and "of 77 exact (95 % interval 5.0 to 18.0%" in card
