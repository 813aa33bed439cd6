"""First edits alone give what the whole repair's ticks say; two kinds of models answer the same items."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ctm.evaluation.benchmark import by_tick
from ctm.evaluation.calibrate import ALWAYS
from ctm.evaluation.comparison import compare
from ctm.evaluation.first_edits import HALTS, FirstEdits, first_edit_figures, first_edits
from ctm.evaluation.flops import count_flops
from ctm.evaluation.repairs import repair_cases
from ctm.evaluation.settings import EvaluationSettings
from ctm.evaluation.suites import prepare
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.model.thinking import RUN_ALL_TICKS
from ctm.model.weights import save_weights
from ctm.pairs.overall import FEWEST
from ctm.repair.evaluate import Item
from ctm.training.initial import new_model

TRM_SIZES = {"architecture": "trm", "width": 32, "heads": 2, "mlp": 32, "updates": 2, "ticks": 3}


def test_first_edits_are_the_ticks_of_whole_repairs(
    model: CTM, tokenizer: CodeTokenizer, items: list[Item]
) -> None:
    again = Item("again", items[0].buggy, items[0].fixed + "\n\nx = 1", "syntax", "lost_colon")
    cases = prepare([*items, again], tokenizer)
    said = first_edits(cases, model, tokenizer, 2)
    judged = repair_cases(cases[:-1], model, tokenizer, RUN_ALL_TICKS, ALWAYS, 1, "test", 1)
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
    assert halting.keys() == set(HALTS)
    assert halting[0.5]["ticks_mean"] == pytest.approx((2 + 3 + 1 + 1) / 4)
    assert halting[0.5]["overall"] == pytest.approx(0.75), "stopped at once, kind b is right"
    assert halting[RUN_ALL_TICKS]["ticks_mean"] == 3 and halting[RUN_ALL_TICKS]["overall"] == pytest.approx(
        0.25
    )


def test_two_kinds_of_models_answer_the_same_items(
    model: CTM, tokenizer: CodeTokenizer, items: list[Item], pairs_of, tmp_path: Path
) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    save_weights(tmp_path / "ctm.safetensors", model)
    trm = new_model(TRM_SIZES, tokenizer, 0)
    save_weights(tmp_path / "trm.safetensors", trm)
    pairs = pairs_of(tmp_path / "test.parquet", items)
    weights = {"CTM": tmp_path / "ctm.safetensors", "TRM": tmp_path / "trm.safetensors"}
    settings = EvaluationSettings(device="cpu")
    compare(weights, tmp_path / "tokenizer.json", pairs, 12, settings, 1, tmp_path / "out.json")
    report = json.loads((tmp_path / "out.json").read_text())
    ctm, other = report["models"]["CTM"], report["models"]["TRM"]
    assert report["items"] == 12 and ctm["n"] == other["n"] and sum(ctm["n"].values()) > 0
    assert (other["architecture"], other["ticks"]) == ("trm", 3)
    assert len(other["accuracy_by_tick"]["overall"]) == 3 and len(ctm["accuracy_by_tick"]["overall"]) == 4
    assert other["parameters"] == trm.parameter_counts() and other["flops"] > 0
    compare(weights, tmp_path / "tokenizer.json", pairs, 0, settings, 1, tmp_path / "all.json")
    assert json.loads((tmp_path / "all.json").read_text())["items"] == len(items)
    with pytest.raises(ValueError, match="has no pairs"):
        compare(
            weights,
            tmp_path / "tokenizer.json",
            pairs_of(tmp_path / "none.parquet", []),
            0,
            settings,
            1,
            pairs,
        )


def test_products_are_counted_with_attention_and_backward() -> None:
    x = torch.randn(2, 3, 5, 4, requires_grad=True)
    w = torch.randn(4, 6, requires_grad=True)
    attention = 2 * 2 * (2 * 3) * 5 * 5 * 4
    assert count_flops(lambda: torch.nn.functional.scaled_dot_product_attention(x, x, x)) == attention
    product = 2 * 30 * 4 * 6
    assert count_flops(lambda: (x @ w).sum().backward()) == 3 * product
