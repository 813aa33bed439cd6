"""What the neurons of a model do while it thinks, on a few samples: to see them die, explode or fall silent.

Notable: `CTM.think` is run once more without gradient on a slice of a micro-batch: the training pass itself, whatever
it fuses, is not touched and costs nothing more between two lines of metrics.
"""

from __future__ import annotations

import torch

from ctm.model.model import CTM
from ctm.training.batch import Batch
from ctm.training.pieces import cut

SAMPLES = 4
NEAR_ZERO, LARGE = 1e-3, 10.0
"""Post-activations are gated and have no bound to saturate at. Below the first their products say nothing; beyond the
second their products are above 100, and the synchronisation is that pair's alone."""


@torch.no_grad()
def activation_figures(model: CTM, batch: Batch, device: torch.device) -> dict[str, float]:
    """Post-activations z of the neuron-level models over neurons, ticks and samples: mean, standard deviation, shares
    near zero and large, and the share of neurons that hardly move from tick to tick in any sample."""
    training = model.training
    model.eval()
    memory = model.encode(**cut(batch, 0, min(SAMPLES, len(batch.start))).to(device).inputs)
    state, thought = model.start(memory), []
    for _ in range(model.config.ticks):
        state, _ = model.think(state, memory)
        thought.append(state.z.float())
    model.train(training)
    z = torch.stack(thought)  # [T, B, D]
    still = z.std(dim=0, correction=0).amax(dim=0) < NEAR_ZERO
    return {
        "mean": float(z.mean()),
        "std": float(z.std(correction=0)),
        "near_zero": float((z.abs() < NEAR_ZERO).float().mean()),
        "large": float((z.abs() > LARGE).float().mean()),
        **({"still": float(still.float().mean())} if len(thought) > 1 else {}),
    }
