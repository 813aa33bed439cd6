"""Whole stages on tiny data: the loss falls, M grows between stages, a killed stage ends with the same bits."""

from __future__ import annotations

import dataclasses
import json
import random
import signal
import time
from pathlib import Path

import pytest
import torch

from ctm.model.device import pick_precision
from ctm.model.weights import load_model, load_weights
from ctm.training.settings import StageRun
from ctm.training.stage import set_deterministic, train_stage
from helpers.stage_runs import arguments, figures, lines, newest, start


def test_two_stages_learn_and_the_second_remembers_more(run: StageRun, grids, tmp_path: Path) -> None:
    one = dataclasses.replace(run, stage=dataclasses.replace(run.stage, epochs=6))
    train_stage(*arguments(one, grids, tmp_path / "one"))
    records = [r for r in lines(tmp_path / "one/metrics.jsonl") if "milestone" not in r]
    assert [r["step"] for r in records] == list(range(1, len(records) + 1))
    losses = [r["loss"] for r in records]
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5]), f"from {losses[:5]} to {losses[-5:]}"
    assert not (tmp_path / "one/work").exists(), "checkpoints go when the result is in place"

    summary = json.loads((tmp_path / "one/summary.json").read_text())
    assert summary["samples_seen"] == 16 * len(records) and summary["samples_per_second"] > 0
    assert summary["unique_samples_per_second"] < summary["samples_per_second"]
    assert set(summary["parameters"]) == {"body", "embedding"}
    assert [m["milestone"] for m in summary["milestones"]] == ["25%", "50%", "75%", "100%"]
    last = summary["milestones"][-1]
    assert {"syntax", "overall"} <= last["accuracy"].keys() and last["loss"] > 0, (
        "what targets are compared with"
    )
    assert len(summary["milestones"][-1]["accuracy_by_tick"]) == run.stage.ticks

    two = dataclasses.replace(
        run,
        name="stage2",
        stage=dataclasses.replace(run.stage, ticks=3, epochs=1, learning_rate=3e-4),
        model={**run.model, "memory": 5},
    )
    first = tmp_path / "one/out.safetensors"
    train_stage(*arguments(two, grids, tmp_path / "two", first))
    before, after = load_weights(first), load_weights(tmp_path / "two/out.safetensors")
    assert (before[0].memory, after[0].memory, after[0].ticks) == (3, 5, 3)
    old, new = (tensors["nlm.layers.0.weight"] for _, tensors in (before, after))
    assert (new[:, :, -3:] - old).abs().max() < 0.1 and new[:, :, :2].abs().max() > 0
    begin = lines(tmp_path / "two/metrics.jsonl")[0]["loss"]
    assert begin < 0.6 * losses[0], "the second stage starts from the first, not anew"
    assert load_model(tmp_path / "two/out.safetensors").units.starts_word.any()


def test_a_stage_of_other_sizes_is_refused(run: StageRun, grids, tmp_path: Path) -> None:
    short = dataclasses.replace(run, stage=dataclasses.replace(run.stage, epochs=1, samples=16))
    train_stage(*arguments(short, grids, tmp_path / "one"))
    wider = dataclasses.replace(short, name="stage2", model={**short.model, "neurons": 48})
    with pytest.raises(
        ValueError, match=r"out\.safetensors: its model sizes differ from those of stage stage2"
    ):
        train_stage(*arguments(wider, grids, tmp_path / "two", tmp_path / "one/out.safetensors"))


def test_killed_and_started_again_it_ends_with_the_same_bits(run: StageRun, grids, tmp_path: Path) -> None:
    """SIGKILL at a random step, with everything random switched on: dropout, moving average, accumulation."""
    run = dataclasses.replace(
        run,
        stage=dataclasses.replace(run.stage, epochs=3),
        training=dataclasses.replace(
            run.training, ema=0.99, checkpoint_steps=3, log_steps=4, optimizer="muon"
        ),
        model={**run.model, "dropout": 0.1},
    )
    train_stage(*arguments(run, grids, tmp_path / "whole"))
    steps = lines(tmp_path / "whole/metrics.jsonl")[-1]["step"]
    draw = random.Random(20)
    kill_after = draw.randrange(3, steps // 2)

    cut = arguments(run, grids, tmp_path / "cut")
    process = start(tmp_path / "cut", cut)
    deadline = time.monotonic() + 120
    while newest(tmp_path / "cut/work") < kill_after:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "no checkpoint in two minutes"
        time.sleep(0.002)
    time.sleep(draw.random() * 0.1)  # anywhere inside a step, a checkpoint or a line
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the stage ended before it was killed"
    reached = newest(tmp_path / "cut/work")
    assert 3 <= reached < steps and not (tmp_path / "cut/out.safetensors").exists()

    process = start(tmp_path / "cut", cut)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    whole, resumed = (tmp_path / name / "out.safetensors" for name in ("whole", "cut"))
    assert whole.read_bytes() == resumed.read_bytes(), f"killed after step {reached} of {steps}"

    assert figures(tmp_path / "whole/metrics.jsonl") == figures(tmp_path / "cut/metrics.jsonl"), (
        "lines lost or twice"
    )
    one, two = (json.loads((tmp_path / name / "summary.json").read_text()) for name in ("whole", "cut"))
    for summary in (one, two):
        for milestone in summary["milestones"]:
            milestone.pop("time")
    assert one["milestones"] == two["milestones"] and one["samples_seen"] == two["samples_seen"]


@pytest.mark.parametrize(
    ("model", "training", "loss"),
    [
        ({"nlm": "linear"}, {}, {}),
        ({"action_pairs": 4, "out_pairs": 8, "self_pairs": 2}, {}, {}),
        ({"pairing": "first-last"}, {}, {}),
        ({}, {}, {"diversity": 0.5}),
        ({}, {"checkpoint_ticks": 1}, {}),
    ],
    ids=["linear NLM", "fewer pairs", "other pairing", "diversity", "gradient checkpoints"],
)
def test_fallbacks_of_the_specification_are_switches(
    run: StageRun, grids, tmp_path: Path, model: dict, training: dict, loss: dict
) -> None:
    run = dataclasses.replace(
        run,
        model={**run.model, **model},
        training=dataclasses.replace(run.training, **training),
        loss=dataclasses.replace(run.loss, **loss),
    )
    train_stage(*arguments(run, grids, tmp_path))
    losses = [r["loss"] for r in lines(tmp_path / "metrics.jsonl") if "rate" in r]
    assert sum(losses[-4:]) < 0.8 * sum(losses[:4]), f"it learns: {losses[:4]} to {losses[-4:]}"
    config = load_weights(tmp_path / "out.safetensors")[0]
    assert {key: getattr(config, key) for key in model} == model
    assert json.loads((tmp_path / "summary.json").read_text())["fit"]["checkpoint_ticks"] == training.get(
        "checkpoint_ticks", 0
    )


def test_unknown_precision_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"training.precision is 'half'; it can be 'auto', 'float32' or 'bfloat16'"
    ):
        pick_precision("half", torch.device("cpu"), "training.precision")


@pytest.mark.parametrize(
    ("setting", "device", "wanted"),
    [("auto", "cpu", True), ("auto", "cuda", False), ("on", "cuda", True), ("off", "cpu", False)],
)
def test_determinism_is_for_who_asks_on_a_gpu(setting: str, device: str, wanted: bool) -> None:
    """A CPU loses nothing by it, and a killed run must end with the same bits there; a GPU loses samples per second."""
    set_deterministic(setting, torch.device(device))
    assert torch.are_deterministic_algorithms_enabled() is wanted
