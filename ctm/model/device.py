"""Which device a model runs on."""

from __future__ import annotations

import torch


def pick_device(name: str) -> torch.device:
    """ "auto" -> CUDA (ROCm builds answer to it too), MPS, else CPU; any other name is torch's."""
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
