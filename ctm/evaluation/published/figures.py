"""Figures that others published, to be shown beside ours: nothing of them was run here."""

from __future__ import annotations

from pathlib import Path

from ctm.strict_yaml import read_mapping

FIELDS = ("system", "parameters", "measure", "figure", "source")


def read_published(path: Path) -> dict[str, list[dict[str, str]]]:
    """Rows by suite, each with FIELDS as text ("" for what is not said). Raises ValueError for other keys."""
    document = read_mapping(path)
    found: dict[str, list[dict[str, str]]] = {}
    for suite, rows in document.values.items():
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError(
                f"{document.at((suite,))}: {suite}: expected a list of rows, such as - {{system: …}}"
            )
        for row in rows:
            if unknown := set(row) - set(FIELDS):
                raise ValueError(
                    f"{document.at((suite,))}: {suite}: unknown key {min(unknown)!r}; the keys are {', '.join(FIELDS)}"
                )
            found.setdefault(suite, []).append({name: str(row.get(name, "")) for name in FIELDS})
    return found
