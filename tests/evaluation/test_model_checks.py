"""Validation passes on a sound model, and each of its checks can fail; the baseline counts what it says."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch

from ctm.analysis.pretraining_reports import baseline_page, plot_baseline, plot_validation, validation_page
from ctm.evaluation import checks, iteration, memory
from ctm.evaluation.baseline import baseline, peak_bytes, targets
from ctm.evaluation.first_states import FirstState, read_first_states
from ctm.evaluation.gradient_flow import norms_by_tick
from ctm.evaluation.model_checks import InvalidModel, refuse_failures, validate
from ctm.grid.edits import apply_edit
from ctm.grid.store import sidecar_of, write_manifest, write_shard
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.repair.evaluate import Item
from ctm.training.initial import new_ctm

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


@pytest.fixture(scope="module")
def trained(model: CTM) -> CTM:
    return iteration.briefly_trained(model.config, 0)


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


@pytest.fixture
def trained_once(trained: CTM, monkeypatch: pytest.MonkeyPatch) -> None:
    """The brief training is done once for all tests."""
    monkeypatch.setattr(iteration, "briefly_trained", lambda config, seed: trained)


@pytest.mark.usefixtures("trained_once")
def test_sound_model_passes_all_five_checks(grids: Path, tmp_path: Path) -> None:
    out = tmp_path / "validation.json"
    report = validate(grids / "manifest.json", grids / "tokenizer.json", SIZES, 1, out, host_gb=64)
    refuse_failures(report)
    assert report == json.loads(out.read_text())
    five = ["shapes", "gradients", "memory", "iteration", "synchronization"]
    assert list(dict.fromkeys(part["check"] for part in report["checks"])) == five
    assert set(report["evidence"]) == set(five[1:])
    assert [path.name for path in tmp_path.iterdir()] == ["validation.json"], "no weights are left behind"
    page = validation_page(report, "v.png")
    assert "All five checks hold." in page and "](v.png)" in page
    plot_validation(report, tmp_path / "v.png")
    assert (tmp_path / "v.png").read_bytes().startswith(b"\x89PNG")


def test_parameter_without_gradient_is_named(
    model: CTM, states: list[FirstState], tokenizer: CodeTokenizer
) -> None:
    broken = copy.deepcopy(model)
    broken.backbone.norm.register_parameter("forgotten", torch.nn.Parameter(torch.ones(3)))
    holds, seen = checks.gradients(broken, states, tokenizer)
    assert not holds and "backbone.norm.forgotten has no gradient" in seen
    assert checks.gradients(model, states, tokenizer)[0]


def test_wrong_synchronization_is_seen(
    model: CTM, states: list[FirstState], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks.synchronization_definition(model, states)[0]
    whole = type(model.sync_out).forward

    def without_root(self, z, alpha, beta):
        _, alpha, beta = whole(self, z, alpha, beta)
        return alpha / beta, alpha, beta

    monkeypatch.setattr(type(model.sync_out), "forward", without_root)
    assert not checks.synchronization_definition(model, states)[0]


def test_leak_between_samples_is_seen(
    model: CTM, states: list[FirstState], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks.batching(model, states)[0]
    monkeypatch.setattr(
        "ctm.model.base.padding_mask",
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


def test_gradient_that_stops_is_named_with_its_module(
    model: CTM, states: list[FirstState], monkeypatch: pytest.MonkeyPatch
) -> None:
    holds, _, norms = checks.gradient_flow(model, states)
    assert holds and {len(row) for row in norms.values()} == {SIZES["ticks"]}
    step = type(model.attention).step
    monkeypatch.setattr(type(model.attention), "step", lambda *given: step(*given).detach())
    holds, seen, _ = checks.gradient_flow(model, states)
    assert not holds and "attention at tick 1: 0.0e+00" in seen and "synapse" not in seen


def test_gradient_norms_by_tick_add_up_to_the_whole_gradient(model: CTM, states: list[FirstState]) -> None:
    """One tick has all of it; the decays of the out set are a sum's whole gradient, whatever the ticks."""
    model = copy.deepcopy(model).double()
    inputs = checks.inputs_of([item.state for item in states])
    norms = norms_by_tick(model, inputs, 1, lambda said: said.certainty.sum())
    model(**inputs, ticks=1).certainty.sum().backward()
    squares = sum(float(p.grad.square().sum()) for p in model.nlm.parameters())
    assert norms["nlm"] == pytest.approx([squares**0.5])


def test_module_that_keeps_too_much_is_seen(
    model: CTM, states: list[FirstState], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks.memory_use(model, states, 64, 0)[0]
    forward = type(model.synapse).forward
    monkeypatch.setattr(type(model.synapse), "forward", lambda self, x: forward(self, x).sinh().asinh())
    holds, seen, figures = checks.memory_use(model, states, 64, 0)
    assert not holds and "a tick: " in seen and "fixed" not in seen
    more = figures["counted"]["tick"] - figures["formula"]["tick"]
    assert more * 1e6 == pytest.approx(2 * 4 * len(states) * SIZES["neurons"]), "one more D for each function"


def test_job_that_outgrows_its_rule_is_seen(model: CTM, states: list[FirstState]) -> None:
    holds, seen, _ = checks.memory_use(model, states, 0.001, 0)
    assert not holds and "more than the 0.001 GB given to the rule" in seen


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"nlm": "linear", "synapse_depth": 1, "blocks": 0},
        {"neurons": 50, "memory": 7, "synapse_depth": 4, "kernel": 3, "blocks": 2, "pairing": "first-last"},
    ],
)
def test_memory_formula_is_exact_a_tick_and_close_for_the_rest(
    sizes: dict, states: list[FirstState], tokenizer: CodeTokenizer
) -> None:
    model = new_ctm({**SIZES, **sizes}, tokenizer, 0).eval()
    inputs = checks.inputs_of([item.state for item in states])
    counted = memory.measured(model, inputs, 2, 5)
    expected = memory.formula(model.config, *inputs["tokens"].shape)
    assert counted.tick == expected.tick
    assert counted.fixed == pytest.approx(expected.fixed, rel=0.02)
    assert memory.saved_bytes(model, inputs, 9) == pytest.approx(counted.total(9)), "it grows by the tick"


def test_ticks_that_help_are_seen_and_ticks_that_do_not(
    trained: CTM, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds, seen, found = checks.ticks_help(trained)
    assert holds, seen
    assert found["frozen"][0] == found["as it is"][0], "the first tick is the same"
    think = CTM.step

    def forgetful(self, state, memory):
        start = self.initial_state(memory)
        return think(self, state._replace(z=start.z, trace=start.trace), memory)

    monkeypatch.setattr(CTM, "step", forgetful)
    assert not checks.ticks_help(trained)[0], "a model whose ticks begin anew"
    monkeypatch.undo()
    assert not checks.ticks_help(iteration.briefly_trained(trained.config, 0, steps=1))[0], "an untrained one"


def test_synchronization_without_meaning_is_seen(
    model: CTM, trained: CTM, states: list[FirstState], monkeypatch: pytest.MonkeyPatch
) -> None:
    holds, seen, figures = checks.synchronization_varies(model, states, trained)
    assert holds, seen
    own, others = figures["accuracy"].values()
    assert others < 0.35 < own, "another sample's synchronization is about as good as chance, one in six"
    untrained = iteration.briefly_trained(model.config, 0, steps=1)
    assert "with another sample's" in checks.synchronization_varies(model, states, untrained)[1]
    whole = type(model.sync_out).forward

    def collapsed(self, z, alpha, beta):
        sync, alpha, beta = whole(self, z, alpha, beta)
        return sync.mean(0, keepdim=True).expand_as(sync), alpha, beta

    monkeypatch.setattr(type(model.sync_out), "forward", collapsed)
    holds, seen, _ = checks.synchronization_varies(model, states, trained)
    assert not holds and "only 0% of the pairs differ between samples" in seen


@pytest.mark.usefixtures("trained_once")
def test_failure_names_the_check_and_is_reported(
    grids: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "storing", lambda model, states, scratch: (False, "other bits"))
    report = validate(grids / "manifest.json", grids / "tokenizer.json", SIZES, 1, tmp_path / "v.json", 64)
    with pytest.raises(InvalidModel, match="weights survive the disk: other bits"):
        refuse_failures(report)
    assert "other bits" in (tmp_path / "v.json").read_text()
    assert "**1 of 10 parts do not hold.**" in validation_page(report, "v.png")


def test_baseline(grids: Path, tmp_path: Path, model: CTM, states: list[FirstState]) -> None:
    report = baseline(grids / "manifest.json", grids / "tokenizer.json", SIZES, 1, tmp_path / "b.json")
    assert report == json.loads((tmp_path / "b.json").read_text())
    assert [ticks for ticks, _ in report["forward_ms_by_ticks"]] == [1, 2, 4]
    assert report["accuracy"]["overall"] < 0.2, "random weights know nothing"
    assert report["memory_mb_per_sample"]["training"] > report["memory_mb_per_sample"]["thinking"] > 0
    plot_baseline(report, tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
    state = max(states, key=lambda item: len(item.state.ids))
    assert peak_bytes(model, state, training=True) == peak_bytes(model, state, training=True)


def test_missed_targets_are_reported(grids: Path, tmp_path: Path) -> None:
    report = baseline(grids / "manifest.json", grids / "tokenizer.json", SIZES, 1, tmp_path / "b.json")
    slow = {
        **report,
        "forward_ms_batch_1": 612.0,
        "memory_mb_per_sample": {"thinking": 3.0, "training": 201.0},
    }
    met = {target["what"]: target["met"] for target in targets(slow)}
    assert not met["forward pass of one sample, ms"] and not met["memory of one sample in training, MB"]
    assert met["memory of one sample in use, MB"]
    page = baseline_page({**slow, "targets": targets(slow)}, "b.png")
    assert "| forward pass of one sample, ms | 612 | under 500 | **no** |" in page
