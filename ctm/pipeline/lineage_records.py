"""What lineages of the past were made of: results/provenance/lineage/ of a run, a file a lineage.

A file is named after the first 16 digits of its lineage and holds `Lineage.parts` with the step's name, so that two
lineages can be compared part by part: keys of the config, modules of code, files of the checkout, parents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctm.pipeline import ledger

FOLDER = ledger.FOLDER / "lineage"
DIGITS = 16
"""Digits of a lineage that name its file."""
LONGEST = 60
"""Characters of a value that are shown."""

Parts = Mapping[str, Mapping[str, Any]]
"""What a lineage is made of: "config", "code", "files", "large_files", "parents" and "threads", each by name."""


class RecordError(ValueError):
    """A lineage that is not on record, or not one alone; the message says where was looked and what is there."""


@dataclass(frozen=True)
class Difference:
    """What one part of a lineage was, and what it is; None where it was or is not there."""

    kind: str
    """"config", "code", "files", "large_files", "parents" or "threads"."""
    name: str
    before: Any
    after: Any

    @property
    def text(self) -> str:
        """In words, such as "training.ema: 0.0 → 0.9"."""
        if self.kind == "config":
            return f"{self.name}: {_value(self.before)} → {_value(self.after)}"
        if self.kind == "threads":
            return f"resources.{self.name}.threads: {_value(self.before)} → {_value(self.after)}"
        what = {"code": "code", "files": "file", "large_files": "file", "parents": "parent"}.get(
            self.kind, self.kind
        )
        how = "is new" if self.before is None else "is gone" if self.after is None else "changed"
        return f"{what} {self.name} {how}"


def read_parts(run: Path, lineage: str) -> Parts | None:
    """What a lineage of a run was made of; None where it is not on record."""
    path = run / FOLDER / f"{lineage[:DIGITS]}.json"
    return _read(path) if path.is_file() else None


def find(run: Path, prefix: str) -> tuple[str, Parts]:
    """Step and parts of the one lineage on record that begins with `prefix`. Raises RecordError."""
    found = sorted((run / FOLDER).glob(f"{prefix[:DIGITS]}*.json")) if prefix.isalnum() else []
    if len(found) != 1:
        many = f"{len(found)} lineages begin with that: {', '.join(path.stem for path in found[:4])}"
        raise RecordError(f"{prefix}: {many if found else f'no such lineage in {run / FOLDER}'}")
    whole = json.loads(found[0].read_text(encoding="utf-8"))
    return whole["step"], _read(found[0])


def _read(path: Path) -> Parts:
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordError(f"{path}: damaged ({error}); delete it, the next run writes it again") from None
    return {kind: part for kind, part in whole.items() if isinstance(part, Mapping)}


def changes(before: Parts, after: Parts) -> list[Difference]:
    """In what two lineages differ, the config's keys first and parents last; empty where they are the same."""
    found: list[Difference] = []
    for kind in dict.fromkeys(["config", *after, *before]):
        old, new = (dict(_leaves(kind, parts.get(kind, {}))) for parts in (before, after))
        found += [
            Difference(kind, name, old.get(name), new.get(name))
            for name in dict.fromkeys([*new, *old])
            if old.get(name) != new.get(name)
        ]
    return sorted(found, key=lambda change: change.kind == "parents")


def _leaves(kind: str, part: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Single values of a part by name: of the config each key by its whole path ("training.*" is all of training)."""
    for key, value in part.items():
        path = f"{above}{key}".removesuffix(".*")
        if kind == "config" and isinstance(value, Mapping) and value:
            yield from _leaves(kind, value, f"{path}.")
        else:
            yield path, value


def _value(value: Any) -> str:
    """A value of the config as it is written there."""
    if value is None:
        return "null"
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
