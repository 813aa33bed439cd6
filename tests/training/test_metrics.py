"""What a running stage says of itself, and that saying it changes nothing."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from datetime import datetime
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.weights import load_weights
from ctm.training.batch import batches
from ctm.training.data import load_split, plan_visits
from ctm.training.machine import MISSING, MachineMonitor, device_figures
from ctm.training.settings import StageRun
from ctm.training.stage import choose_weights, make_model, train_stage
from helpers.stage_runs import arguments, lines

STEP = {
    "step", "samples", "loss", "loss_lowest", "loss_certain", "diversity", "certainty", "sync_variance",
    "gradient_norm", "rate", "samples_per_second", "neurons", "machine", "steps", "time",
}  # fmt: skip


def test_every_line_has_all_figures_and_tensorboard_has_them_too(
    run: StageRun, grids, tmp_path: Path
) -> None:
    run = dataclasses.replace(
        run, training=dataclasses.replace(run.training, log_steps=5, validation_steps=8)
    )
    train_stage(*arguments(run, grids, tmp_path))
    records = lines(tmp_path / "metrics.jsonl")
    steps = [r for r in records if "rate" in r]
    assert [r["step"] for r in steps] == [5, 6, 10, 12, 15, 18, 20, 24], "every fifth, and the milestones"
    for record in steps:
        assert set(record) == STEP
        assert record["sync_variance"] > 0 and record["gradient_norm"] > 0
        neurons, machine = record["neurons"], record["machine"]
        assert neurons["std"] > 0 and all(0 <= neurons[k] <= 1 for k in ("near_zero", "large", "still"))
        assert 0.01 < machine["ram_gb"] <= machine["ram_peak_gb"] < 24
        assert machine["cores_busy"] > 0 and machine["processor_watts"] != 0
        assert machine["disk_mb_per_second"] == MISSING or machine["disk_mb_per_second"] >= 0
        assert record["steps"] == 24 and datetime.fromisoformat(record["time"]).tzinfo, (
            "how far a stage is, and when that was, is read from the line alone"
        )
    measured = [r for r in records if "accuracy" in r]
    assert [(r["step"], r.get("milestone")) for r in measured] == [
        (6, "25%"), (8, None), (12, "50%"), (16, None), (18, "75%"), (24, "100%"),
    ]  # fmt: skip
    for record in measured:
        by_tick = record["accuracy_by_tick"]
        assert record["gain_per_tick"] == pytest.approx(by_tick[1] - by_tick[0])
        assert 0 <= record["error"] < 0.5
    board = EventAccumulator(str(tmp_path / "stage1.events")).Reload()
    assert {"loss", "neurons/std", "machine/ram_gb", "accuracy/overall"} <= set(board.Tags()["scalars"])
    assert [e.step for e in board.Scalars("loss")][:3] == [5, 6, 6]


def test_how_often_it_is_said_does_not_change_the_weights(run: StageRun, grids, tmp_path: Path) -> None:
    run = dataclasses.replace(run, model={**run.model, "dropout": 0.1})
    for name, each in (("often", 1), ("seldom", 1000)):
        training = dataclasses.replace(run.training, log_steps=each, validation_steps=each)
        train_stage(*arguments(dataclasses.replace(run, training=training), grids, tmp_path / name))
    often, seldom = (load_weights(tmp_path / n / "out.safetensors")[1] for n in ("often", "seldom"))
    assert all(torch.equal(often[name], seldom[name]) for name in often)


def test_neurons_that_are_dead_or_too_loud_are_seen(run: StageRun, grids) -> None:
    codec, data = CodeTokenizer.load(grids.tokenizer), load_split(grids.train)
    model = make_model(run, codec, None, 1)
    batch = next(batches(data, plan_visits(data, run.stage, run.training, 1), codec))
    fresh = model.train().statistics(batch.inputs)["neurons"]
    assert model.training and fresh["still"] < 0.2 and fresh["large"] == 0
    last = model.nlm.layers[-1]
    with torch.no_grad():
        last.weight[:, 0] *= 1e4  # not the gates, of which some would close
    assert model.statistics(batch.inputs)["neurons"]["large"] > 0.5
    with torch.no_grad():
        last.weight[:16] = 0  # half of the neurons
    dead = model.statistics(batch.inputs)["neurons"]
    assert dead["still"] >= 0.5 and dead["near_zero"] >= 0.5


def test_a_figure_that_cannot_be_read_is_not_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = MachineMonitor(torch.device("cpu"), tmp_path)
    assert machine.figures()["processor_watts"] == MISSING
    assert device_figures(tmp_path, torch.device("cuda", 0)) == {"gpu_busy": MISSING, "gpu_watts": MISSING}
    monkeypatch.setattr(torch.cuda, "utilization", lambda device: 37)
    monkeypatch.setattr(torch.cuda, "power_draw", lambda device: 0)
    shown = device_figures(tmp_path, torch.device("cuda", 0))
    assert shown == {"gpu_busy": 0.37, "gpu_watts": MISSING}, "0 W is what torch says where it cannot read"


def test_sysfs_is_read_first(tmp_path: Path) -> None:
    (tmp_path / "hwmon/hwmon3").mkdir(parents=True)
    (tmp_path / "gpu_busy_percent").write_text("81\n")
    (tmp_path / "hwmon/hwmon3/power1_average").write_text("45000000\n")
    (tmp_path / "mem_info_vram_used").write_text("2000000000\n")
    (tmp_path / "mem_info_gtt_used").write_text("500000000\n")
    shown = device_figures(tmp_path, torch.device("cuda", 0))
    assert shown == {"gpu_busy": 0.81, "gpu_watts": 45.0, "vram_in_use_gb": 2.0, "gtt_in_use_gb": 0.5}


def test_power_of_the_processor_is_energy_over_time(tmp_path: Path) -> None:
    energy = tmp_path / "class/powercap/intel-rapl:0/energy_uj"
    energy.parent.mkdir(parents=True)
    energy.write_text("1000000\n")
    machine = MachineMonitor(torch.device("cpu"), tmp_path)
    energy.write_text("3000000\n")
    watts = machine.figures()["processor_watts"]
    assert isinstance(watts, float) and watts > 2, "two joules in less than a second"


def test_a_terminal_has_a_bar(
    run: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    train_stage(*arguments(run, grids, tmp_path))
    shown = capsys.readouterr().err
    assert "stage1: 100%" in shown and "24/24" in shown and "100% in 0 s" in shown


def test_the_best_is_handed_on_only_if_it_is_better_by_more_than_chance() -> None:
    last = {"step": 100, "score": 0.30, "error": 0.03}
    lucky = {"step": 50, "score": 0.36, "error": 0.03}
    better = {"step": 50, "score": 0.30 + 3.1 * math.hypot(0.03, 0.03), "error": 0.03}
    assert choose_weights("best", lucky, last) == last, "chance"
    assert choose_weights("best", better, last) == better
    assert choose_weights("last", better, last) == last
    assert choose_weights("best", {}, last) == last


def test_a_stage_that_falls_apart_at_its_end_hands_on_its_best(
    run: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The score is made up: 80 % at first, then nothing."""
    from ctm.training import recorder

    real, asked = recorder.measure_accuracy, []

    def falling(*arguments):
        asked.append(1)
        found = real(*arguments)
        return dataclasses.replace(found, score=0.8 if len(asked) == 1 else 0.1, error=0.05)

    monkeypatch.setattr(recorder, "measure_accuracy", falling)
    for name, result in (("best", "best"), ("last", "last")):
        asked.clear()
        training = dataclasses.replace(run.training, result=result, ema=0.9)
        train_stage(*arguments(dataclasses.replace(run, training=training), grids, tmp_path / name))
    summaries = [json.loads((tmp_path / n / "summary.json").read_text()) for n in ("best", "last")]
    assert [s["handed_on"]["step"] for s in summaries] == [6, 24]
    assert summaries[1]["best"]["step"] == 6
    one, two = (load_weights(tmp_path / n / "out.safetensors")[1] for n in ("best", "last"))
    assert not torch.equal(one["start_z"], two["start_z"])
