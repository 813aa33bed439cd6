"""Weights on disk: safetensors with the model's config inside, written in one rename."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save

from ctm.files import replacing
from ctm.model.architectures import build, make_config
from ctm.model.base import EditModel
from ctm.model.config import ModelSizes
from ctm.model.model import CTM

FORMAT_VERSION = "3"
"""2: cells did not know how far the same token is; 1: pointers had a key for every cell, and the pairing
"random-pairing" was called "random"."""


def save_weights(path: Path, model: EditModel, extra: dict[str, str] | None = None) -> None:
    """Write `model` and its config; temporary name, synced, renamed."""
    metadata = {
        "format_version": FORMAT_VERSION,
        "architecture": model.architecture,
        "config": json.dumps(dataclasses.asdict(model.config)),
        **(extra or {}),
    }
    tensors = {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}
    with replacing(path) as temporary:
        temporary.write_bytes(_ordered(save(tensors, metadata)))


def _ordered(content: bytes) -> bytes:
    """The same file with its metadata sorted: safetensors writes them in the order of a hash map."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode().ljust(size)
    assert len(text) == size
    return content[:8] + text + content[8 + size :]


def load_weights(path: Path) -> tuple[ModelSizes, dict[str, torch.Tensor]]:
    """Config and tensors of a file. Raises ValueError if it is not one of ours."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if metadata.get("format_version") != FORMAT_VERSION:
            raise ValueError(
                f"{path}: weights of format_version {metadata.get('format_version')}; this version reads "
                f"{FORMAT_VERSION}. Train the model again"
            )
        # files of before there were other kinds do not name theirs
        config = make_config(metadata.get("architecture", CTM.architecture), json.loads(metadata["config"]))
        return config, {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118


def load_model(path: Path) -> EditModel:
    """The model of a file, of whichever kind it is, in evaluation mode."""
    config, tensors = load_weights(path)
    model = build(config)
    model.load_state_dict(tensors)
    return model.eval()


def load_ctm(path: Path) -> CTM:
    """The CTM of a file, in evaluation mode. Raises ValueError if it is another kind of model."""
    model = load_model(path)
    if not isinstance(model, CTM):
        raise ValueError(f"{path}: holds a {model.architecture!r} model; this step works with a 'ctm' only")
    return model
