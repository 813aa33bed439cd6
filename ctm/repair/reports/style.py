"""Colors of a terminal, by the codes that every one knows."""

from __future__ import annotations

BOLD, RED, GREEN, CYAN = "1", "31", "32", "36"


def painted(text: str, color: str) -> str:
    """The text in a color; it must be one line without control characters."""
    return f"\x1b[{color}m{text}\x1b[0m"
