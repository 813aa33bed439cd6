"""One stage of the curriculum: from the weights of the stage before to its own, resumable at any step.

A stage is bounded by samples, never by time; everything random comes from the seed and the position, so that a stage
that was killed and started again ends with the same bits on CPU (same thread count). Under `torchrun` the same entry
trains on several devices.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from ctm.files import write_json
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel
from ctm.model.device import pick_precision
from ctm.model.weights import load_weights, save_weights
from ctm.training.checkpoint import remove_checkpoints
from ctm.training.data import load_split, plan_visits
from ctm.training.gradients import Gradients
from ctm.training.initial import new_model
from ctm.training.interruption import Stopped, StopRequest
from ctm.training.memory_plan import cap_ram, cap_vram
from ctm.training.metrics import Metrics
from ctm.training.ranks import Ranks, join_process_group
from ctm.training.settings import StageRun
from ctm.training.trainer import StageInputs, Trainer

log = logging.getLogger(__name__)
BEYOND_CHANCE = 3.0
"""Standard errors of a difference of two accuracies by which the best weights must beat the last ones."""


def train_stage(
    run: StageRun, train: Path, validation: Path, tokenizer: Path, init: Path | None,
    work: Path, out: Path, metrics: Path, summary: Path, threads: int, vram: float = 0, ram: float = 0,
    stop: StopRequest | None = None,
) -> bool:  # fmt: skip
    """Train one stage; True in the process that wrote the results, one of those that `torchrun` started.

    train, validation: manifests of grids. init: weights of the stage before (None for the first). work: folder of
    its checkpoints, removed at the end. out: weights. metrics: JSON lines (TensorBoard events go beside them).
    summary: JSON of samples, rates, milestones and what had to be cured. threads: of torch, part of what makes a run
    repeatable. vram: GB of the device that may be used, ram: GB of this process's memory; 0: no cap. stop: asks the
    stage to end with a checkpoint (None: nobody does).

    Raises filelock.Timeout where another trainer is at work, FloatingPointError where the loss diverges again and
    again, MemoryError where a step does not fit however it is cut, Stopped where it was asked to stop.
    """
    torch.set_num_threads(threads)
    ranks, device = join_process_group(run.training.device)
    set_deterministic(run.training.deterministic, device)
    if not ranks.is_first:
        logging.getLogger("ctm").setLevel(logging.WARNING)
    work.parent.mkdir(parents=True, exist_ok=True)
    # in `work`'s parent, because `work` itself goes at the end
    lock = FileLock(work.parent / ".lock", blocking=False) if ranks.is_first else nullcontext()
    with lock:
        cap_vram(device, vram, ranks.local_count)
        cap_ram(ram)
        places = work, out, metrics, summary
        try:
            _train(run, (train, validation, tokenizer, init), *places, ranks, device, stop or StopRequest())
        except Stopped:
            ranks.destroy()
            raise
    ranks.destroy()
    return ranks.is_first


def _train(
    run: StageRun, inputs: tuple[Path, Path, Path, Path | None], work: Path, out: Path, metrics: Path,
    summary: Path, ranks: Ranks, device: torch.device, stop: StopRequest,
) -> None:  # fmt: skip
    started = time.monotonic()
    train, validation, tokenizer, init = inputs
    codec = CodeTokenizer.load(tokenizer)
    data, held_out = load_split(train), load_split(validation)
    index = int.from_bytes(run.name.encode()[-4:], "big") % 65_536
    plan = plan_visits(data, run.stage, run.training, index)
    seed = run.training.seed * 65_537 + index
    model = make_model(run, codec, init, index).to(device).train()
    ranks.broadcast(model)
    counts = model.parameter_counts()
    log.info(
        "%s: %d pairs, %d visits in %d steps of %d (unique %d), %d + %d parameters, %d x %s, read in %.1f s",
        run.name, len(data), len(plan.pair), len(plan) // run.stage.accumulation,
        run.stage.batch * run.stage.accumulation, plan.unique, counts["body"], counts["embedding"], ranks.count,
        device, time.monotonic() - started,
    )  # fmt: skip
    for reason, count in plan.left_out.items():
        log.info("%s: %d pairs left out: %s", run.name, count, reason)
    precision = pick_precision(run.training.precision, device, "training.precision")
    gradients = Gradients(model, run.stage, run.training, ranks, device, precision, seed, run.loss)
    trainer = Trainer(run, StageInputs(data, held_out, plan, codec), model, gradients, ranks, device, work)
    with Metrics(run.name, metrics if ranks.is_first else None, trainer.steps) as figures:
        milestones = trainer.run(figures, stop)
    if not ranks.is_first:
        return
    state, progress = trainer.state, trainer.state.progress
    last = {
        "step": trainer.steps,
        "score": milestones[-1]["score"],
        "error": milestones[-1]["error"],
    }
    chosen = choose_weights(run.training.result, progress.best, last)
    if chosen["step"] != trainer.steps:
        log.warning("%s: the result is the best weights, of step %d (score %.3f), not the last ones (%.3f)",
                    run.name, chosen["step"], chosen["score"], last["score"])  # fmt: skip
        model.load_state_dict(state.averages.best)
        save_weights(out, model, {"stage": run.name})
    else:
        with state.averaged():
            save_weights(out, model, {"stage": run.name})
    write_json(
        summary,
        {
            "stage": run.name, "parameters": counts, "samples_seen": len(plan.pair), "unique_samples": plan.unique,
            "left_out": plan.left_out, "seconds": progress.seconds,
            "samples_per_second": len(plan.pair) / max(progress.seconds, 1e-9),
            "unique_samples_per_second": plan.unique / max(progress.seconds, 1e-9),
            "precision": str(precision), "device": str(device), "processes": ranks.count,
            "threads": torch.get_num_threads(), "milestones": milestones, "best": progress.best, "handed_on": chosen,
            "events": progress.events, "effective_batch": run.stage.batch * run.stage.accumulation,
            "fit": progress.fit, "options": gradients.options(), "machine": trainer.machine.figures(),
            "settings": dataclasses.asdict(run),
        },
        end="",
        allow_nan=True,  # there are figures of nothing, where no item fits
    )  # fmt: skip
    remove_checkpoints(work)


def set_deterministic(setting: str, device: torch.device) -> None:
    """Make torch take deterministic algorithms, or the fastest; `setting`: training.deterministic."""
    wanted = device.type == "cpu" if setting == "auto" else setting == "on"
    torch.use_deterministic_algorithms(wanted, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def choose_weights(result: str, best: dict[str, Any], last: dict[str, Any]) -> dict[str, Any]:
    """Which weights a stage hands on: the best by validation where they beat the last by more than chance.

    A rate that falls to the end makes the last weights the best ones; on a few hundred items another step looks better
    every now and then by chance alone.
    """
    margin = BEYOND_CHANCE * math.hypot(best.get("error", 0.0), last["error"])
    better = bool(best) and best["score"] - last["score"] > margin
    return best if result == "best" and better else last


def make_model(run: StageRun, codec: CodeTokenizer, init: Path | None, seed: int) -> EditModel:
    """A new model, or the one of the stage before with this stage's sizes.

    Raises ValueError where the model of the stage before does not fit them.
    """
    model = new_model({**run.model, "ticks": run.stage.ticks}, codec, run.training.seed * 65_537 + seed)
    if init is not None:
        before, tensors = load_weights(init)
        if before.lasting() != model.config.lasting():
            raise ValueError(
                f"{init}: its model sizes differ from those of stage {run.name}; set the same model section, or train "
                "again from the first stage"
            )
        model.load_state_dict(model.grown(tensors))
    return model
