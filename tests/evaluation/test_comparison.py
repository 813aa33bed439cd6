"""First edits alone give what the whole repair's ticks say; two kinds of models answer the same items."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ctm.evaluation.benchmark import by_tick
from ctm.evaluation.calibrate import EVERY_EDIT
from ctm.evaluation.compared_items import read_compared
from ctm.evaluation.comparison import compare_models, contestants, sentence
from ctm.evaluation.fairness import equality
from ctm.evaluation.first_edits import HALT_THRESHOLDS, FirstEdits, first_edit_figures, first_edits
from ctm.evaluation.flops import count_flops
from ctm.evaluation.repairs import repair_cases
from ctm.evaluation.settings import EvaluationSettings
from ctm.evaluation.suites import prepare
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.inference import RUN_ALL_TICKS
from ctm.model.model import CTM
from ctm.model.weights import save_weights
from ctm.pairs.overall import FEWEST
from ctm.repair.evaluate import Item
from ctm.training.initial import new_model
from helpers.made_grids import make_grids
from helpers.stage_runs import tiny_run

TRM_SIZES = {"architecture": "trm", "width": 32, "heads": 2, "mlp": 32, "updates": 2, "ticks": 3}


def test_first_edits_are_the_ticks_of_whole_repairs(
    model: CTM, tokenizer: CodeTokenizer, items: list[Item]
) -> None:
    again = Item("again", items[0].buggy, items[0].fixed + "\n\nx = 1", "syntax", "lost_colon")
    cases = prepare([*items, again], tokenizer)
    said = first_edits(cases, model, tokenizer, 2)
    judged = repair_cases(cases[:-1], model, tokenizer, RUN_ALL_TICKS, EVERY_EDIT, 1, "test", 1)
    right, certainty = by_tick(judged, model.config.ticks)
    assert np.array_equal(said.right[:-1], right)
    np.testing.assert_allclose(said.certainty[:-1], np.nan_to_num(certainty), atol=1e-5)
    assert [i.item_id for i, c in zip(items, said.certainty, strict=False) if not c.any()] == ["too-long"]
    np.testing.assert_allclose(
        said.certainty[-1], said.certainty[0], atol=1e-5, err_msg="a text asked about twice"
    )


def test_figures_of_known_thoughts() -> None:
    """Two kinds of syntax errors and clean items, right at some of three ticks; ten of each, so that none is rare."""
    certainty = [[0.2, 0.6, 0.8], [0.1, 0.1, 0.1], [0.95, 0.3, 0.99], [0.5, 0.6, 0.7]]
    said = FirstEdits(
        np.repeat(["syntax", "syntax", "syntax", "clean"], FEWEST),
        np.repeat(["a", "a", "b", "clean"], FEWEST),
        np.repeat([[0, 1, 1], [0, 0, 0], [1, 1, 0], [1, 1, 1]], FEWEST, axis=0).astype(bool),
        np.repeat(certainty, FEWEST, axis=0).astype(np.float32),
        2.0 * FEWEST,
    )
    figures = first_edit_figures(said)
    assert figures["accuracy"]["syntax"] == pytest.approx(0.25), "half of kind a, none of kind b"
    assert figures["accuracy"]["clean"] == pytest.approx(1) and figures["accuracy"]["logic"] is None
    assert figures["accuracy_by_tick"]["overall"] == pytest.approx([0.5, 0.75, 0.25])
    assert figures["items_per_second"] == 2
    halting = {h["threshold"]: h for h in figures["halting"]}
    assert halting.keys() == set(HALT_THRESHOLDS)
    assert halting[0.5]["ticks_mean"] == pytest.approx((2 + 3 + 1 + 1) / 4)
    assert halting[0.5]["overall"] == pytest.approx(0.75), "stopped at once, kind b is right"
    assert halting[RUN_ALL_TICKS]["ticks_mean"] == 3 and halting[RUN_ALL_TICKS]["overall"] == pytest.approx(
        0.25
    )


def test_two_kinds_of_models_answer_the_same_items(
    model: CTM, tokenizer: CodeTokenizer, items: list[Item], pairs_of, tmp_path: Path
) -> None:
    grids = make_grids(tmp_path / "grids")
    save_weights(tmp_path / "ctm.safetensors", model)
    trm = new_model(TRM_SIZES, tokenizer, 0)
    save_weights(tmp_path / "trm.safetensors", trm)
    tokenizer.save(tmp_path / "tokenizer.json")
    stages = [summary(tmp_path, "first", 96, 2), summary(tmp_path, "last", 192, 4)]
    ctm = [(tmp_path / "ctm.safetensors", path) for path in stages]
    of_trm = (tmp_path / "trm.safetensors", summary(tmp_path, "trm", 96, 3, TRM_SIZES))
    models = contestants(ctm, of_trm)
    assert list(models) == ["CTM", "TRM", "CTM after first"], "the first stage saw as much as the TRM"
    settings = EvaluationSettings(device="cpu")
    pairs, out = pairs_of(tmp_path / "test.parquet", items), tmp_path / "out.json"
    given = (grids.tokenizer, pairs, grids.validation)
    compare_models(models, *given, 12, settings, 1, out, tmp_path / "items.parquet")
    report = json.loads(out.read_text())
    ctm_figures, other = report["models"]["CTM"], report["models"]["TRM"]
    assert report["items"] == 12 and ctm_figures["n"] == other["n"] and sum(other["n"].values()) > 0
    assert (other["architecture"], other["ticks"]) == ("trm", 3)
    assert len(other["accuracy_by_tick"]["overall"]) == 3
    assert other["parameters"] == trm.parameter_counts() and other["flops"] > 0
    assert other["intervals"]["accuracy"].keys() == ctm_figures["accuracy"].keys()
    assert ctm_figures["training"]["samples_seen"] == 96 + 192
    assert [stage["stage"] for stage in ctm_figures["training"]["stages"]] == ["first", "last"]
    cost = [stage["step_flops"] for stage in ctm_figures["training"]["stages"]]
    assert ctm_figures["training"]["flops"] == pytest.approx(96 * cost[0] + 192 * cost[1])
    assert cost[1] > cost[0] > 0, "four ticks cost more than two"
    asked = read_compared(tmp_path / "items.parquet")
    assert len(asked) == 12 * len(report["models"]) and {row["model"] for row in asked} == set(
        report["models"]
    )
    known = [row["right"] for row in asked if row["model"] == "TRM"]
    by_items = report["models"]["TRM"]["accuracy_by_items"]
    assert sum(known) == pytest.approx(
        sum(by_items[name] * n for name, n in other["n"].items() if name != "overall" and n)
    ), "the rows give the same figures again"
    unequal, even = report["pairs"]
    assert (unequal["first"], even["first"]) == ("CTM", "CTM after first")
    assert not unequal["comparable"] and unequal["factors"]["samples_seen"] == pytest.approx(3)
    assert unequal["sentence"].startswith(
        "Not comparable: CTM had 3.0 times the samples of TRM, of the same mix"
    )
    assert even["equal"]["samples"] and even["comparable"] and "equal data and samples" in even["sentence"]
    assert report["models"]["CTM after first"]["accuracy"] == ctm_figures["accuracy"], "the same weights here"
    assert unequal["mcnemar"]["overall"]["n"] == other["n"]["overall"]
    near = report["nearest_milestones"]["models"]
    assert near["CTM"]["samples"] == near["TRM"]["samples"] == 96 and near["CTM"]["stage"] == "first"
    with pytest.raises(ValueError, match="has no pairs"):
        none = pairs_of(tmp_path / "none.parquet", [])
        compare_models(
            models,
            grids.tokenizer,
            none,
            grids.validation,
            0,
            settings,
            1,
            out,
            tmp_path / "none-items.parquet",
        )


def summary(folder: Path, name: str, samples: int, ticks: int, model: dict | None = None) -> Path:
    """What the trainer writes of a stage."""
    run = tiny_run()
    run = replace(run, name=name, stage=replace(run.stage, ticks=ticks), model=model or run.model)
    path = folder / f"{name}.json"
    line = {"milestone": "100%", "samples": samples, "accuracy": {"overall": 0.5}}
    figures = {"samples_seen": samples, "unique_samples": samples, "seconds": 2.0, "milestones": [line]}
    path.write_text(json.dumps({**figures, "settings": asdict(run)}))
    return path


@pytest.mark.parametrize(
    ("samples", "compute", "mix", "comparable", "said"),
    [
        (1.0, 0.5, True, True, "equal data and samples; A had 0.5 times the training compute"),
        (2.0, 1.04, True, True, "equal data and training compute; A had 2.0 times the samples"),
        (1.0, 1.0, True, True, "equal data, samples and training compute"),
        (1.0, 1.0, False, False, "Not comparable: A had 1.0 times the samples of B, of another mix"),
        (32.0, 6.4, True, False, "Not comparable: A had 32.0 times the samples of B, of the same mix"),
    ],
)
def test_equal_terms_are_said_with_their_factors(
    samples: float, compute: float, mix: bool, comparable: bool, said: str
) -> None:
    def of(samples: float, compute: float, cells: int) -> dict:
        stages = [{"data": {"max_cells": cells}}]
        training = {"samples_seen": samples, "unique_samples": samples, "flops": compute, "seconds": 1.0}
        return {"training": {**training, "stages": stages}, "parameters": {"body": 10}}

    found = equality("A", of(samples, compute, 96), "B", of(1, 1, 96 if mix else 256))
    assert found["comparable"] is comparable and said in found["equality"]
    verdict = {
        **found,
        "first": "A",
        "second": "B",
        "difference": {"accuracy": {"overall": {"interval": [0.1, 0.2]}}},
    }
    assert ("ahead" in sentence(verdict)) is comparable, (
        "no verdict from unequal trainings, whatever the figures"
    )


def test_products_are_counted_with_attention_and_backward() -> None:
    x = torch.randn(2, 3, 5, 4, requires_grad=True)
    w = torch.randn(4, 6, requires_grad=True)
    attention = 2 * 2 * (2 * 3) * 5 * 5 * 4
    assert count_flops(lambda: torch.nn.functional.scaled_dot_product_attention(x, x, x)) == attention
    product = 2 * 30 * 4 * 6
    assert count_flops(lambda: (x @ w).sum().backward()) == 3 * product
