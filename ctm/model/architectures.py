"""The kinds of models by name, as the config and files of weights name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctm.model.base import EditModel
from ctm.model.config import ModelConfig, Sizes, TransformerConfig, TRMConfig
from ctm.model.model import CTM
from ctm.model.plain import Transformer
from ctm.model.trm import TRM

CONFIGS: dict[str, type[Sizes]] = {"ctm": ModelConfig, "trm": TRMConfig, "transformer": TransformerConfig}


def make_config(architecture: str, sizes: Mapping[str, Any]) -> Sizes:
    """The config of a kind. Raises ValueError for an unknown kind or impossible sizes, TypeError for unknown ones."""
    if architecture not in CONFIGS:
        raise ValueError(f"model.architecture is {architecture!r}; it can be {', '.join(CONFIGS)}")
    return CONFIGS[architecture](**sizes)


def build(config: Sizes) -> EditModel:
    """A model of its config's kind, with random weights."""
    match config:
        case ModelConfig():
            return CTM(config)
        case TRMConfig():
            return TRM(config)
        case TransformerConfig():
            return Transformer(config)
    raise TypeError(f"{type(config).__name__} is the config of no model")
