"""Floating-point operations of matrix products, counted as torch runs them: the compute that models are compared at."""

from __future__ import annotations

from collections.abc import Callable

from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def count_flops(work: Callable[[], object]) -> int:
    """Operations of all matrix products in `work`, backward passes included; a multiply-add is two."""
    # torch's counter knows no fused attention of CPUs and would count nothing for it
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        work()
    return int(counter.get_total_flops())
