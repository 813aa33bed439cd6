"""Weights on disk: safetensors with the model's config and a checksum inside, written in one rename.

The checksum is of the header (less the checksum) and of all tensors' bytes, and is compared on every load: a changed
bit would be another weight, and nothing else would notice. 77 MB take 50 ms.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from ctm.files import replacing
from ctm.model.architectures import build, make_config
from ctm.model.base import EditModel
from ctm.model.config import ModelSizes
from ctm.model.model import CTM

FORMAT_VERSION = "3"
"""2: cells did not know how far the same token is; 1: pointers had a key for every cell, and the pairing
"random-pairing" was called "random"."""
CHECKSUM = "sha256"
"""Its key in the metadata."""
ALIGNED = 8
"""Bytes that the header's length is a multiple of, as the library writes it, so that tensors lie aligned."""
_REMEDY = "delete it and run the workflow again, or copy it again"


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
        temporary.write_bytes(_sealed(save(tensors, metadata)))


def load_weights(path: Path) -> tuple[ModelSizes, dict[str, torch.Tensor]]:
    """Config and tensors of a file. Raises ValueError if it is not one of ours, or damaged.

    Files of before there were checksums are taken as they are.
    """
    content = path.read_bytes()
    try:
        header, data = _parts(content)
        metadata = header.get("__metadata__", {})
        said = metadata.pop(CHECKSUM, None)
    except (AttributeError, ValueError) as error:
        raise ValueError(f"{path}: no safetensors file, or damaged ({error}); {_REMEDY}") from None
    if said is not None and said != _checksum(header, data):
        raise ValueError(f"{path}: damaged: its checksum differs; {_REMEDY}")
    if metadata.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"{path}: weights of format_version {metadata.get('format_version')}; this version reads "
            f"{FORMAT_VERSION}. Train the model again"
        )
    # files of before there were other kinds do not name theirs
    config = make_config(metadata.get("architecture", CTM.architecture), json.loads(metadata["config"]))
    try:
        return config, dict(sorted(load(content).items()))  # the library's order changes from read to read
    except SafetensorError as error:
        raise ValueError(f"{path}: damaged ({error}); {_REMEDY}") from None


def _sealed(content: bytes) -> bytes:
    """A safetensors file with its checksum, and its metadata sorted: the library writes them in a hash map's order."""
    header, data = _parts(content)
    metadata = {**header["__metadata__"], CHECKSUM: _checksum(header, data)}
    header["__metadata__"] = dict(sorted(metadata.items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text = text.ljust(-(-len(text) // ALIGNED) * ALIGNED)
    return len(text).to_bytes(8, "little") + text + data


def _parts(content: bytes) -> tuple[dict[str, Any], memoryview]:
    """Header and tensors' bytes of a safetensors file. Raises ValueError."""
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size]), memoryview(content)[8 + size :]


def _checksum(header: dict[str, Any], data: memoryview) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    digest.update(data)
    return digest.hexdigest()


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
