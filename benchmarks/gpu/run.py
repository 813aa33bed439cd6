"""The full-scale trainer on the GPU at hand: rate by option and share of the device's peak, where a step's time goes,
memory against the formula, and the loss in bfloat16 beside float32.

    make gpu                                          rates and memory, some minutes
    .venv/bin/python benchmarks/gpu/run.py --data runs/demo/results     curves too, on the grids of a finished demo

Sizes and the four stages' settings come from config/config.yaml; a step is the trainer's own (`Gradients`, clipping,
optimizer), accumulation included. Texts of 256 cells with three units, as `ctm_step` has them. Everything is Markdown
on standard output and in runs/gpu/table.md, with all figures in figures.json beside it; each part is written as it
comes.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import torch
import torch._dynamo
from matplotlib import pyplot

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parent)]
import step_profile
from ctm_step import CELLS, CONFIG, make_batch

from ctm.evaluation import memory
from ctm.evaluation.flops import count_flops
from ctm.model.config import CTMConfig, LossTerms
from ctm.model.model import CTM
from ctm.pipeline.config import Config, read_config
from ctm.training.batch import TrainingBatch
from ctm.training.gradients import Gradients
from ctm.training.memory_plan import MemoryPlan
from ctm.training.optimizer import CombinedOptimizer, make_optimizer
from ctm.training.ranks import Ranks
from ctm.training.settings import CTMStageSettings, CTMTrainingSettings, stage_of_ctm
from ctm.training.stage import set_deterministic, train_stage

CHECKOUT = Path(__file__).resolve().parents[2]
VOCABULARY = 8192
OPTIONS = {
    "plain": (),
    "compile": ("compile",),
    "graphs": ("graphs",),
    "graphs, joined": ("graphs", "joined"),
    "graphs, deterministic": ("graphs", "deterministic"),
    "graphs, compile": ("graphs", "compile"),
    "all three": ("graphs", "joined", "compile"),
}
MATRIX = 8192
GB = 1e9
DEVICE = torch.device("cuda")


class Trainer:
    """A stage's model with what makes its steps."""

    def __init__(
        self,
        sizes: CTMConfig,
        stage: CTMStageSettings,
        training: CTMTrainingSettings,
        precision: torch.dtype,
        device: torch.device = DEVICE,
    ) -> None:
        torch.manual_seed(0)
        config = dataclasses.replace(sizes, ticks=stage.ticks, memory=stage.memory, vocabulary=VOCABULARY)
        self.device = device
        self.model = CTM(config).to(self.device).train()
        terms = LossTerms(training.diversity, training.later_ticks)
        self.gradients = Gradients(self.model, stage, training, Ranks(), self.device, precision, 0, terms)
        self.optimizer: CombinedOptimizer = make_optimizer(self.model, training)
        self.optimizer.set_learning_rate(1e-4)
        self.parts = [make_batch(stage.batch, VOCABULARY)] * stage.accumulation
        self.training = training
        self.optimizer_seconds = 0.0

    def step(self, number: int) -> float:
        """Seconds of a step."""
        began = time.perf_counter()
        self.gradients.accumulate_step(self.parts, number, _never)
        torch.cuda.synchronize()
        half = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.training.clip)
        self.optimizer.step()
        self.gradients.clear()
        self.model.after_step()
        torch.cuda.synchronize()
        self.optimizer_seconds = time.perf_counter() - half
        return time.perf_counter() - began


def _never(problem: str, before: MemoryPlan, after: MemoryPlan) -> None:
    raise MemoryError(problem)


def _clean() -> None:
    gc.collect()
    torch._dynamo.reset()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()


def peaks() -> dict[str, float]:
    """FLOP/s of a large matrix product in each precision, as measured."""
    found = {}
    for name, dtype in (("bfloat16", torch.bfloat16), ("float32", torch.float32)):
        a, b = (torch.randn(MATRIX, MATRIX, device="cuda", dtype=dtype) for _ in range(2))
        times = []
        for _ in range(8):
            torch.cuda.synchronize()
            began = time.perf_counter()
            a @ b
            torch.cuda.synchronize()
            times.append(time.perf_counter() - began)
        found[name] = 2 * MATRIX**3 / statistics.median(times[2:])
    return found


def step_flops(trainer: Trainer) -> float:
    """Operations of matrix products of a sample: forward, loss and backward."""
    part: TrainingBatch = trainer.parts[0].to(trainer.device)
    drawn = torch.zeros(len(part.start), dtype=torch.int64, device=trainer.device)
    flops = count_flops(lambda: trainer.gradients._backward(part, drawn, 1.0))
    trainer.gradients.clear()
    return flops / len(part.start)


def rates(
    config: Config, name: str, peak: dict[str, float], steps: int, options: list[str]
) -> Iterator[dict[str, Any]]:
    """Samples/s of a stage with every combination of options, bfloat16."""
    stage = config.training.stages[name]
    flops = 0.0
    for option, chosen in OPTIONS.items():
        if option not in options:
            continue
        _clean()
        began = time.perf_counter()
        training = dataclasses.replace(
            config.training, compile="compile" in chosen, graphs="graphs" in chosen, joined="joined" in chosen
        )
        set_deterministic("on" if "deterministic" in chosen else "off", torch.device("cuda"))
        trainer = Trainer(config.model, stage, training, torch.bfloat16)
        flops = flops or step_flops(trainer)
        for number in range(3):  # a shape is met, captured, replayed
            trainer.step(number)
        ready = time.perf_counter() - began
        seconds, optimizer = [], []
        for number in range(steps):
            seconds.append(trainer.step(3 + number))
            optimizer.append(trainer.optimizer_seconds)
        whole = statistics.median(seconds)
        rate = stage.batch * stage.accumulation / whole
        yield {
            "stage": name, "option": option, "used": trainer.gradients.options(), "samples_per_second": rate,
            "flops_per_sample": flops,
            "share_of_peak": rate * flops / peak["bfloat16"], "optimizer_ms": 1e3 * statistics.median(optimizer),
            "step_ms": 1e3 * whole, "ready_seconds": ready,
            "peak_gb": torch.cuda.max_memory_allocated() / GB, "reserved_gb": torch.cuda.memory_reserved() / GB,
        }  # fmt: skip
        del trainer


def profiles(
    config: Config,
    name: str,
    steps: int,
    device: torch.device = DEVICE,
    precision: torch.dtype = torch.bfloat16,
) -> Iterator[dict[str, Any]]:
    """Where a step of a stage spends its time, plain and with graphs (`step_profile`)."""
    stage = config.training.stages[name]
    for option in ("plain", "graphs"):
        if device.type == "cuda":
            _clean()
        training = dataclasses.replace(
            config.training, compile=False, graphs=option == "graphs", joined=False
        )
        trainer = Trainer(config.model, stage, training, precision, device)
        parts = step_profile.StepParts(
            trainer.model, trainer.gradients, trainer.optimizer, trainer.parts,
            step_profile.real_batches(stage), training,
        )  # fmt: skip
        for _ in range(3):  # a shape is met, captured, replayed
            parts.gradient()
            parts.step()
        named = parts.replayed() if option == "graphs" else parts.plain()
        figures = step_profile.profiled(named, device, steps)
        parts.gradient()
        theirs = step_profile.profiled([("torch's Muon", parts.torch_muon)], device, steps)["parts"][
            "torch's Muon"
        ]
        yield {
            "stage": name, "option": option, "used": trainer.gradients.options(), **figures,
            "torch_muon_ms": theirs["ms"], "torch_muon_launched": theirs["launched"],
        }  # fmt: skip
        del trainer, parts, named


def memories(config: Config, name: str) -> Iterator[dict[str, Any]]:
    """Peak of whole steps of a stage against the formula of docs/memory.md, and of the thought alone."""
    stage = config.training.stages[name]
    for precision in (torch.float32, torch.bfloat16):
        _clean()
        trainer = Trainer(config.model, stage, config.training, precision)
        trainer.parts = trainer.parts[:1]
        for number in range(2):
            trainer.step(number)
        whole = torch.cuda.max_memory_allocated()
        kept = memory.formula(trainer.model.config, stage.batch, CELLS).total(stage.ticks)
        weights = memory.weight_bytes(trainer.model)
        inputs = trainer.parts[0].inputs
        thought = 0
        if precision == torch.float32:
            model = trainer.model
            del trainer
            _clean()
            thought = memory.peak_on_gpu(model, inputs, stage.ticks)
        yield {
            "stage": name, "precision": str(precision).removeprefix("torch."), "step_peak_gb": whole / GB,
            "formula_step_gb": (memory.STATES * weights + kept) / GB, "thought_peak_gb": thought / GB,
            "formula_thought_gb": (2 * weights + kept) / GB,
        }  # fmt: skip


def curves(config: Config, data: Path, folder: Path, samples: int) -> Iterator[dict[str, Any]]:
    """The loss of a first stage of the full-scale model by step, in each precision and with graphs."""
    stage = dataclasses.replace(config.training.stages["stage1"], samples=samples, epochs=1, max_cells=256)
    model = {k: v for k, v in dataclasses.asdict(config.model).items()
             if k not in ("ticks", "memory", "vocabulary", "diagnoses")}  # fmt: skip
    runs: tuple[tuple[Literal["float32", "bfloat16"], bool], ...] = (
        ("float32", True), ("bfloat16", True), ("bfloat16", False),
    )  # fmt: skip
    for precision, graphs in runs:
        _clean()
        training = dataclasses.replace(
            config.training, precision=precision, graphs=graphs, log_steps=1, validation_items=200,
            checkpoint_steps=10**9,
        )  # fmt: skip
        own = folder / f"{precision}-{graphs}"
        train_stage(
            stage_of_ctm("stage1", stage, training, model), data / "grids/train/manifest.json",
            data / "grids/validation/manifest.json", data / "tokenizer/tokenizer.json", None, own / "work",
            own / "weights.safetensors", own / "metrics.jsonl", own / "summary.json", 4, vram=40,
        )  # fmt: skip
        summary = json.loads((own / "summary.json").read_text(encoding="utf-8"))
        losses = [
            record["loss"]
            for record in map(json.loads, (own / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
            if "loss_lowest" in record
        ]
        yield {
            "precision": precision, "graphs": summary["options"]["graphs"], "losses": losses,
            "samples_per_second": summary["samples_per_second"], "accuracy": summary["milestones"][-1]["accuracy"],
            "events": summary["events"], "machine": summary["machine"],
        }  # fmt: skip


def plot(found: list[dict[str, Any]], samples: int, path: Path) -> None:
    """The losses in both precisions by samples (of a step), and how far they are apart."""
    wide, narrow = (curve["losses"] for curve in found[:2])
    figure, (losses, difference) = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    at = [samples * (step + 1) for step in range(len(wide))]
    losses.plot(at, wide, label="float32")
    losses.plot(at, narrow, "--", label="bfloat16")
    losses.set(xlabel="samples", ylabel="loss, nats a sample", ylim=(0, None))
    losses.legend(frameon=False)
    difference.plot(at, [100 * (b - a) / a for a, b in zip(wide, narrow, strict=True)], linewidth=1)
    difference.axhline(0, color="gray", linewidth=0.6)
    difference.set(xlabel="samples", ylabel="bfloat16 less float32, % of the loss")
    for axes in (losses, difference):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def tables(found: dict[str, Any]) -> str:
    """Markdown of what has been measured."""
    peak = {name: f"{value / 1e12:.0f}" for name, value in found["peaks"].items()}
    lines = [f"{found['device']}, torch {found['torch']}; matrix products of {MATRIX} in bfloat16 {peak['bfloat16']} "
             f"TFLOP/s, float32 {peak['float32']}", ""]  # fmt: skip
    head = ("stage", "option", "samples/s", "ratio", "ms a step", "optimizer, ms", "share of peak", "peak GB",
            "reserved GB", "ready, s")  # fmt: skip
    lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    plain = {r["stage"]: r["samples_per_second"] for r in found["rates"] if r["option"] == "plain"}
    lines += [
        f"| {r['stage']} | {r['option']} | {r['samples_per_second']:.0f} | "
        f"{r['samples_per_second'] / plain[r['stage']]:.2f} | {r['step_ms']:.0f} | {r['optimizer_ms']:.0f} | "
        f"{r['share_of_peak']:.1%} | {r['peak_gb']:.2f} | {r['reserved_gb']:.2f} | {r['ready_seconds']:.0f} |"
        for r in found["rates"]
    ]
    if found["profile"]:
        lines += ["", *step_profile.table(found["profile"])]
    lines += [
        "",
        "| stage | precision | step, peak GB | formula | thought, peak GB | formula |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r['stage']} | {r['precision']} | {r['step_peak_gb']:.2f} | {r['formula_step_gb']:.2f} | "
        f"{r['thought_peak_gb']:.2f} | {r['formula_thought_gb']:.2f} |"
        for r in found["memory"]
    ]
    if found["curves"]:
        marks = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0]
        lines += ["", "| precision | graphs | samples/s | " + " | ".join(f"loss at {m:.0%}" for m in marks) + " |",
                  "|---" * (3 + len(marks)) + "|"]  # fmt: skip
        for r in found["curves"]:
            ends = [max(1, round(m * len(r["losses"]))) for m in marks]
            shown = " | ".join(f"{statistics.mean(r['losses'][max(0, e - 10) : e]):.3f}" for e in ends)
            lines.append(
                f"| {r['precision']} | {bool(r['graphs'])} | {r['samples_per_second']:.0f} | {shown} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="results of a finished demo, for the curves of the loss")
    parser.add_argument("--samples", type=int, default=38_400, help="of each curve")
    parser.add_argument("--steps", type=int, default=5, help="timed steps of each rate")
    parser.add_argument("--out", type=Path, default=CHECKOUT / "runs" / "gpu")
    parser.add_argument("--parts", nargs="*", default=["rates", "profile", "memory", "curves"])
    parser.add_argument("--stages", nargs="*", default=["stage1", "stage2", "stage3", "stage4"])
    parser.add_argument("--options", nargs="*", default=list(OPTIONS))
    given = parser.parse_args()
    if not torch.cuda.is_available():
        parser.error("no GPU that torch can use (CUDA or ROCm) is here")
    given.out.mkdir(parents=True, exist_ok=True)
    config = read_config([CONFIG])
    found: dict[str, Any] = {
        "device": torch.cuda.get_device_name(), "torch": torch.__version__, "peaks": peaks(), "rates": [],
        "profile": [], "memory": [], "curves": [],
    }  # fmt: skip

    def note(part: str, records: Iterator[dict[str, Any]]) -> None:
        for record in records:
            found[part].append(record)
            print(json.dumps({k: v for k, v in record.items() if k != "losses"}), flush=True)
            (given.out / "figures.json").write_text(json.dumps(found), encoding="utf-8")
            (given.out / "table.md").write_text(tables(found), encoding="utf-8")

    for name in given.stages:
        if "rates" in given.parts:
            note("rates", rates(config, name, found["peaks"], given.steps, given.options))
        if "profile" in given.parts:
            note("profile", profiles(config, name, given.steps))
        if "memory" in given.parts:
            note("memory", memories(config, name))
    if given.data and "curves" in given.parts:
        note("curves", curves(config, given.data, given.out / "curves", given.samples))
        first = config.training.stages["stage1"]
        plot(found["curves"], first.batch * first.accumulation, given.out / "precision.png")
    print(tables(found), end="")


if __name__ == "__main__":
    main()
