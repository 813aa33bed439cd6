"""Thoughts that are followed say what first edits say; controls change what they are meant to change, and no more."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ctm.evaluation.first_edits import first_edits
from ctm.evaluation.first_states import inputs_of
from ctm.evaluation.followed_thoughts import follow
from ctm.evaluation.iteration import frozen, shuffled
from ctm.evaluation.settings import EvaluationSettings
from ctm.evaluation.suites import Case, prepare
from ctm.evaluation.thought_figures import answers, follow_thoughts
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.model.weights import save_weights
from ctm.repair.candidates import make_state
from ctm.repair.evaluate import Item
from ctm.training.initial import new_model


@pytest.fixture(scope="module")
def cases(items: list[Item], tokenizer: CodeTokenizer) -> list[Case]:
    again = Item("again", items[0].buggy, items[0].fixed + "\n\nx = 1", "syntax", "lost_colon")
    return prepare([*items, again], tokenizer)


def test_a_followed_thought_says_what_first_edits_say(
    model: CTM, tokenizer: CodeTokenizer, cases: list[Case]
) -> None:
    said = first_edits(cases, model, tokenizer, 1)
    followed = follow(cases, model, tokenizer, model.config.ticks, 2)
    assert np.array_equal(followed.right, said.right)
    np.testing.assert_allclose(np.nan_to_num(followed.certainty), said.certainty, atol=1e-5)
    assert [case.item.item_id for case, asked in zip(cases, followed.in_scope, strict=True) if not asked] == [
        "too-long"
    ]
    assert (followed.seconds > 0).all() and len(followed.seconds) == 1 + model.config.ticks
    longer = follow(cases, model, tokenizer, 2 * model.config.ticks, 1)
    assert np.array_equal(longer.right[:, : model.config.ticks], followed.right), (
        "more ticks change no earlier one"
    )
    assert longer.right.shape[1] == 2 * model.config.ticks


def test_movement_is_that_of_the_states(model: CTM, tokenizer: CodeTokenizer, cases: list[Case]) -> None:
    followed = follow(cases[:1], model, tokenizer, 3, 1)
    state = make_state(cases[0].text, tokenizer)
    assert state is not None
    with torch.inference_mode():
        encoding = model.encode(**inputs_of([state]))
        now, readout = model.initial_state(encoding), None
        for tick in range(3):
            before = now.z
            now, output = model.tick(now, encoding)
            moved = float((now.z - before).norm() / now.z.norm())
            assert followed.moved[0, tick] == pytest.approx(moved, rel=1e-4)
            if readout is not None:
                moved = float((output.readout - readout).norm() / output.readout.norm())
                assert followed.readout_moved[0, tick] == pytest.approx(moved, rel=1e-4)
            readout = output.readout
    assert np.isnan(followed.readout_moved[0, 0]), "there is no readout before the first tick"


def test_controls_leave_the_first_tick_and_do_not_depend_on_threads(
    model: CTM, tokenizer: CodeTokenizer, cases: list[Case]
) -> None:
    as_it_is = follow(cases, model, tokenizer, 4, 1)
    still = follow(cases, model, tokenizer, 4, 1, frozen)
    assert np.allclose(still.certainty[:, 0], as_it_is.certainty[:, 0], atol=1e-6, equal_nan=True)
    assert not np.allclose(still.certainty[:, 2], as_it_is.certainty[:, 2], atol=1e-6, equal_nan=True)
    one, two = (follow(cases, model, tokenizer, 4, threads, shuffled) for threads in (1, 2))
    assert np.allclose(one.certainty, two.certainty, atol=1e-6, equal_nan=True)
    assert not np.allclose(one.certainty, as_it_is.certainty, atol=1e-6, equal_nan=True)


def test_the_rule_writes_what_a_recount_gives(
    model: CTM, weights: Path, tokenizer: CodeTokenizer, items: list[Item], pairs_of, tmp_path: Path
) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    test = pairs_of(tmp_path / "test.parquet", items)
    out = tmp_path / "thoughts.json"
    follow_thoughts(
        weights, tmp_path / "tokenizer.json", test, 1000, 12, (1, 6), EvaluationSettings(device="cpu"), 1, out
    )
    report = json.loads(out.read_text())
    assert report["items"] == len(items) and report["in_scope"] == len(items) - 1
    assert [row["ticks"] for row in report["scaling"]] == [1, 4, 6]
    assert [row["trained"] for row in report["scaling"]] == [True, True, False]
    cost = report["cost"]
    assert cost["encode"] > cost["tick"] > 0 and cost["read"] > 0
    assert report["scaling"][2]["flops"] == cost["encode"] + 6 * cost["tick"] + cost["read"]
    assert report["scaling"][0]["seconds"] < report["scaling"][2]["seconds"]

    followed = follow(prepare(items, tokenizer), model, tokenizer, 6, 1)
    clean = [place for place, item in enumerate(items) if item.category == "clean"]
    for row in report["scaling"]:
        hits = answers(followed, row["ticks"])[clean]
        assert row["accuracy"]["clean"] == pytest.approx(hits.mean())
    assert report["settling"]["n"]["all"] == len(items) - 1
    assert report["settling"]["same_span"]["all"][-1] == 1, "the last trained tick agrees with itself"
    np.testing.assert_allclose(
        report["settling"]["moved"]["all"], followed.moved[followed.in_scope, :4].mean(axis=0), rtol=1e-4
    )
    controls = report["controls"]
    assert controls["items"] == 12 and controls["by_control"].keys() == {
        "as it is", "first tick", "frozen", "shuffled",
    }  # fmt: skip
    assert controls["by_control"]["as it is"]["ahead"] is None


def test_a_model_without_neurons_is_refused(
    tokenizer: CodeTokenizer, items: list[Item], pairs_of, tmp_path: Path
) -> None:
    sizes = {"architecture": "trm", "width": 32, "heads": 2, "mlp": 32, "updates": 2, "ticks": 3}
    save_weights(tmp_path / "trm.safetensors", new_model(sizes, tokenizer, 0))
    tokenizer.save(tmp_path / "tokenizer.json")
    test = pairs_of(tmp_path / "test.parquet", items)
    with pytest.raises(ValueError, match="is a trm, and only the thoughts of a ctm"):
        follow_thoughts(
            tmp_path / "trm.safetensors", tmp_path / "tokenizer.json", test, 10, 5, (1,),
            EvaluationSettings(device="cpu"), 1, tmp_path / "out.json",
        )  # fmt: skip
