"""The change of a file as a unified diff."""

from __future__ import annotations

import difflib

from ctm.repair.fixed import Fixed


def unified_diff(fixed: Fixed, name: str) -> str:
    """The change as `patch` reads it, "" without one; line ends are those of the file."""
    old, new = (
        [line + end for line, end in zip(item.lines, item.ends, strict=True) if line or end]
        for item in (fixed.before, fixed.after)
    )
    out: list[str] = []
    for line in difflib.unified_diff(old, new, name, name):
        out.append(line)
        if not line.endswith(("\n", "\r")):
            out.append("\n\\ No newline at end of file\n")
    return "".join(out)
