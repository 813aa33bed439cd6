"""A model before training: sizes from the config, vocabulary and word table from the tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.architectures import CONFIGS, build, make_config
from ctm.model.base import EditModel
from ctm.model.model import CTM
from ctm.python.messages import KINDS


def new_model(sizes: Mapping[str, Any], codec: CodeTokenizer, seed: int) -> EditModel:
    """A model with random weights of `seed`: a CTM, or the kind that "architecture" names.

    "memory", which every stage gives, is left out for kinds without neuron-level models. Raises TypeError or ValueError
    for sizes that the kind does not take.
    """
    given = {**sizes, "vocabulary": codec.vocabulary, "diagnoses": len(KINDS)}
    architecture = given.pop("architecture", CTM.architecture)
    if architecture in CONFIGS and not hasattr(CONFIGS[architecture], "memory"):
        given.pop("memory", None)
    config = make_config(architecture, given)
    torch.manual_seed(seed)
    model = build(config)
    model.units.starts_word.copy_(torch.tensor([codec.starts_word(i) for i in range(codec.vocabulary)]))
    return model


def new_ctm(sizes: Mapping[str, Any], codec: CodeTokenizer, seed: int) -> CTM:
    """`new_model` of sizes that name no other kind."""
    model = new_model(sizes, codec, seed)
    assert isinstance(model, CTM)
    return model
