"""How pages and tables show shares: as percent, and "-" where nothing was measured."""

from __future__ import annotations

from collections.abc import Sequence

COLUMNS = ("syntax", "logic", "security", "complex", "overall", "clean")
"""What tables of figures by category show, in their order."""


def percent(value: float | None) -> str:
    """A share as percent, "12.3%"."""
    return "-" if value is None else f"{value:.1%}"


def percents(ends: Sequence[float] | None, sign: str = "") -> str:
    """An interval as percent, "12.3 to 45.6", with `sign` behind it."""
    return "-" if ends is None else f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}{sign}"
