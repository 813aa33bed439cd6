"""Distributed training: one process, or more under `torchrun`, each with its device and its share of every step.

Gradients are summed once a step, in one flat buffer, after the last micro-batch; `DistributedDataParallel` is
not used. It would sum inside the backward pass of the last micro-batch, where a process that runs out of memory leaves
the others waiting for ever; here all hear of it first (`Ranks.any`) and try again together. It also wants one `forward`
that makes the loss, where ours asks the model's heads from outside, and a flag for parameters without gradient.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from ctm.model.device import pick_device


@dataclass(frozen=True)
class Ranks:
    """This process among `count`."""

    rank: int = 0
    count: int = 1
    local_count: int = 1
    """Processes on this machine: they share the rule's vram."""

    @property
    def is_first(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, in place; the same bits in each of them."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def any(self, here: bool, device: torch.device) -> bool:
        """Whether `here` is true in any process."""
        return here if self.count == 1 else bool(self.sum(torch.tensor([float(here)], device=device)).item())

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Sum the gradients of all processes; one that is missing counts as zero."""
        if self.count == 1:
            return
        wanted = list(parameters)
        found = [p.grad if p.grad is not None else torch.zeros_like(p) for p in wanted]
        flat = self.sum(torch.cat([g.reshape(-1) for g in found]))
        for parameter, part in zip(wanted, flat.split([p.numel() for p in wanted]), strict=True):
            if parameter.grad is None:
                parameter.grad = part.view_as(parameter)
            else:
                parameter.grad.copy_(part.view_as(parameter))

    def barrier(self) -> None:
        """Block until all processes have arrived."""
        if self.count > 1:
            distributed.barrier()

    def broadcast(self, module: nn.Module) -> None:
        """Give every process the first one's parameters and buffers."""
        if self.count > 1:
            for tensor in module.state_dict().values():
                distributed.broadcast(tensor, 0)

    def destroy(self) -> None:
        """End the communication."""
        if self.count > 1:
            distributed.destroy_process_group()


def join_process_group(device: str) -> tuple[Ranks, torch.device]:
    """This process among those that `torchrun` started (one without it), and its device ("auto" or torch's name)."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    picked = pick_device(device)
    if count == 1:
        return Ranks(), picked
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    if picked.type == "cuda":
        picked = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(picked)
    distributed.init_process_group("nccl" if picked.type == "cuda" else "gloo")
    return Ranks(distributed.get_rank(), count, here), picked
