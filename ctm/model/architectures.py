"""The kinds of models by name, as the config and files of weights name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctm.model.base import EditModel
from ctm.model.config import ModelSizes
from ctm.model.model import CTM
from ctm.model.transformer import Transformer
from ctm.model.trm import TRM

KINDS: tuple[type[EditModel], ...] = (CTM, TRM, Transformer)
_BY_NAME = {kind.architecture: kind for kind in KINDS}
_BY_SIZES = {kind.sizes: kind for kind in KINDS}


def kind_of(architecture: str) -> type[EditModel]:
    """The kind of that name. Raises ValueError where there is none."""
    if architecture not in _BY_NAME:
        raise ValueError(f"model.architecture is {architecture!r}; it can be {', '.join(_BY_NAME)}")
    return _BY_NAME[architecture]


def make_config(architecture: str, sizes: Mapping[str, Any]) -> ModelSizes:
    """The config of a kind. Raises ValueError for an unknown kind or impossible sizes, TypeError for unknown ones."""
    return kind_of(architecture).sizes(**sizes)


def build(config: ModelSizes) -> EditModel:
    """A model of its config's kind, with random weights. Raises TypeError for the config of none."""
    if type(config) not in _BY_SIZES:
        raise TypeError(
            f"no model takes a {type(config).__name__}; expected {', '.join(sizes.__name__ for sizes in _BY_SIZES)}"
        )
    return _BY_SIZES[type(config)](config)
