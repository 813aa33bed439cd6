"""The ledger of a run: one line of JSON for each attempt at a job, in results/provenance/ledger.jsonl.

Stands in for the real one, which has the same names.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
LEDGER = Path("results/provenance/ledger.jsonl")


@dataclass(frozen=True)
class File:
    """A file that a job read or wrote."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Entry:
    """One attempt at a job."""

    rule: str
    wildcards: tuple[str, ...]
    lineage: str
    status: str
    exit: int
    started: str
    ended: str
    log: str
    inputs: tuple[File, ...]
    outputs: tuple[File, ...]
    declared: Mapping[str, Any] = field(default_factory=dict)
    used: Mapping[str, Any] = field(default_factory=dict)


def read(run: Path) -> list[Entry]:
    """All attempts of a run, oldest first; empty where there is no ledger."""
    path = run / LEDGER
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            log.warning("%s: a torn line is left out", path)
            continue
        files = {name: tuple(File(**one) for one in row[name]) for name in ("inputs", "outputs")}
        names = ("rule", "lineage", "status", "exit", "started", "ended", "log", "declared", "used")
        entries.append(Entry(**{n: row[n] for n in names}, wildcards=tuple(row["wildcards"]), **files))
    return entries


def latest(entries: Iterable[Entry]) -> dict[str, Entry]:
    """The attempt that made each output, by its path."""
    return {file.path: entry for entry in entries if entry.status == "done" for file in entry.outputs}
