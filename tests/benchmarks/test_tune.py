"""The search of hyper-parameters: its space holds the demo, its stages are scaled, its table says what it found."""

from __future__ import annotations

import dataclasses
import importlib.util
import shutil
import sys
import warnings
from pathlib import Path

import optuna
import pytest
import torch
import yaml
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial

from ctm.model.config import CTMConfig
from ctm.pipeline.config import Config, read_config
from helpers.made_grids import make_grids

PROGRAM = Path(__file__).parents[2] / "benchmarks/tune/run.py"
spec = importlib.util.spec_from_file_location("tune", PROGRAM)
assert spec and spec.loader
tune = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tune)


@pytest.fixture(scope="module")
def demo() -> Config:
    return read_config(tune.CONFIG)


def test_the_settings_of_the_demo_and_its_neighbors_are_in_the_space(demo: Config) -> None:
    own = tune.own_settings(demo)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # how Optuna tells of a value outside its range
        for change in ({}, *tune.NEIGHBORS):
            tried = {**own, **change}
            assert tune.suggest(FixedTrial(tried)) == tried
            assert len(change) == 0 or tried != own
            for run in tune.stage_runs(demo, tried, 1):
                CTMConfig(**run.model, ticks=run.stage.ticks)  # refuses what cannot be


def test_stages_have_a_trials_settings_and_their_share_of_its_samples(demo: Config) -> None:
    chosen = {
        "optimizer": "adamw", "muon_factor": 1.5, "rate_factor": 0.5, "batch": 24, "weight_decay": 0.07,
        "later_ticks": 0.75, "width": 256, "blocks": 3, "neurons": 384, "nlm_hidden": 32, "synapse_depth": 4,
    }  # fmt: skip
    runs = tune.stage_runs(demo, chosen, 0.25)
    assert [run.name for run in runs] == list(demo.training.order)
    for run in runs:
        before = demo.training.stages[run.name]
        changed = dataclasses.replace(
            before, batch=24, learning_rate=0.5 * before.learning_rate, samples=round(0.25 * before.samples)
        )
        asked = {name: value for name, value in vars(changed).items() if name != "milestones"}
        assert {**vars(run.stage), "memory": run.model["memory"]} == asked, "the trainer knows no targets"
        told = {**vars(run.training), **vars(run.loss)}
        assert {name: told[name] for name in tune.SHARED} == {name: chosen[name] for name in tune.SHARED}
        assert run.training.ema == demo.training.ema, "the rest is the demo's"
        assert {name: run.model[name] for name in tune.SIZES} == {name: chosen[name] for name in tune.SIZES}
        assert run.model["heads"] == 8 and run.model["action_pairs"] == demo.model.action_pairs
        assert not {"ticks", "vocabulary"} & run.model.keys(), "a stage and the tokenizer have them"
    assert all(run.stage.samples == 24 for run in tune.stage_runs(demo, chosen, 1e-9)), "at least a batch"


def finished(accuracy: dict[str, float], blocks: int) -> FrozenTrial:
    return create_trial(
        value=accuracy["overall"],
        params={"blocks": blocks, "rate_factor": 0.123456},
        distributions={"blocks": IntDistribution(1, 4), "rate_factor": FloatDistribution(0.1, 1.0)},
        user_attrs={"accuracy": accuracy, "samples": 65_432, "seconds": 239.6},
    )


def test_the_table_has_what_was_finished_best_first() -> None:
    trials = [
        finished({"overall": 0.25, "syntax": 0.25, "clean": 0.9}, 1),
        create_trial(state=TrialState.FAIL),
        finished({"overall": 0.3125, "syntax": 0.4, "logic": 0.225, "clean": 0.8}, 2),
    ]
    head, _, *lines = tune.table(trials).splitlines()
    assert [line.split("|")[2].strip() for line in lines] == ["31.2 %", "25.0 %"]
    cells = dict(
        zip((c.strip() for c in head.split("|")), (c.strip() for c in lines[1].split("|")), strict=True)
    )
    assert (cells["syntax"], cells["logic"], cells["clean"]) == ("25.0 %", "", "90.0 %")
    assert (cells["samples"], cells["seconds"]) == ("65,432", "240")
    assert cells["settings"] == "blocks 1, rate_factor 0.123"


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results of a demo with a few hundred pairs, and a program that searches in a stage of two ticks there."""
    grids = make_grids(tmp_path / "results/grids")
    (tmp_path / "results/tokenizer").mkdir()
    shutil.move(grids.tokenizer, tmp_path / "results/tokenizer/tokenizer.json")
    settings = {
        "training": {
            "order": ["stage1"],
            "stages": {"stage1": {"ticks": 2, "memory": 2, "batch": 24, "accumulation": 1, "samples": 96}},
        },
        "model": {
            "width": 128, "heads": 4, "blocks": 1, "neurons": 192, "nlm_hidden": 8, "synapse_depth": 2,
            "action_pairs": 16, "out_pairs": 32,
        },
    }  # fmt: skip
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setattr(tune, "CONFIG", [*tune.CONFIG, tmp_path / "tiny.yaml"])
    monkeypatch.setattr(tune, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(tune, "PILOT_STEPS", 2)
    return tmp_path


def test_a_search_is_kept_and_goes_on(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = torch.get_num_threads()
    search = ["run.py", "--results", str(tiny / "results"), "--seconds", "0.2", "--threads", "1"]
    monkeypatch.setattr(tune, "NEIGHBORS", ())
    try:
        for more in (["--set", "blocks=2"], ["--hours", "0.0001"]):
            monkeypatch.setattr(sys, "argv", [*search, *more])
            tune.main()
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(False)
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(tiny / "runs/study.log"))
    )
    study = optuna.load_study(study_name="demo", storage=storage)
    done = study.get_trials(states=(TrialState.COMPLETE,))
    own = tune.own_settings(read_config(tune.CONFIG))
    assert [trial.params for trial in done] == [{**own, "blocks": 2}, own], (
        "what was asked for, then the config's own settings"
    )
    for trial in done:
        assert trial.value == trial.user_attrs["accuracy"]["overall"]
        assert trial.user_attrs["samples"] >= 24 and trial.user_attrs["seconds"] > 0
        assert len(trial.user_attrs["by_tick"]) == 2
    assert (tiny / "runs/table.md").read_text() == tune.table(done)
    assert not list((tiny / "runs").glob("trial-*")), "weights of a trial are not kept"
