"""Checkpoints that a disk or a copy has spoilt: an older one is taken, and the stage ends with the same bits."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ctm.training.checkpoint import checkpoints, usable_checkpoints
from ctm.training.settings import StageRun
from ctm.training.stage import train_stage
from ctm.training.trainer import Trainer
from helpers.stage_runs import arguments, figures, newest, tiny_run


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(place: float) -> Callable[[Path], None]:
    """Changes one bit there, 0 the first byte, 1 the last one."""

    def spoil(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[int(place * (len(content) - 1))] ^= 1
        path.write_bytes(content)

    return spoil


@pytest.fixture(scope="module")
def random_run() -> StageRun:
    """A checkpoint every 3 steps of 24, the last 5 kept, everything random switched on."""
    run = tiny_run()
    return dataclasses.replace(
        run,
        training=dataclasses.replace(run.training, checkpoint_steps=3, ema=0.99, validation_steps=2),
        model={**run.model, "dropout": 0.1},
    )


class Killed(Exception):
    """In place of a signal: the stage ends where it stands."""


@pytest.fixture(scope="module")
def undisturbed(random_run: StageRun, grids, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stage that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    train_stage(*arguments(random_run, grids, folder))
    return folder


@pytest.fixture(scope="module")
def stopped(random_run: StageRun, grids, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stage when it ended after its 16th step."""
    folder, whole = tmp_path_factory.mktemp("stopped"), Trainer._update

    def until(self, parts, recorder, step):
        if step == 16:
            raise Killed
        return whole(self, parts, recorder, step)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Trainer, "_update", until)
        train_stage(*arguments(random_run, grids, folder))
    assert [int(path.stem[-2:]) for path in checkpoints(folder / "work")] == [3, 6, 9, 12, 15]
    return folder


@pytest.fixture
def cut(stopped: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    return Path(shutil.copytree(stopped, tmp_path / "cut"))


ALL = [halve, empty, flip(0), flip(0.5), flip(1)]


@pytest.mark.parametrize(
    "damages",
    [[halve], [empty], [flip(0.3)], [flip(0.7), empty, halve, flip(0.999)], ALL],
    ids=["half", "empty", "one byte", "four of five", "all"],
)
def test_an_older_checkpoint_is_taken(
    random_run: StageRun, grids, cut: Path, undisturbed: Path, caplog: pytest.LogCaptureFixture,
    damages: list[Callable[[Path], None]],
) -> None:  # fmt: skip
    spoilt = checkpoints(cut / "work")[-len(damages) :]
    for damage, path in zip(damages, reversed(spoilt), strict=True):
        damage(path)
    with caplog.at_level(logging.WARNING):
        train_stage(*arguments(random_run, grids, cut))
    for path in spoilt:
        assert f"{path}: damaged" in caplog.text, "the file is named"

    assert (cut / "out.safetensors").read_bytes() == (undisturbed / "out.safetensors").read_bytes()
    whole, resumed = (figures(place / "metrics.jsonl") for place in (undisturbed, cut))
    assert whole == [line for line in resumed if line.get("event") != "damaged checkpoint"]
    summary = json.loads((cut / "summary.json").read_text())
    assert [event["file"] for event in summary["events"]] == [path.name for path in spoilt]
    assert {event["step"] for event in summary["events"]} == {15 - 3 * len(damages)}, "where it went on"


def test_the_damaged_one_is_set_aside_and_told_once(
    random_run: StageRun, grids, cut: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed again after it was found: the next start finds a good newest one, and still knows of the event."""
    halve(checkpoints(cut / "work")[-1])

    def at_once(*_: object) -> None:
        raise Killed

    for _ in range(2):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(Trainer, "_update", at_once)
            train_stage(*arguments(random_run, grids, cut))
        assert newest(cut / "work") == 12 and (cut / "work/step-00000015.damaged").is_file()
    train_stage(*arguments(random_run, grids, cut))
    events = json.loads((cut / "summary.json").read_text())["events"]
    assert [event["file"] for event in events] == ["step-00000015.pt"]


def test_any_changed_byte_is_found(cut: Path) -> None:
    """Of 60 flips spread over the file, torch alone read 53 as other numbers."""
    path = checkpoints(cut / "work")[-1]
    good = path.read_bytes()
    for n in range(60):
        flip(n / 59)(path)
        assert usable_checkpoints([path]) == ([], [path]), f"flip {n}"
        path.write_bytes(good)
    assert usable_checkpoints([path]) == ([path], [])


def test_going_back_skips_a_damaged_one(
    random_run: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A divergence at step 16, with the checkpoint of step 15 spoilt meanwhile."""
    whole, tried = Trainer._update, []

    def update(self, parts, recorder, step):
        if step == 16 and not tried:
            tried.append(step)
            halve(self.state.work / "step-00000015.pt")
            next(iter(self.state.model.parameters())).data[0] = float("nan")
        return whole(self, parts, recorder, step)

    monkeypatch.setattr(Trainer, "_update", update)
    train_stage(*arguments(random_run, grids, tmp_path))
    events = json.loads((tmp_path / "summary.json").read_text())["events"]
    assert [(e["event"], e["step"]) for e in events] == [("rollback", 12), ("damaged checkpoint", 12)]
