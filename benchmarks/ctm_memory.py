"""Memory of a training step (forward, loss, backward) against a plain transcription with the same weights.

Sizes and loss as in ctm_train, from the encoded code on. Each side runs in a process of its own: resident memory before
the step, then its high-water mark (VmHWM, reset before the step) less that; weights are there before, gradients are
not. `ctm_saved` is what autograd keeps for the backward pass, counted storage by storage without the weights, a tick.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from _plain_ctm import NAME, TICKS, both, encode
from ctm_train import ANSWERS, ours, rival
from torch import Tensor

MB = 1e6


def run() -> list[dict[str, Any]]:
    """Megabytes; a ratio above 1 means that ours needs less."""
    sides = {side: _in_a_process(side) for side in ("ours", "rival")}
    return [
        {
            "name": name, "unit": unit, "ours": sides["ours"][figure], "rival": sides["rival"][figure],
            "rival_name": NAME, "ratio": sides["rival"][figure] / sides["ours"][figure], "n": 1, "threads": 1,
        }
        for name, unit, figure in (("ctm_memory", "MB peak", "peak"), ("ctm_saved", "MB saved a tick", "saved"))
    ]  # fmt: skip


def _in_a_process(side: str) -> dict[str, float]:
    # freed blocks go back at once, so that the step does not live on what its rehearsal left in the allocator
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    ran = subprocess.run(
        [sys.executable, __file__, side], capture_output=True, text=True, check=False, env=environment
    )
    if ran.returncode:
        raise RuntimeError(f"{side}: {ran.stderr}")
    return json.loads(ran.stdout.splitlines()[-1])


def _status(name: str) -> float:
    """A line of /proc/self/status, MB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(1024 * float(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / MB


def measure(side: str) -> dict[str, float]:
    """Peak of a step above what was resident before, and bytes saved for its backward pass a tick; MB."""
    torch.set_num_threads(1)
    model, plain, inputs = both()
    module: Any = model if side == "ours" else plain
    loss: Callable[[Any, Tensor, dict[str, Tensor], Any], Tensor] = ours if side == "ours" else rival
    with torch.no_grad():
        h = encode(model, inputs).requires_grad_()
    del model, plain
    module.train()
    loss_of_step = loss(module, h, inputs, ANSWERS)
    loss_of_step.backward()  # a rehearsal: the libraries' own memory is there from now on
    del loss_of_step
    module.zero_grad(set_to_none=True)
    h.grad = None
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    loss(module, h, inputs, ANSWERS).backward()
    peak = _status("VmHWM") - before
    return {"peak": peak, "saved": _saved(module, lambda: loss(module, h, inputs, ANSWERS)) / TICKS / MB}


def _saved(module: torch.nn.Module, forward: Any) -> int:
    seen: dict[int, torch.UntypedStorage] = {}  # kept alive: an address must not be used twice
    weights = {parameter.untyped_storage().data_ptr() for parameter in module.parameters()}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            seen[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        forward()
    return sum(storage.nbytes() for storage in seen.values())


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])) if len(sys.argv) > 1 else run())
