"""A model before training: sizes from the config, vocabulary and word table from the tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ctm.grid.diagnosis import KINDS
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.config import ModelConfig
from ctm.model.model import CTM


def new_model(sizes: Mapping[str, Any], codec: CodeTokenizer, seed: int) -> CTM:
    """A CTM with random weights of `seed`. Raises TypeError or ValueError for sizes that ModelConfig does not take."""
    config = ModelConfig(**{**sizes, "vocabulary": codec.vocabulary, "diagnoses": len(KINDS)})
    torch.manual_seed(seed)
    model = CTM(config)
    model.units.starts_word.copy_(torch.tensor([codec.starts_word(i) for i in range(codec.vocabulary)]))
    return model
