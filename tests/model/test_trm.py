"""TRM and plain transformer as training and evaluation meet them: the CTM's interface, halting, files, sizes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ctm.model.architectures import build, make_config
from ctm.model.base import EditModel
from ctm.model.config import CTMConfig, ModelSizes, TransformerConfig, TRMConfig
from ctm.model.inference import decode_candidates, infer
from ctm.model.trm import TRM
from ctm.model.weights import load_ctm, load_model, save_weights

V = 60
SMALL = {"vocabulary": V, "width": 16, "heads": 2, "units": 5}
CONFIGS: list[ModelSizes] = [
    TRMConfig(**SMALL, mlp=24, layers=2, updates=2, ticks=4),
    TransformerConfig(**SMALL, blocks=2),
    CTMConfig(
        **SMALL, neurons=16, ticks=3, memory=2, nlm_hidden=2, action_pairs=8, out_pairs=8, self_pairs=2
    ),
]


def make_model(config: ModelSizes) -> EditModel:
    torch.manual_seed(3)
    model = build(config).eval()
    model.units.starts_word[20:] = True
    if isinstance(model, TRM):
        with torch.no_grad():  # a halting head that has learned something: samples halt at different ticks
            model.halt.weight.normal_(std=0.7)
            model.halt.bias.zero_()
    return model


def make_inputs(lengths: list[int], cells: int) -> dict[str, Tensor]:
    """Random cells; behind `lengths` stand cells that begin no word, at random places: nothing may depend on them."""
    draw = torch.Generator().manual_seed(1)
    inputs = {
        n: torch.randint(5, V, (len(lengths), cells), generator=draw) for n in ("tokens", "rows", "cols")
    }
    inputs["cols"] %= 48
    inputs["tokens"][torch.arange(cells) >= torch.tensor(lengths)[:, None]] = 7
    diagnosis = torch.stack([torch.tensor([n // 2, 3]) for n in lengths])
    return {**inputs, "lengths": torch.tensor(lengths), "diagnosis": diagnosis}


def alone(inputs: dict[str, Tensor], number: int) -> dict[str, Tensor]:
    """One sample without its padding."""
    length = int(inputs["lengths"][number])
    one = {k: v[number : number + 1] for k, v in inputs.items()}
    return {k: v[:, :length] if k in ("tokens", "rows", "cols") else v for k, v in one.items()}


@torch.no_grad()
@pytest.mark.parametrize("config", CONFIGS[:2], ids=lambda c: type(c).__name__)
def test_shapes_are_those_of_a_thought(config: ModelSizes) -> None:
    model, inputs = make_model(config), make_inputs([17, 1, 9], 20)
    thought = model(**inputs)
    assert thought.pointers.shape == (3, config.ticks, 2, 20)
    assert thought.certainty.shape == (3, config.ticks)
    assert thought.readout.shape == (3, config.ticks, config.readout_width)
    torch.testing.assert_close(thought.pointers.exp().sum(-1), torch.ones(3, config.ticks, 2))
    assert ((thought.certainty >= 0) & (thought.certainty <= 1)).all()
    for number, length in enumerate([17, 1, 9]):
        assert (thought.pointers[number, ..., length:].exp() == 0).all(), "a pointer can land on padding"


@torch.no_grad()
@pytest.mark.parametrize("config", CONFIGS[:2], ids=lambda c: type(c).__name__)
def test_a_sample_thinks_and_halts_alone_as_in_a_batch(config: ModelSizes) -> None:
    model, lengths = make_model(config), [17, 1, 30, 9, 24, 12]
    inputs = make_inputs(lengths, 34)
    certainty = model(**inputs).certainty
    for threshold in (2.0, float(certainty.median()), float(certainty.quantile(0.9))):
        together, encoding = infer(model, inputs, threshold)
        answers = decode_candidates(model, together, encoding, 1)
        for number in range(len(lengths)):
            kept, own = infer(model, alone(inputs, number), threshold)
            assert kept.tick == together.tick[number], "the others in the batch decide when a sample halts"
            torch.testing.assert_close(kept.certainty[0], together.certainty[number])
            torch.testing.assert_close(
                kept.pointers[0], together.pointers[number, :, : lengths[number]], rtol=1e-4, atol=1e-4
            )
            answer = decode_candidates(model, kept, own, 1)
            assert torch.equal(answer.spans[0], answers.spans[number])
            torch.testing.assert_close(answer.unit_log_probability[0], answers.unit_log_probability[number])


@torch.no_grad()
def test_halting_saves_recursions(monkeypatch: pytest.MonkeyPatch) -> None:
    model, inputs, asked = make_model(CONFIGS[0]), make_inputs([17, 9], 17), []
    tick = TRM.tick
    monkeypatch.setattr(TRM, "tick", lambda self, *given: (asked.append(1), tick(self, *given))[1])
    model.halt.bias.fill_(20.0)
    kept, _ = infer(model, inputs, 0.5)
    assert kept.tick.tolist() == [1, 1] and len(asked) == 1
    model.halt.bias.fill_(-20.0)
    infer(model, inputs, 0.5)
    assert len(asked) == 1 + model.config.ticks


def test_no_gradient_goes_from_a_recursion_into_the_one_before() -> None:
    model = make_model(CONFIGS[0])
    starts = [model.start_latent, model.start_answer]
    for tick in range(model.config.ticks):
        thought = model(**make_inputs([17, 9], 17))
        loss = thought.pointers[:, tick, 0, 2].sum() + thought.readout[:, tick].sum()
        # the start states are what the first recursion alone begins with
        reached = [bool(g.abs().sum() > 0) for g in torch.autograd.grad(loss, starts, retain_graph=True)]
        assert reached == [tick == 0] * 2
        (network,) = torch.autograd.grad(loss, [model.layers[0].query_key_value.weight], retain_graph=True)
        (token,) = torch.autograd.grad(loss, [model.backbone.token.weight])
        assert network.abs().sum() > 0 and token.abs().sum() > 0, "every recursion trains network and encoder"


def test_a_recursions_gradient_is_that_of_its_own_updates_alone() -> None:
    """The gradient of tick 3 equals that of one recursion from the state that tick 2 left, as a constant."""
    model, inputs = make_model(CONFIGS[0]).double(), make_inputs([17, 9], 17)
    weights = list(model.layers.parameters())
    whole = torch.autograd.grad(model(**inputs).readout[:, 2].sum(), weights)
    with torch.no_grad():
        encoding = model.encode(**inputs)
        state = model.initial_state(encoding)
        for _ in range(2):
            state, _ = model.tick(state, encoding)
    _, said = model.tick(state, model.encode(**inputs))
    for one, other in zip(whole, torch.autograd.grad(said.readout.sum(), weights), strict=True):
        torch.testing.assert_close(one, other)


def test_forgotten_ticks_are_made_again_with_the_same_gradients() -> None:
    model, inputs = make_model(CONFIGS[0]).double(), make_inputs([17, 9], 17)
    weights = list(model.parameters())

    def gradients() -> tuple[Tensor | None, ...]:
        thought = model(**inputs)
        loss = thought.readout.square().sum() + thought.certainty.sum() + thought.pointers[:, :, 0, 1].sum()
        return torch.autograd.grad(loss, weights, allow_unused=True)

    kept = gradients()
    model.checkpoint_ticks = 3  # of 4: the last group is a short one
    for one, other in zip(kept, gradients(), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other)


@torch.no_grad()
def test_recursions_change_the_answer_and_stay_bounded() -> None:
    model = make_model(CONFIGS[0])
    thought = model(**make_inputs([17, 9], 17), ticks=60)
    assert (thought.pointers[:, 0] - thought.pointers[:, 1]).abs().max() > 1e-3
    assert thought.readout.isfinite().all() and thought.readout.abs().max() < 50


def test_the_full_trm_has_half_the_ctms_body() -> None:
    counts, ctm = build(TRMConfig()).parameter_counts(), build(CTMConfig()).parameter_counts()
    assert 7e6 <= counts["body"] <= 8e6
    assert counts["embedding"] == ctm["embedding"], "the same tables: tokens, places, diagnoses, slots"


def test_embeddings_are_tied() -> None:
    """One table of tokens reads the code and scores the units, and there is no other matrix of that size."""
    model = make_model(CONFIGS[0])
    assert [n for n, p in model.named_parameters() if V in p.shape] == ["backbone.token.weight", "units.bias"]
    thought = model(**make_inputs([9], 9))
    slots = model.units.slots(thought.readout[:, -1], thought.encoding.h, *torch.zeros(2, 1, 1).long())
    before = model.units.vocabulary(slots, model.backbone.token.weight)
    with torch.no_grad():
        model.backbone.token.weight[7] += 1
    after = model.units.vocabulary(slots, model.backbone.token.weight)
    assert ((before != after).any(0).any(0).any(0) == (torch.arange(V) == 7)).all()


@torch.no_grad()
@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: type(c).__name__)
def test_weights_of_every_kind_come_back(config: ModelSizes, tmp_path: Path) -> None:
    model = make_model(config)
    save_weights(tmp_path / "w.safetensors", model)
    again = load_model(tmp_path / "w.safetensors")
    assert type(again) is type(model) and again.config == config
    inputs = make_inputs([9, 4], 9)
    assert torch.equal(again(**inputs).pointers, model(**inputs).pointers)
    if config != CONFIGS[2]:
        with pytest.raises(ValueError, match=f"holds a '{model.architecture}' model; .* 'ctm' only"):
            load_ctm(tmp_path / "w.safetensors")


def test_a_file_that_names_no_kind_is_a_ctms(tmp_path: Path) -> None:
    model = make_model(CONFIGS[2])
    save_weights(tmp_path / "w.safetensors", model)
    with safe_open(tmp_path / "w.safetensors", framework="pt") as file:
        metadata = {k: v for k, v in file.metadata().items() if k not in ("architecture", "sha256")}
    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()}, tmp_path / "old.safetensors", metadata
    )
    assert load_ctm(tmp_path / "old.safetensors").config == CONFIGS[2]
    metadata["architecture"] = "oracle"
    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()}, tmp_path / "new.safetensors", metadata
    )
    with pytest.raises(ValueError, match=r"'oracle'; it can be ctm, trm, transformer"):
        load_model(tmp_path / "new.safetensors")
    assert json.loads(metadata["config"])["neurons"] == 16


@pytest.mark.parametrize(
    ("config", "wrong", "message"),
    [
        (CONFIGS[0], {"width": 15}, "width 15 must be a multiple of heads 2"),
        (CONFIGS[0], {"updates": 0}, "layers, mlp, updates and ticks must be at least 1"),
        (CONFIGS[0], {"layers": 0}, "layers, mlp, updates and ticks must be at least 1"),
        (CONFIGS[0], {"blocks": -1}, "blocks -1 must be at least 0"),
        (CONFIGS[1], {"ticks": 2}, "ticks is 2; a plain transformer has exactly 1"),
        (CONFIGS[1], {"blocks": 0}, "blocks 0 must be at least 1"),
    ],
)
def test_impossible_sizes_are_refused(config: ModelSizes, wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(config, **wrong)


def test_a_ctms_size_is_unknown_to_a_trm() -> None:
    with pytest.raises(TypeError, match="neurons"):
        make_config("trm", {"neurons": 16})
