"""Which device a model runs on, and in which precision."""

from __future__ import annotations

import torch


def pick_device(name: str) -> torch.device:
    """ "auto" -> CUDA (ROCm builds answer to it too), MPS, else CPU; any other name is torch's."""
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def pick_precision(name: str, device: torch.device, key: str) -> torch.dtype:
    """Type of matrix products: "float32", "bfloat16", or "auto".

    "auto" is bfloat16 where the device multiplies it faster (GPUs, AMX, AVX-512 BF16), else float32. `key` of the
    config is named in the error for any other name.
    """
    named = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if name in named:
        return named[name]
    if name != "auto":
        raise ValueError(f"{key} is {name!r}; it can be 'auto', 'float32' or 'bfloat16'")
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    products = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.bfloat16 if device.type == "cpu" and products else torch.float32
