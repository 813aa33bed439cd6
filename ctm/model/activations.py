"""Statistics of the neurons' activations on a few samples: do they die, explode or stop moving?"""

from __future__ import annotations

from torch import Tensor

NEAR_ZERO, LARGE = 1e-3, 10.0
"""Post-activations are gated and have no bound to saturate at. Below the first their products say nothing; beyond the
second their products are above 100, and the synchronization is that pair's alone."""


def activation_figures(z: Tensor) -> dict[str, float]:
    """Of post-activations [T, B, D] over neurons, ticks and samples: mean, standard deviation, shares near zero and
    large, and the share of neurons that hardly move from tick to tick in any sample (with more than one tick)."""
    still = z.std(dim=0, correction=0).amax(dim=0) < NEAR_ZERO
    return {
        "mean": float(z.mean()),
        "std": float(z.std(correction=0)),
        "near_zero": float((z.abs() < NEAR_ZERO).float().mean()),
        "large": float((z.abs() > LARGE).float().mean()),
        **({"still": float(still.float().mean())} if len(z) > 1 else {}),
    }
