"""Muon over stacks of matrices: what torch's does one by one, in fewer calls, from the same checkpoints."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ctm.training.muon import StackedMuon, by_size, orthogonalized

SHAPES = [(24, 8), (8, 8), (8, 24), (8, 8), (5, 16), (24, 8), (1, 12)]
DECAY, RATE = 0.1, 1e-2
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def matrices() -> list[Tensor]:
    draw = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in SHAPES]


def torchs(parameters: list[Tensor]) -> torch.optim.Muon:
    return torch.optim.Muon(
        parameters, lr=RATE, weight_decay=DECAY, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )


def ours(parameters: list[Tensor]) -> StackedMuon:
    optimizer = StackedMuon(parameters, DECAY, 0.95)
    optimizer.param_groups[0]["lr"] = RATE
    return optimizer


def steps(optimizer: torch.optim.Optimizer, parameters: list[Tensor], seeds: range) -> None:
    for seed in seeds:
        draw = torch.Generator().manual_seed(seed)
        for parameter in parameters:
            parameter.grad = torch.randn(parameter.shape, generator=draw)
        optimizer.step()


def assert_near(mine: list[Tensor], theirs: list[Tensor]) -> None:
    """The products are in bfloat16, whose last of 8 bits may fall otherwise: 1/128 of what a step moved."""
    for a, b in zip(mine, theirs, strict=True):
        moved = RATE * 0.2 * math.sqrt(max(a.shape)) * b.abs().max()
        assert (a - b).abs().max() <= moved / 64, tuple(a.shape)


def test_steps_are_those_of_torch() -> None:
    one, other = matrices(), matrices()
    steps(ours(one), one, range(5))
    steps(torchs(other), other, range(5))
    assert_near(one, other)
    assert not torch.equal(one[0], matrices()[0]), "nothing was trained"


@pytest.mark.parametrize("before", ["torch", "ours"])
def test_a_checkpoint_of_either_goes_on_in_the_other(before: str) -> None:
    made, other = (torchs, ours) if before == "torch" else (ours, torchs)
    one, straight = matrices(), matrices()
    first = made(one)
    steps(first, one, range(3))
    second = other(one)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    steps(second, one, range(3, 6))
    steps(torchs(straight), straight, range(6))
    assert_near(one, straight)


def test_a_matrix_without_gradient_stays() -> None:
    one = matrices()
    optimizer = ours(one)
    one[1].grad = torch.ones_like(one[1])
    optimizer.step()
    same = [torch.equal(a, b) for a, b in zip(one, matrices(), strict=True)]
    assert same == [True, False, True, True, True, True, True]


def test_an_iteration_by_hand() -> None:
    """Values of a diagonal matrix, over its norm 5, become a x + b x^3 + c x^5: of 0.6, 2.0667 - 1.0314 + 0.1580."""
    (found,) = orthogonalized([torch.diag(torch.tensor([3.0, 4.0]))], COEFFICIENTS, 1, 1e-7)
    assert found.flatten().tolist() == pytest.approx([1.1933, 0, 0, 0.9765], abs=0.02)


def test_matrices_of_one_size_lie_together_wide_ones_first() -> None:
    assert by_size(matrices()) == [[2, 0, 5], [1, 3], [4], [6]]


class _Calls(TorchDispatchMode):
    """Counts what is asked of the device, and what asks it back."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.names.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def calls(optimizer: torch.optim.Optimizer) -> list[str]:
    with _Calls() as counted:
        optimizer.step()
    return counted.names


def test_a_step_asks_for_fewer_kernels_and_waits_for_none() -> None:
    one = [torch.nn.Parameter(torch.ones(16, 16)) for _ in range(12)]
    for parameter in one:
        parameter.grad = torch.ones_like(parameter)
    stacked, single = calls(ours(one)), calls(torchs(one))
    assert len(stacked) < 0.25 * len(single), "twelve matrices of one size are one stack"
    assert not {"_local_scalar_dense", "item", "nonzero"} & set(stacked), "a step waits for the device"
