"""Tests in a separate process whether CUDA graphs or torch.compile work on this machine.

    python -m ctm.training.probe graphs cuda        exit status 0: gradients as without it; else why not, on stderr

torch.compile needs a compiler on the machine and has frozen drivers, and a failed capture of a CUDA graph can
leave a process unusable: the trainer must not find out itself.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from functools import cache

import torch

from ctm.model.config import CTMConfig, LossTerms
from ctm.model.model import CTM
from ctm.training.batch import TrainingBatch
from ctm.training.cuda_graphs import CudaGraphs, Run

log = logging.getLogger(__name__)
SECONDS = 300.0
"""A probe that takes longer has failed."""
NEAR = 1e-3
"""Largest relative difference of gradients (norms, float32)."""
VOCABULARY = 64


def is_usable(option: str, device: torch.device) -> bool:
    """Whether to use an option that was asked for; why not is logged. Graphs are for CUDA and ROCm."""
    if option == "graphs" and device.type != "cuda":
        return False
    why = probe_failure(option, device)
    if why is not None:
        log.warning("training.%s is switched off on this machine: %s", option, why)
    return why is None


@cache
def probe_failure(option: str, device: torch.device) -> str | None:
    """None where "graphs" or "compile" works on the device, else why not, in a line."""
    command = [sys.executable, "-m", "ctm.training.probe", option, str(device)]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"its trial run took longer than {SECONDS:.0f} s"
    if done.returncode == 0:
        return None
    said = done.stderr.strip().splitlines()
    return said[-1] if said else f"its trial run ended with exit status {done.returncode}"


def gradient_difference(option: str, device: torch.device) -> float:
    """Relative difference of a small model's gradients with and without the option, over batches of two shapes."""
    model = small_model(device)
    shapes = [batch_of(size, cells) for size, cells in ((4, 16), (4, 32), (4, 16), (4, 32), (4, 16))]
    plain = gradients(model, shapes, device, None)
    if option == "compile":
        model.compile_parts()
        with_option = gradients(model, shapes, device, None)
    elif option == "graphs":
        with_option = gradients(model, shapes, device, CudaGraphs(run_of(model), model))
    else:
        raise ValueError(f"unknown option {option!r}; it can be 'graphs' or 'compile'")
    return float((with_option - plain).norm() / plain.norm())


def small_model(device: torch.device) -> CTM:
    """A CTM of three ticks."""
    torch.manual_seed(0)
    config = CTMConfig(
        vocabulary=VOCABULARY, width=32, heads=2, blocks=1, neurons=32, ticks=3, memory=3, nlm_hidden=4,
        synapse_depth=2, action_pairs=16, out_pairs=16, self_pairs=2,
    )  # fmt: skip
    return CTM(config).to(device).train()


def batch_of(size: int, cells: int) -> TrainingBatch:
    """Random texts, each with an answer of one token."""
    tokens = torch.randint(5, VOCABULARY, (size, cells))
    units = torch.zeros(32, dtype=torch.int64)
    nothing = torch.full_like(units, -1)
    asked = torch.where(torch.arange(32) < size, 7, nothing)
    return TrainingBatch(
        inputs={
            "tokens": tokens, "rows": torch.zeros_like(tokens), "cols": torch.arange(cells).expand(size, -1) % 48,
            "lengths": torch.randint(2, cells, (size,)), "diagnosis": torch.tensor([[1, 1]]).repeat(size, 1),
        },
        words=torch.full_like(tokens, -1), start=torch.ones(size, dtype=torch.int64),
        end=torch.ones(size, dtype=torch.int64), unit_sample=torch.arange(32) % size, unit_slot=units,
        unit_token=asked, unit_word=nothing,
    )  # fmt: skip


def gradients(
    model: CTM, batches: list[TrainingBatch], device: torch.device, graphs: CudaGraphs | None
) -> torch.Tensor:
    """All gradients in one vector, added up over the batches."""
    model.zero_grad(set_to_none=False)
    call = graphs or run_of(model)
    for batch in batches:
        drawn = torch.zeros(len(batch.start), dtype=torch.int64)
        if graphs is None:
            batch, drawn = batch.to(device), drawn.to(device)
        call(batch, drawn, 1.0)
    return torch.cat([p.grad.reshape(-1).clone().cpu() for p in model.parameters() if p.grad is not None])


def run_of(model: CTM) -> Run:
    """The plain call: gradients of a batch, and its loss."""

    def run(batch: TrainingBatch, drawn: torch.Tensor, share: float) -> torch.Tensor:
        thought = model(**batch.inputs, pointers_with_gradient=False)
        loss = model.loss(thought, batch, LossTerms(later_ticks=0.5), drawn)
        (loss.total * share).backward()
        return loss.at_lowest

    return run


def main() -> None:
    option, device = sys.argv[1:]
    difference = gradient_difference(option, torch.device(device))
    if not difference < NEAR:
        sys.exit(
            f"gradients with the option differ from those without it by {difference:.1e} of their norm (limit {NEAR:g})"
        )


if __name__ == "__main__":
    main()
