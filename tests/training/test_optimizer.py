"""Muon and AdamW as one optimizer: every parameter belongs to one of them, and a checkpoint restores both."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch

from ctm.model.config import CTMConfig
from ctm.model.model import CTM
from ctm.training.optimizer import CombinedOptimizer, make_optimizer
from ctm.training.settings import TrainingSettings

SETTINGS = TrainingSettings(optimizer="muon", muon_factor=2.0, weight_decay=0.1)


@pytest.fixture
def model() -> CTM:
    torch.manual_seed(0)
    return CTM(
        CTMConfig(
            vocabulary=40, width=16, heads=2, neurons=16, ticks=2, memory=2, nlm_hidden=2, action_pairs=8,
            out_pairs=8, self_pairs=2, units=2,
        )
    )  # fmt: skip


def step(model: CTM, optimizer: CombinedOptimizer, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=draw)
    optimizer.set_learning_rate(1e-2)
    optimizer.step()
    optimizer.zero_grad()


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_every_parameter_is_stepped_once(model: CTM, name: str) -> None:
    optimizer = make_optimizer(model, dataclasses.replace(SETTINGS, optimizer=name))
    held = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())
    before = copy.deepcopy(model.state_dict())
    step(model, optimizer, 1)
    assert all(not torch.equal(before[n], p) for n, p in model.named_parameters())


def test_muon_turns_matrices_of_linear_layers_and_no_table(model: CTM) -> None:
    optimizer = make_optimizer(model, SETTINGS)
    muon = {id(p) for p in optimizer.parts[0].param_groups[0]["params"]}
    chosen = {n for n, p in model.named_parameters() if id(p) in muon}
    assert {"backbone.local.weight", "synapse.first.0.weight", "pointers.key.weight"} <= chosen
    assert not {n for n in chosen if ("token.weight" in n and "backbone" in n) or "nlm" in n or "slot" in n}
    optimizer.set_learning_rate(3e-3)
    assert [g["lr"] for g in optimizer.param_groups] == [6e-3, 3e-3, 3e-3]


def test_a_restored_optimizer_goes_on_with_the_same_bits(model: CTM) -> None:
    optimizer = make_optimizer(model, SETTINGS)
    step(model, optimizer, 1)
    other = copy.deepcopy(model)
    again = make_optimizer(other, SETTINGS)
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    step(model, optimizer, 2)
    step(other, again, 2)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_moments_that_are_allocated_first_change_no_bit(model: CTM, name: str) -> None:
    settings = dataclasses.replace(SETTINGS, optimizer=name)
    other = copy.deepcopy(model)
    late, early = make_optimizer(model, settings), make_optimizer(other, settings)
    early.allocate()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    assert all(p.grad is None for p in other.parameters()), "nothing but moments is left behind"
    held = [id(t) for part in early.parts for kept in part.state.values() for t in kept.values()]
    for seed in (1, 2):
        step(model, late, seed)
        step(other, early, seed)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    assert held == [id(t) for part in early.parts for kept in part.state.values() for t in kept.values()], (
        "a step made a moment"
    )
