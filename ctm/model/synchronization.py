"""Synchronization of neuron pairs over the ticks: the CTM's latent representation (paper, section 3.4).

With decay r the sums S_ij = sum_tau e^(-r (t - tau)) z_i z_j / sqrt(sum_tau e^(-r (t - tau))) obey
alpha <- e^-r alpha + z_i z_j and beta <- e^-r beta + 1, so a tick costs the same however many came before. Sums are
float32 or wider whatever the model's precision.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

LARGEST_DECAY = 15.0  # e^-15 forgets everything in one tick; more only loses gradient


class Synchronization(nn.Module):
    """One set of n fixed pairs (left, right) with learned decays r >= 0."""

    left: Tensor
    right: Tensor

    def __init__(self, neurons: int, pairs: int, pairing: str, self_pairs: int, seed: int) -> None:
        super().__init__()
        left, right = draw_pairs(neurons, pairs, pairing, self_pairs, seed)
        self.register_buffer("left", left)
        self.register_buffer("right", right)
        self.decay = nn.Parameter(torch.zeros(pairs))

    def pair_products(self, z: Tensor) -> Tensor:
        """z_i z_j of the pairs: [B, D] -> [B, n]."""
        z = z if z.dtype == torch.float64 else z.float()
        return z[:, self.left] * z[:, self.right]

    def forward(self, z: Tensor, alpha: Tensor, beta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Synchronization [B, n] with the next alpha [B, n] and beta [1, n], from z [B, D]."""
        keep = torch.exp(-self.decay).unsqueeze(0)
        alpha = keep * alpha + self.pair_products(z)
        beta = keep * beta + 1
        return alpha * torch.rsqrt(beta), alpha, beta

    @torch.no_grad()
    def clamp_decay(self) -> None:
        """Keep r in [0, 15]; called after the optimizer's step (in `forward` it would change parameters)."""
        self.decay.clamp_(0, LARGEST_DECAY)


def draw_pairs(neurons: int, pairs: int, pairing: str, self_pairs: int, seed: int) -> tuple[Tensor, Tensor]:
    """Indices left, right int64 [n], as the public code's three ways draw them (its names, paper section 3.4).

    "random-pairing": both sides drawn, the first `self_pairs` a neuron with itself. "random": two sets of k drawn
    neurons, (left_i, right_j) for i <= j. "first-last": all pairs i <= j among k neurons, the first for an odd seed
    (the "out" set), the last for an even one. k is the smallest that has n such pairs; the first n are taken.

    Raises ValueError if k would exceed D.
    """
    draw = torch.Generator().manual_seed(seed)
    if pairing == "random-pairing":
        own = torch.randperm(neurons, generator=draw)[:self_pairs]
        rest = pairs - len(own)
        left = torch.randint(neurons, (rest,), generator=draw)
        right = torch.randint(neurons, (rest,), generator=draw)
        return torch.cat([own, left]), torch.cat([own, right])
    size = next((k for k in range(1, neurons + 1) if k * (k + 1) // 2 >= pairs), 0)
    if size == 0:
        raise ValueError(
            f"model: {pairs} neuron pairs need more than {neurons} neurons with pairing {pairing!r}; raise neurons, "
            "or lower action_pairs and out_pairs"
        )
    if pairing == "random":
        one, other = torch.randint(neurons, (2, size), generator=draw)
    else:
        one = other = torch.arange(size) + (0 if seed % 2 else neurons - size)
    left, right = dense_pairs(one, other)
    return left[:pairs], right[:pairs]


def dense_pairs(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """All k (k + 1) / 2 pairs (one_i, other_j), i <= j, row by row, of two sets int64 [k]."""
    row, column = torch.triu_indices(len(one), len(one)).unbind()
    return one[row], other[column]
