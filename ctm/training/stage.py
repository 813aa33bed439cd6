"""One stage of the curriculum: from the weights of the stage before to its own, resumable at any step.

Notable: bounded by samples, never by time; everything random comes from the seed and the position, so that a stage
that was killed and started again ends with the same bits on CPU (same thread count).
"""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.device import pick_device, pick_precision
from ctm.model.model import CTM
from ctm.model.weights import grow_memory, load_weights, save_weights
from ctm.training.batch import Batch, batches
from ctm.training.checkpoint import load_checkpoint, remove_checkpoints, save_checkpoint
from ctm.training.data import Plan, TrainingSet, load_split, plan_visits
from ctm.training.initial import new_model
from ctm.training.loss import thought_loss
from ctm.training.settings import StageRun, StageSettings
from ctm.training.validation import measure

log = logging.getLogger(__name__)
QUARTERS = ("25%", "50%", "75%", "100%")


def train_stage(
    run: StageRun, train: Path, validation: Path, tokenizer: Path, init: Path | None,
    work: Path, out: Path, metrics: Path, summary: Path, threads: int,
) -> None:  # fmt: skip
    """Train one stage.

    train, validation: manifests of grids. init: weights of the stage before (None for the first). work: folder of
    its checkpoints, removed at the end. out: weights. metrics: JSON lines (TensorBoard events go beside them).
    summary: JSON of samples, rates and milestones. threads: of torch, part of what makes a run repeatable.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    started = time.monotonic()
    codec = CodeTokenizer.load(tokenizer)
    data, held_out = load_split(train), load_split(validation)
    index = int.from_bytes(run.name.encode()[-4:], "big") % 65_536
    plan = plan_visits(data, run.stage, run.training, index)
    device = pick_device(run.training.device)
    model = make_model(run, codec, init, index).to(device).train()
    counts = model.parameter_counts()
    loaded = time.monotonic() - started
    log.info(
        "%s: %d pairs, %d visits in %d steps of %d (unique %d), %d + %d parameters, %s, read in %.1f s",
        run.name, len(data), len(plan.pair), len(plan) // run.stage.accumulation,
        run.stage.batch * run.stage.accumulation, plan.unique, counts["body"], counts["embedding"], device, loaded,
    )  # fmt: skip
    for reason, count in plan.left_out.items():
        log.info("%s: %d pairs left out: %s", run.name, count, reason)
    loop = _Loop(run, data, held_out, plan, codec, model, device, work, metrics)
    milestones = loop.run()
    save_weights(out, loop.averaged(), {"stage": run.name})
    _write_json(
        summary,
        {
            "stage": run.name, "parameters": counts, "samples_seen": len(plan.pair), "unique_samples": plan.unique,
            "left_out": plan.left_out, "seconds": loop.progress.seconds,
            "samples_per_second": len(plan.pair) / max(loop.progress.seconds, 1e-9),
            "unique_samples_per_second": plan.unique / max(loop.progress.seconds, 1e-9),
            "precision": str(loop.precision), "device": str(device), "threads": threads, "milestones": milestones,
            "settings": dataclasses.asdict(run),
        },
    )  # fmt: skip
    remove_checkpoints(work)


def make_model(run: StageRun, codec: CodeTokenizer, init: Path | None, seed: int) -> CTM:
    """A new model, or the one of the stage before with this stage's ticks and memory."""
    sizes = {**run.model, "ticks": run.stage.ticks, "memory": run.stage.memory}
    model = new_model(sizes, codec, run.training.seed * 65_537 + seed)
    if init is not None:
        config = model.config
        before, tensors = load_weights(init)
        same = dataclasses.replace(before, ticks=config.ticks, memory=config.memory, dropout=config.dropout)
        if same != config:
            raise ValueError(
                f"{init}: a model of other sizes than stage {run.name} asks for; train from the first stage"
            )
        model.load_state_dict(grow_memory(tensors, config.memory))
    return model


def parameter_groups(model: CTM, decay: float) -> list[dict[str, Any]]:
    """Weight decay on matrices; none on norms, biases, decays, start states and embeddings."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in model.named_parameters():
        plain = parameter.ndim < 2 or "start_" in name or "bias" in name or name.endswith("token.weight")
        (others if plain else matrices).append(parameter)
    return [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def rate_at(step: int, steps: int, stage: StageSettings) -> float:
    """Learning rate of a step: linear warm-up, then a cosine down to `final_rate` of the peak."""
    warm = max(1, round(stage.warmup * steps))
    if step < warm:
        return stage.learning_rate * (step + 1) / warm
    along = (step - warm) / max(1, steps - warm)
    return stage.learning_rate * (
        stage.final_rate + (1 - stage.final_rate) * (1 + math.cos(math.pi * along)) / 2
    )


class _Loop:
    """The steps of a stage, from the newest checkpoint on."""

    def __init__(
        self, run: StageRun, data: TrainingSet, held_out: TrainingSet, plan: Plan, codec: CodeTokenizer,
        model: CTM, device: torch.device, work: Path, metrics: Path,
    ) -> None:  # fmt: skip
        self.name, self.stage, self.training = run.name, run.stage, run.training
        self.data, self.held_out, self.plan, self.codec = data, held_out, plan, codec
        self.model, self.device, self.work, self.metrics = model, device, work, metrics
        self.precision = pick_precision(self.training.precision, device, "training.precision")
        self.optimizer = torch.optim.AdamW(
            parameter_groups(model, self.training.weight_decay), lr=self.stage.learning_rate, betas=(0.9, 0.98),
            fused=True,
        )  # fmt: skip
        self.steps = len(plan) // self.stage.accumulation
        self.progress, self.ema = load_checkpoint(work, model, self.optimizer)
        if self.training.ema and not self.ema:
            self.ema = {k: v.detach().clone() for k, v in model.named_parameters()}
        self.due = {max(1, round(self.steps * (q + 1) / 4)): name for q, name in enumerate(QUARTERS)}
        if self.progress.step:
            log.info("%s: goes on at step %d of %d", self.name, self.progress.step, self.steps)

    def run(self) -> list[dict[str, Any]]:
        """All remaining steps; returns the milestones of the whole stage."""
        self.metrics.parent.mkdir(parents=True, exist_ok=True)
        with (
            open(self.metrics, "a+b") as file,
            SummaryWriter(str(self.metrics.parent / f"{self.name}.events")) as board,
        ):
            file.truncate(self.progress.metrics_bytes)
            clock = time.monotonic() - self.progress.seconds
            for parts in self._micro_batches():
                step = self.progress.step
                record = self._step(parts, step)
                self.progress.step = step + 1
                self.progress.seconds = time.monotonic() - clock
                milestone = self.due.get(step + 1)
                if milestone or (step + 1) % self.training.log_steps == 0:
                    record["samples_per_second"] = self._seen() / self.progress.seconds
                    self._say(record, file, board)
                if milestone:
                    self._say(self._milestone(milestone, record), file, board)
                if (step + 1) % self.training.checkpoint_steps == 0 or step + 1 == self.steps:
                    file.flush()
                    self.progress.metrics_bytes = file.tell()
                    save_checkpoint(
                        self.work, self.model, self.ema, self.optimizer, self.progress, self.training.keep
                    )
            file.flush()
            file.seek(0)
            return [m for m in map(json.loads, file) if "milestone" in m]

    def averaged(self) -> CTM:
        """The model with its moving average in place of the weights, where there is one."""
        if self.ema:
            with torch.no_grad():
                for name, parameter in self.model.named_parameters():
                    parameter.copy_(self.ema[name])
        return self.model

    def _seen(self) -> int:
        return self.progress.step * self.stage.batch * self.stage.accumulation

    def _micro_batches(self) -> Iterator[list[Batch]]:
        """The micro-batches of one step after the other; the next is made while one trains."""
        several = self.stage.accumulation
        source = batches(self.data, self.plan, self.codec, self.progress.step * several)
        with ThreadPoolExecutor(1) as maker:
            ready = maker.submit(lambda: [b for _, b in zip(range(several), source, strict=False)])
            while parts := ready.result():
                ready = maker.submit(lambda: [b for _, b in zip(range(several), source, strict=False)])
                yield parts

    def _step(self, parts: list[Batch], step: int) -> dict[str, Any]:
        rate = rate_at(step, self.steps, self.stage)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        totals: list[Tensor] = []
        for part in parts:
            part = part.to(self.device)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16):
                thought = self.model(**part.inputs, say_with_gradient=False)
                loss = thought_loss(
                    self.model, thought, part, self.training.diversity, self.training.later_ticks
                )
            (loss.total / len(parts)).backward()
            totals.append(
                torch.stack(
                    [loss.at_lowest, loss.at_certain, loss.diversity, thought.certainty.max(1).values.mean()]
                )
            )
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.training.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.model.after_step()
        if self.ema:
            with torch.no_grad():
                # young averages forget faster, so that the random start does not linger
                keep = min(self.training.ema, (1 + step) / (10 + step))
                torch._foreach_lerp_(list(self.ema.values()), list(self.model.parameters()), 1 - keep)
        lowest, certain, diversity, certainty = torch.stack(totals).mean(0).tolist()
        if not math.isfinite(lowest + certain):
            raise FloatingPointError(
                f"{self.name}: loss is {lowest} / {certain} at step {step}; lower learning_rate"
            )
        return {
            "step": step + 1, "samples": (step + 1) * len(parts) * self.stage.batch, "loss": (lowest + certain) / 2,
            "loss_lowest": lowest, "loss_certain": certain, "diversity": diversity, "certainty": certainty,
            "gradient_norm": float(norm), "rate": rate,
        }  # fmt: skip

    def _milestone(self, name: str, record: dict[str, Any]) -> dict[str, Any]:
        """Measure, and compare with what the config asks for at this point of the stage."""
        random = torch.get_rng_state()
        live = {k: v.detach().clone() for k, v in self.model.named_parameters()} if self.ema else {}
        measured = measure(
            self.averaged(),
            self.held_out,
            self.codec,
            self.training.validation_items,
            self.stage.max_cells or self.training.max_cells,
        )
        with torch.no_grad():
            for key, parameter in self.model.named_parameters():
                if live:
                    parameter.copy_(live[key])
        torch.set_rng_state(random)
        reached: dict[str, float] = {**measured.accuracy, "loss": record["loss"]}
        compared = []
        for key, asked in self.stage.milestones.get(name, {}).items():
            value = reached.get(key)
            met = value is not None and (value < asked if key == "loss" else value > asked)
            compared.append({"figure": key, "asked": asked, "reached": value, "met": met})
            log.log(logging.INFO if met else logging.WARNING, "%s %s: %s %s, asked for %s: %s", self.name, name, key,
                    value, asked, "met" if met else "NOT met")  # fmt: skip
        return {
            "milestone": name, "step": self.progress.step, "samples": self._seen(), "accuracy": measured.accuracy,
            "accuracy_by_tick": measured.by_tick, "certainty": measured.certainty,
            "sync_variance": measured.sync_variance, "loss": record["loss"], "compared": compared,
        }  # fmt: skip

    def _say(self, record: dict[str, Any], file: Any, board: SummaryWriter) -> None:
        file.write(json.dumps(record).encode() + b"\n")
        for key, value in record.items():
            if isinstance(value, float):
                board.add_scalar(key, value, record["step"])
        if "milestone" in record:
            shown = "  ".join(f"{k} {v:.1%}" for k, v in record["accuracy"].items())
            log.info("%s %s of the samples: %s", self.name, record["milestone"], shown)
        else:
            left = self.progress.seconds * (self.steps / max(1, self.progress.step) - 1)
            log.info(
                "%s step %d/%d  loss %.2f  certainty %.2f  %.0f samples/s  %.0f s left",
                self.name, record["step"], self.steps, record["loss"], record["certainty"],
                record["samples_per_second"], left,
            )  # fmt: skip


def _write_json(path: Path, content: dict[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=1))
    os.replace(temporary, path)
