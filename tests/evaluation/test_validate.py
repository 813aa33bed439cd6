"""Validation passes on a sound model, and each of its checks can fail; the baseline counts what it says."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch

from ctm.evaluation import validate as checks
from ctm.evaluation.baseline import baseline, peak_bytes
from ctm.evaluation.first_states import FirstState, read_first_states
from ctm.evaluation.validate import InvalidModel, validate
from ctm.grid.edits import apply_edit
from ctm.grid.store import sidecar_of, write_manifest, write_shard
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.repair.evaluate import Item

SIZES = {
    "width": 32, "heads": 2, "neurons": 32, "ticks": 4, "memory": 3, "nlm_hidden": 4, "synapse_depth": 2,
    "action_pairs": 16, "out_pairs": 24, "self_pairs": 4, "blocks": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def grids(
    items: list[Item], tokenizer: CodeTokenizer, pairs_of, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("grids")
    tokenizer.save(folder / "tokenizer.json")
    pairs = pairs_of(folder / "pairs.parquet", items)
    out = folder / "00-of-01.zarr.zip"
    write_shard(pairs, folder / "tokenizer.json", 0, 1, out, sidecar_of(out), folder / "rejects.parquet")
    write_manifest([out], folder / "manifest.json")
    return folder


@pytest.fixture(scope="module")
def states(grids: Path, tokenizer: CodeTokenizer) -> list[FirstState]:
    return read_first_states(grids / "manifest.json", tokenizer, 8)


def test_first_states_are_those_of_the_pairs(
    grids: Path, tokenizer: CodeTokenizer, items: list[Item]
) -> None:
    fixed = {item.buggy: item.fixed for item in items}
    states = read_first_states(grids / "manifest.json", tokenizer, 1000)
    assert len(states) == len(items) - 1, "all but the one that does not fit"
    for item in states:
        after = tokenizer.decode(apply_edit(item.state.ids, item.edit))
        assert item.state.text in fixed
        assert after == fixed[item.state.text] or item.kind == "two_errors"
    assert len(read_first_states(grids / "manifest.json", tokenizer, 5)) == 5


def test_sound_model_passes(grids: Path, tmp_path: Path) -> None:
    out = tmp_path / "validation.json"
    validate(grids / "manifest.json", grids / "tokenizer.json", SIZES, 1, out)
    report = json.loads(out.read_text())
    assert all(check["holds"] for check in report["checks"]) and len(report["checks"]) == 6
    assert [path.name for path in tmp_path.iterdir()] == ["validation.json"], "no weights are left behind"


def test_parameter_without_gradient_is_named(
    model: CTM, states: list[FirstState], tokenizer: CodeTokenizer
) -> None:
    broken = copy.deepcopy(model)
    broken.backbone.norm.register_parameter("forgotten", torch.nn.Parameter(torch.ones(3)))
    holds, seen = checks.gradients(broken, states, tokenizer)
    assert not holds and "backbone.norm.forgotten gets none" in seen
    assert checks.gradients(model, states, tokenizer)[0]


def test_wrong_synchronisation_is_seen(
    model: CTM, states: list[FirstState], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks.synchronisation(model, states)[0]
    step = type(model.sync_out).step

    def without_root(self, z, alpha, beta):
        _, alpha, beta = step(self, z, alpha, beta)
        return alpha / beta, alpha, beta

    monkeypatch.setattr(type(model.sync_out), "step", without_root)
    assert not checks.synchronisation(model, states)[0]


def test_leak_between_samples_is_seen(
    model: CTM, states: list[FirstState], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks.batching(model, states)[0]
    monkeypatch.setattr(
        "ctm.model.model.padding_mask",
        lambda lengths, cells, dtype: torch.zeros(len(lengths), cells, dtype=dtype),
    )
    assert not checks.batching(model, states)[0]


def test_wrong_shape_is_seen(model: CTM, states: list[FirstState]) -> None:
    broken = copy.deepcopy(model)
    assert checks.shapes(broken, states)[0]
    object.__setattr__(broken.config, "units", 15)
    assert not checks.shapes(broken, states)[0]


def test_model_that_does_not_learn_is_seen(
    model: CTM, states: list[FirstState], tokenizer: CodeTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self: None)
    assert not checks.learning(copy.deepcopy(model), states, tokenizer)[0]


def test_failure_names_the_check_and_is_reported(
    grids: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "storing", lambda model, states, scratch: (False, "other bits"))
    with pytest.raises(InvalidModel, match="weights survive the disk: other bits"):
        validate(grids / "manifest.json", grids / "tokenizer.json", SIZES, 1, tmp_path / "v.json")
    assert "other bits" in (tmp_path / "v.json").read_text()


def test_baseline(grids: Path, tmp_path: Path, model: CTM, states: list[FirstState]) -> None:
    baseline(grids / "manifest.json", grids / "tokenizer.json", SIZES, 1, tmp_path / "b.json")
    report = json.loads((tmp_path / "b.json").read_text())
    assert [ticks for ticks, _ in report["forward_ms_by_ticks"]] == [1, 2, 4]
    assert report["accuracy"]["overall"] < 0.2, "random weights know nothing"
    assert report["memory_mb_per_sample"]["training"] > report["memory_mb_per_sample"]["thinking"] > 0
    state = max(states, key=lambda item: len(item.state.ids))
    assert peak_bytes(model, state, training=True) == peak_bytes(model, state, training=True)
