"""Floating-point operations of matrix products, counted as torch runs them: the compute that models are compared at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class _Counter(TorchDispatchMode):
    """Adds up what torch's own formulas say of each operation.

    torch's `FlopCounterMode` besides follows which module runs, and fails on heads that are run without gradient.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if (formula := flop_registry.get(func._overloadpacket)) is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=out)
        return out


def count_flops(work: Callable[[], object]) -> int:
    """Operations of all matrix products in `work`, backward passes included; a multiply-add is two."""
    # there is no formula of CPUs' fused attention: it would count for nothing
    with _Counter() as counter, sdpa_kernel(SDPBackend.MATH):
        work()
    return int(counter.total)
