"""Figures that others published, to be shown beside ours: nothing of them was run here."""

from __future__ import annotations

from pathlib import Path

import yaml

FIELDS = ("system", "parameters", "measure", "figure", "source")


def read_published(path: Path) -> dict[str, list[dict[str, str]]]:
    """Rows by suite, each with FIELDS as text ("" for what is not said). Raises ValueError for other keys."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    found: dict[str, list[dict[str, str]]] = {}
    for suite, rows in content.items():
        for row in rows:
            if unknown := set(row) - set(FIELDS):
                raise ValueError(
                    f"{path}: {suite}: unknown key {min(unknown)!r}; the keys are {', '.join(FIELDS)}"
                )
            found.setdefault(suite, []).append({name: str(row.get(name, "")) for name in FIELDS})
    return found
