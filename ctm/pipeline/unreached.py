"""Tells at the end of a run which sources were out of reach, and how they are asked again.

They end no job, since thousands of others have come; but what is not asked again stays missing in every later run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pyarrow.compute as pc

from ctm.parquet import read_parquet
from ctm.sources.files import OUT_OF_REACH

SHOWN = 5
"""Sources of a step that are named."""


def find(run: Path) -> list[tuple[str, str, str]]:
    """Step, source and why of what was out of reach; files that cannot be read are others' to tell of."""
    found: list[tuple[str, str, str]] = []
    for path in sorted((run / "results" / "raw").glob("*/*.rejects.parquet")):
        try:
            table = read_parquet(path, ["step", "item", "detail", "reason"])
        except (OSError, ValueError):
            continue
        missed = table.filter(pc.equal(table["reason"], OUT_OF_REACH))
        found += zip(*(missed[name].to_pylist() for name in ("step", "item", "detail")), strict=True)
    return found


def lines(run: Path) -> list[str]:
    """What is said of them; nothing where all were reached."""
    return list(_lines(find(run)))


def _lines(found: Iterable[tuple[str, str, str]]) -> Iterable[str]:
    steps: dict[str, list[tuple[str, str]]] = {}
    for step, source, why in found:
        steps.setdefault(step, []).append((source, why))
    for step, missed in steps.items():
        yield f"{len(missed):,} source{'s' * (len(missed) != 1)} out of reach, missing in the data:"
        yield from (f"  {source}: {why}" for source, why in missed[:SHOWN])
        if len(missed) > SHOWN:
            yield f"  and {len(missed) - SHOWN:,} more (the report's section on what was dropped has all)"
        yield f"  to ask again: the same command with --forcerun {step}"


def tell(run: Path, bucket: str | None = None) -> None:
    """Print it on standard error; of results in a bucket, that nobody has looked."""
    elsewhere = f"Which sources were out of reach is not looked up in {bucket}; the report's section on rejects says it"
    for line in [elsewhere] if bucket else lines(run):
        print(line, file=sys.stderr)
