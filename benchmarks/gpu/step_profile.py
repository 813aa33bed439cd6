"""Where a training step's time goes: batches, copies, forward, loss, backward, clipping, optimizer; kernels and waits.

Each part is timed between two waits for the device, medians of several steps; the whole step beside them is timed
without waits inside, so it may be shorter than their sum. One more step is seen by torch.profiler, which counts the
kernels that each part launches (on a CPU the operators that it calls) and how often the host waits for the device.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

sys.path.append(str(Path(__file__).parents[1]))
import batch_pairs
from muon import torchs

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel
from ctm.training.batch import TrainingBatch, batches
from ctm.training.cuda_graphs import rounded
from ctm.training.data import TrainingSet, plan_visits
from ctm.training.gradients import Gradients
from ctm.training.memory_plan import MemoryPlan
from ctm.training.optimizer import CombinedOptimizer, muon_matrices
from ctm.training.settings import StageSettings, TrainingSettings

WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "hipStreamSynchronize", "hipDeviceSynchronize")
COPIES = ("Memcpy", "Memset")
Part = tuple[str, Callable[[], Any]]


class StepParts:
    """The parts of a stage's step, as `ctm.training.trainer` makes it; each is called once a step, in their order."""

    def __init__(
        self, model: EditModel, gradients: Gradients, optimizer: CombinedOptimizer, given: list[TrainingBatch],
        made: Iterator[TrainingBatch], training: TrainingSettings,
    ) -> None:  # fmt: skip
        self.model, self.gradients, self.optimizer, self.given = model, gradients, optimizer, given
        self.made, self.training, self.device = made, training, gradients.device
        self.number = 0
        self.piece, self.share = given[0], 1 / len(given)
        self.one_by_one = torchs(muon_matrices(model), training.weight_decay)

    def plain(self) -> list[Part]:
        """Every micro-batch by its parts."""
        each = [
            ("copy to the device", self.copy), ("forward", self.forward), ("loss", self.loss),
            ("backward", self.backward),
        ]  # fmt: skip
        return [("batches", self.make), *(each * len(self.given)), *self.update()]

    def replayed(self) -> list[Part]:
        """Forward, loss and backward as the trainer has them, with graphs where they are on."""
        return [("batches", self.make), ("gradient", self.gradient), *self.update()]

    def update(self) -> list[Part]:
        """What follows on the gradients."""
        return [("clipping", self.clip), ("optimizer", self.step), ("clearing", self.gradients.clear)]

    def make(self) -> None:
        made = [rounded(next(self.made)) for _ in self.given]
        if self.device.type == "cuda":
            [batch.pinned() for batch in made]

    def copy(self) -> None:
        self.piece = self.given[0].to(self.device)

    def forward(self) -> None:
        with self._precision():
            self.thought = self.model(**self.piece.inputs, pointers_with_gradient=False)

    def loss(self) -> None:
        drawn = torch.zeros(len(self.piece.start), dtype=torch.int64, device=self.device)
        with self._precision():
            self.total = self.model.loss(self.thought, self.piece, self.gradients.terms, drawn).total

    def backward(self) -> None:
        (self.total * self.share).backward()

    def gradient(self) -> None:
        self.number += 1
        self.gradients.accumulate_step(self.given, self.number, _never)

    def clip(self) -> None:
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.training.clip)

    def step(self) -> None:
        self.optimizer.step()
        self.model.after_step()

    def torch_muon(self) -> None:
        """Not of the step: what torch's Muon would take for the same matrices."""
        self.one_by_one.step()

    def _precision(self) -> torch.autocast:
        on = self.gradients.precision == torch.bfloat16
        return torch.autocast(self.device.type, torch.bfloat16, enabled=on)


def _never(problem: str, before: MemoryPlan, after: MemoryPlan) -> None:
    raise MemoryError(problem)


def real_batches(stage: StageSettings) -> Iterator[TrainingBatch]:
    """Micro-batches as the trainer makes them in Python, of short functions of the standard library, without end."""
    data, tokenizer = _split()
    plan = plan_visits(data, stage, TrainingSettings(), 1)
    while True:
        yield from batches(data, plan, tokenizer)


@cache
def _split() -> tuple[TrainingSet, CodeTokenizer]:
    with tempfile.TemporaryDirectory() as name:
        data, tokenizer, _ = batch_pairs.stored(Path(name))
    return data, tokenizer


def profiled(parts: list[Part], device: torch.device, steps: int) -> dict[str, Any]:
    """Figures of the parts by name, and of the whole step.

    Milliseconds a step, kernels a step (operators on a CPU) and waits of the host. Parts of one name add up. `steps`
    are timed after one that is not.
    """
    names = list(dict.fromkeys(name for name, _ in parts))
    timed: dict[str, list[float]] = {name: [] for name in names}
    for number in range(steps + 1):
        spent = dict.fromkeys(names, 0.0)
        for name, call in parts:
            spent[name] += _seconds(call, device)
        if number:
            for name in names:
                timed[name].append(spent[name])
    whole = [_seconds(lambda: [call() for _, call in parts], device) for _ in range(steps)]
    seen = {name: [0, 0] for name in names}
    for name, call in parts:
        launched, waits = launches(call, device)
        seen[name][0] += launched
        seen[name][1] += waits
    return {
        "counted": "kernels" if device.type == "cuda" else "operators",
        "step_ms": 1e3 * statistics.median(whole),
        "parts": {
            name: {
                "ms": 1e3 * statistics.median(timed[name]),
                "launched": seen[name][0],
                "waits": seen[name][1],
            }
            for name in names
        },
    }


def launches(call: Callable[[], Any], device: torch.device) -> tuple[int, int]:
    """Kernels that a call launches (on a CPU: operators that it calls, without those they call), and its waits."""
    on_gpu = device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as profiler:
        call()
    events = profiler.events() or []
    if on_gpu:
        kernels = [e for e in events if e.device_type != DeviceType.CPU and not e.name.startswith(COPIES)]
        return len(kernels), sum(e.name in WAITS for e in events)
    outermost = [e for e in events if e.name.startswith("aten::") and not _within_aten(e)]
    return len(outermost), sum(e.name == "aten::_local_scalar_dense" for e in events)


def _within_aten(event: Any) -> bool:
    parent = event.cpu_parent
    while parent is not None:
        if parent.name.startswith("aten::"):
            return True
        parent = parent.cpu_parent
    return False


def _seconds(call: Callable[[], Any], device: torch.device) -> float:
    _wait(device)
    began = time.perf_counter()
    call()
    _wait(device)
    return time.perf_counter() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def table(found: list[dict[str, Any]]) -> list[str]:
    """Markdown of the steps' parts."""
    counted = found[0]["counted"]
    lines = [f"| stage | option | part | ms a step | {counted} | waits |", "|---|---|---|---|---|---|"]
    for record in found:
        lines += [
            f"| {record['stage']} | {record['option']} | {name} | {part['ms']:.2f} | {part['launched']} | "
            f"{part['waits']} |"
            for name, part in record["parts"].items()
        ]
        lines.append(
            f"| {record['stage']} | {record['option']} | the step, no waits between | {record['step_ms']:.2f} | "
            f"{sum(part['launched'] for part in record['parts'].values())} | |"
        )
        lines.append(
            f"| {record['stage']} | {record['option']} | torch's Muon, not in the step | "
            f"{record['torch_muon_ms']:.2f} | {record['torch_muon_launched']} | |"
        )
    return lines
