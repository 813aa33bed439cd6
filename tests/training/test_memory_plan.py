"""Out of memory: the micro-batch shrinks, the effective batch and its gradient stay; caps are real."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.model.weights import load_weights
from ctm.training import gradients as module
from ctm.training import stage_state
from ctm.training.batch import TrainingBatch, batches
from ctm.training.data import load_split, plan_visits
from ctm.training.gradients import FIGURES, Gradients
from ctm.training.memory_plan import MemoryPlan, cap_vram, is_out_of_memory, next_smaller_plan
from ctm.training.micro_batches import slice_batch, split_bounds
from ctm.training.ranks import Ranks
from ctm.training.settings import StageRun
from ctm.training.stage import make_model, train_stage
from helpers.stage_runs import arguments, figures, lines, newest


def double(run: StageRun, grids, seed: int = 1) -> tuple[Gradients, list[TrainingBatch]]:
    """The gradients of a float64 model, and the micro-batches of a step."""
    codec, data = CodeTokenizer.load(grids.tokenizer), load_split(grids.train)
    model = make_model(run, codec, None, seed).double()
    plan = plan_visits(data, run.stage, run.training, 1)
    parts = [b for _, b in zip(range(run.stage.accumulation), batches(data, plan, codec), strict=False)]
    return Gradients(model, run.stage, run.training, Ranks(), torch.device("cpu"), torch.float32, seed), parts


def never(problem: str, before: MemoryPlan, after: MemoryPlan) -> None:
    raise AssertionError(problem)


@pytest.mark.parametrize("pieces", [2, 3, 8])
def test_the_gradient_of_pieces_is_that_of_the_whole(run: StageRun, grids, pieces: int) -> None:
    made = []
    for number in (1, pieces):
        gradients, parts = double(run, grids)
        gradients.apply_memory_plan(MemoryPlan(pieces=number))
        figures = dict(zip(FIGURES, gradients.accumulate_step(parts, 5, never).tolist(), strict=True))
        made.append((figures, {n: p.grad for n, p in gradients.model.named_parameters()}))
    (whole, one), (cut_up, two) = made
    assert whole["loss_lowest"] == pytest.approx(cut_up["loss_lowest"], abs=1e-5)  # sums are float32
    for name, gradient in one.items():
        torch.testing.assert_close(two[name], gradient, rtol=1e-9, atol=1e-11, msg=f"gradient of {name}")


@pytest.mark.parametrize("pieces", [1, 5])
def test_the_gradient_of_joined_micro_batches_is_the_same(run: StageRun, grids, pieces: int) -> None:
    made = []
    for joined in (False, True):
        training = dataclasses.replace(run.training, joined=joined)
        gradients, parts = double(dataclasses.replace(run, training=training), grids)
        if joined:
            assert len({part.words.shape[1] for part in parts}) > 1, "micro-batches of one width show little"
            gradients.apply_memory_plan(MemoryPlan(pieces=pieces))
        figures = dict(zip(FIGURES, gradients.accumulate_step(parts, 5, never).tolist(), strict=True))
        made.append((figures, {n: p.grad for n, p in gradients.model.named_parameters()}))
    (apart, one), (together, two) = made
    assert apart["loss_certain"] == pytest.approx(together["loss_certain"], abs=1e-5)
    for name, gradient in one.items():
        torch.testing.assert_close(two[name], gradient, rtol=1e-9, atol=1e-11, msg=f"gradient of {name}")


def test_a_piece_is_narrow_and_has_the_units_of_its_samples(run: StageRun, grids) -> None:
    _, parts = double(run, grids)
    whole = parts[0]
    seen = []
    for begin, end in split_bounds(8, 3):
        piece = slice_batch(whole, begin, end)
        longest = int(piece.inputs["lengths"].max())
        assert longest <= piece.words.shape[1] < longest + 16
        assert piece.inputs["diagnosis"].shape == (end - begin, 2)
        asked = (piece.unit_token >= 0) | (piece.unit_word >= 0)
        seen += [
            (begin + s, slot, token, word)
            for s, slot, token, word in zip(
                *(getattr(piece, f"unit_{n}")[asked].tolist() for n in ("sample", "slot", "token", "word")),
                strict=True,
            )
        ]
    asked = (whole.unit_token >= 0) | (whole.unit_word >= 0)
    assert seen == list(
        zip(
            *(getattr(whole, f"unit_{n}")[asked].tolist() for n in ("sample", "slot", "token", "word")),
            strict=True,
        )
    )


def test_what_is_given_up_and_in_which_order(run: StageRun) -> None:
    training = dataclasses.replace(run.training, memory_checkpoint_ticks=8, fewer_ticks=48)
    fit: MemoryPlan | None = MemoryPlan()
    ladder = []
    while fit := next_smaller_plan(fit, 6, 64, training):
        ladder.append((fit.pieces, fit.checkpoint_ticks, fit.ticks))
    assert ladder == [(2, 0, 0), (4, 0, 0), (6, 0, 0), (6, 8, 0), (6, 8, 48)]
    early = dataclasses.replace(training, smallest_batch=3, fewer_ticks=0)
    assert next_smaller_plan(MemoryPlan(2), 6, 64, early) == MemoryPlan(2, 8), (
        "the config's order: checkpoints before smaller batches"
    )
    assert next_smaller_plan(MemoryPlan(2, 8), 6, 64, early) is None


def test_errors_that_say_memory_is_used_up() -> None:
    with pytest.raises(RuntimeError) as real:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(real.value), "torch's own words on this machine"
    assert is_out_of_memory(
        torch.OutOfMemoryError("HIP out of memory. Tried to allocate")
    ) and is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("shape mismatch")) and not is_out_of_memory(
        ValueError("out of memory")
    )


def test_the_cap_of_a_device_is_clamped_and_shared(monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    class Device:
        total_memory = 16 * 10**9

    fractions = []
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: Device)

    def capped(share: float, device: int) -> None:
        assert isinstance(device, int), "torch refuses a device without a number here"
        fractions.append(share)

    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", capped)
    caplog.set_level("INFO")
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    for vram, sharing in ((8, 1), (64, 1), (8, 2), (0, 1)):
        cap_vram(torch.device("cuda", 0), vram, sharing)
    cap_vram(torch.device("cuda"), 8)
    assert fractions == [0.5, 1.0, 0.25, 0.5]
    assert "memory capped at 64.0 GB (the rule's vram); the device reports 16.0 GB" in caplog.text


def test_a_device_that_holds_three_samples_finishes_with_the_same_steps(
    run: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Micro-batches of 8 fail, so do pieces of 4; pieces of 2 fit: same samples, nearly the same weights."""
    run = dataclasses.replace(run, stage=dataclasses.replace(run.stage, epochs=1))
    train_stage(*arguments(run, grids, tmp_path / "free"))
    real = CTM.loss

    def small(model, thought, batch, *rest):
        if len(batch.start) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(model, thought, batch, *rest)

    monkeypatch.setattr(CTM, "loss", small)
    train_stage(*arguments(run, grids, tmp_path / "capped"))
    free, capped = (json.loads((tmp_path / n / "summary.json").read_text()) for n in ("free", "capped"))
    assert [e["pieces"] for e in capped["events"]] == [2, 4]
    assert capped["fit"]["pieces"] == 4 and free["fit"]["pieces"] == 1
    assert capped["effective_batch"] == free["effective_batch"] == 16
    assert capped["samples_seen"] == free["samples_seen"]
    told = [r for r in lines(tmp_path / "capped/metrics.jsonl") if "event" in r]
    assert [{k: r[k] for k in e} for r, e in zip(told, capped["events"], strict=True)] == capped["events"]
    assert "out of memory" in told[0]["why"]
    one, two = (
        [r["loss"] for r in lines(tmp_path / n / "metrics.jsonl") if "rate" in r] for n in ("free", "capped")
    )
    assert one == pytest.approx(two, rel=1e-4)
    # weights whose gradient is all rounding go either way at Adam's full pace: all together, not one by one
    weights = [load_weights(tmp_path / n / "out.safetensors")[1] for n in ("free", "capped")]
    flat = [torch.cat([t.flatten().float() for t in w.values() if t.is_floating_point()]) for w in weights]
    apart = float((flat[0] - flat[1]).norm() / flat[0].norm())
    assert apart < 1e-3


def test_nothing_fits(run: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never_fits(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(CTM, "loss", never_fits)
    with pytest.raises(
        MemoryError, match=r"step 0 is out of memory even with MemoryPlan\(pieces=8, checkpoint_ticks=8.*vram"
    ):
        train_stage(*arguments(run, grids, tmp_path))


def test_the_moments_are_there_before_the_first_forward_pass(
    run: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step that has to fit is then the largest one, and no moment is made where none can be given back."""
    optimizers, held = [], []
    make, accumulate_step = stage_state.make_optimizer, module.Gradients.accumulate_step

    def remembered(*values):
        optimizers.append(make(*values))
        return optimizers[-1]

    def counted(self, *values):
        tensors = (t for o in optimizers for part in o.parts for s in part.state.values() for t in s.values())
        held.append(sum(t.nbytes for t in tensors))
        return accumulate_step(self, *values)

    monkeypatch.setattr(stage_state, "make_optimizer", remembered)
    monkeypatch.setattr(module.Gradients, "accumulate_step", counted)
    muon = dataclasses.replace(run.training, optimizer="muon")
    train_stage(*arguments(dataclasses.replace(run, training=muon), grids, tmp_path))
    assert held[0] > 0 and set(held) == {held[0]}


def test_a_model_whose_moments_do_not_fit_is_refused(
    run: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(torch.optim.AdamW, "step", full)
    with pytest.raises(
        MemoryError,
        match=r"stage1: out of memory for the model .* more vram.*\(MemoryError\)",
    ):
        train_stage(*arguments(run, grids, tmp_path))


def test_half_a_step_is_never_kept(
    run: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Muon has moved its matrices when AdamW runs out: the stage stops, and goes on with the bits of a whole one."""
    run = dataclasses.replace(run, training=dataclasses.replace(run.training, optimizer="muon"))
    train_stage(*arguments(run, grids, tmp_path / "whole"))
    real, tried = torch.optim.AdamW.step, []

    def fails_once(self, *values):
        tried.append(1)
        if len(tried) == 7:  # allocation, then steps 0 to 5
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB")
        return real(self, *values)

    monkeypatch.setattr(torch.optim.AdamW, "step", fails_once)
    with pytest.raises(
        MemoryError, match=r"stage1: .* optimizer step 5; .* last checkpoint \(CUDA out of memory"
    ):
        train_stage(*arguments(run, grids, tmp_path / "cut"))
    assert newest(tmp_path / "cut/work") == 4
    train_stage(*arguments(run, grids, tmp_path / "cut"))
    whole, cut_short = (tmp_path / name / "out.safetensors" for name in ("whole", "cut"))
    assert whole.read_bytes() == cut_short.read_bytes()
    assert figures(tmp_path / "whole/metrics.jsonl") == figures(tmp_path / "cut/metrics.jsonl")


CAPPED = """
import pickle, sys
from ctm.training import gradients, memory_plan, stage
values, mb = pickle.load(open(sys.argv[1], "rb"))
whole = gradients.Gradients.accumulate_step
def used():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmData")).split()[1]) / 1e3
def capped(self, parts, step, told):
    # what this process holds before its first step, and so much more
    if step == 0:
        capped.before = used()
        if mb:
            memory_plan.cap_ram((capped.before + mb) / 1e3)
    figures = whole(self, parts, step, told)
    if step == 1:
        print(used() - capped.before)
    return figures
gradients.Gradients.accumulate_step = capped
stage.train_stage(*values)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA")
def test_a_real_cap_on_memory_is_survived(run: StageRun, grids, tmp_path: Path) -> None:
    """Allocations fail for true: the process may not have what a whole micro-batch of 96 samples needs."""
    run = dataclasses.replace(
        run,
        stage=dataclasses.replace(run.stage, ticks=6, batch=96, accumulation=1, samples=192, epochs=1),
        model={**run.model, "width": 64, "neurons": 256, "action_pairs": 128, "out_pairs": 128},
    )
    # one arena and one thread: with several, what a process holds differs by a third from run to run
    alone = {**os.environ, "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1"}
    summaries, grown = [], 0.0
    for name in ("free", "capped"):
        folder = tmp_path / name
        folder.mkdir()
        values = (arguments(run, grids, folder), 0.6 * grown)
        (folder / "arguments.pickle").write_bytes(pickle.dumps(values))
        command = [sys.executable, "-c", CAPPED, str(folder / "arguments.pickle")]
        done = subprocess.run(command, capture_output=True, text=True, env=alone)
        assert done.returncode == 0, done.stderr[-3000:]
        grown = float(done.stdout)
        summaries.append(json.loads((folder / "summary.json").read_text()))
    free, capped = summaries
    assert capped["fit"]["pieces"] > 1 and capped["events"], "the cap was too wide to be met"
    assert "allocate" in capped["events"][0]["why"]
    assert capped["effective_batch"] == free["effective_batch"] == 96
    assert capped["milestones"][-1]["loss"] == pytest.approx(free["milestones"][-1]["loss"], rel=1e-3)


def test_fewer_ticks_are_the_last_resort_and_the_weights_say_so(
    run: StageRun, grids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but fewer ticks helps: the stage ends, and whoever loads its weights thinks that many ticks."""
    real = CTM.loss
    seen = []

    def small(model, thought, batch, *rest):
        if thought.certainty.shape[1] > 2:
            seen.append((len(batch.start), model.checkpoint_ticks))
            raise torch.OutOfMemoryError("HIP out of memory")
        return real(model, thought, batch, *rest)

    monkeypatch.setattr(CTM, "loss", small)
    run = dataclasses.replace(
        run,
        stage=dataclasses.replace(run.stage, ticks=4, epochs=1, samples=32),
        training=dataclasses.replace(
            run.training, smallest_batch=4, memory_checkpoint_ticks=2, fewer_ticks=2
        ),
    )
    train_stage(*arguments(run, grids, tmp_path))
    assert seen == [(8, 0), (4, 0), (4, 2)]
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["fit"] == {"pieces": 2, "checkpoint_ticks": 2, "ticks": 2, "graphs": False}
    assert load_weights(tmp_path / "out.safetensors")[0].ticks == 2
    assert len(summary["milestones"][-1]["accuracy_by_tick"]) == 2


def test_gradient_checkpoints_change_nothing_but_memory(run: StageRun, grids) -> None:
    run = dataclasses.replace(run, stage=dataclasses.replace(run.stage, ticks=5))
    made = []
    for several in (0, 2):
        gradients, parts = double(run, grids)
        gradients.apply_memory_plan(MemoryPlan(checkpoint_ticks=several))
        gradients.accumulate_step(parts, 0, never)
        made.append([p.grad for p in gradients.model.parameters()])
    for one, two in zip(*made, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-10, atol=1e-12)
