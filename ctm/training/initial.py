"""A model before training: sizes from the config, vocabulary and word table from the tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import torch

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.architectures import kind_of
from ctm.model.base import EditModel
from ctm.model.model import CTM
from ctm.python.messages import KINDS

Model = TypeVar("Model", bound=EditModel)


def new_model(sizes: Mapping[str, Any], codec: CodeTokenizer, seed: int) -> EditModel:
    """A model with random weights of `seed`: a CTM, or the kind that "architecture" names.

    Raises TypeError or ValueError for sizes that the kind does not take.
    """
    own = dict(sizes)
    return _new(kind_of(own.pop("architecture", CTM.architecture)), own, codec, seed)


def new_ctm(sizes: Mapping[str, Any], codec: CodeTokenizer, seed: int) -> CTM:
    """`new_model` of sizes that name no kind."""
    return _new(CTM, sizes, codec, seed)


def _new(kind: type[Model], sizes: Mapping[str, Any], codec: CodeTokenizer, seed: int) -> Model:
    config = kind.sizes(**{**sizes, "vocabulary": codec.vocab_size, "diagnoses": len(KINDS)})
    torch.manual_seed(seed)
    model = kind(config)
    model.units.starts_word.copy_(torch.tensor([codec.starts_word(i) for i in range(codec.vocab_size)]))
    return model
