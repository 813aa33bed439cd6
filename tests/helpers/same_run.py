"""Two finished runs compared: artifacts by their bytes, and by their figures where they tell how long things took."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ctm.files import SUMS

TIMED = (
    "seconds", "hours", "samples_per_second", "unique_samples_per_second", "items_per_hour", "train_samples_per_second",
    "machine", "items_per_second", "milliseconds", "latency", "started", "ended", "time", "process, peak",
)  # fmt: skip
"""Keys of JSON whose values no two runs share."""
PAGES = (".html", ".md", ".png", ".gif")
"""Pages and pictures repeat those values in words; their figures are compared in the JSON that they are made of."""


VIEWS = ("results/provenance/", "results/dashboard/")
"""Folders of what says how a run went: no rule's output, and of each run its own."""


def differences(one: Path, two: Path) -> tuple[list[str], dict[str, int]]:
    """Paths of artifacts that differ between two run folders, and how many were compared in which way."""
    ways = {"bytes": 0, "figures": 0, "pages, not compared": 0}
    files = [_artifacts(run) for run in (one, two)]
    differ = [f"{path}: only in one of the runs" for path in sorted(files[0] ^ files[1])]
    for path in sorted(files[0] & files[1]):
        if sha256(one / path) == sha256(two / path):
            ways["bytes"] += 1
        elif Path(path).suffix in PAGES or Path(path).name == SUMS:  # of files that are compared themselves
            ways["pages, not compared"] += 1
        elif Path(path).suffix in (".json", ".jsonl"):
            ways["figures"] += 1
            if _figures(one / path) != _figures(two / path):
                differ.append(path)
        else:
            differ.append(path)
    return differ, ways


def _artifacts(run: Path) -> set[str]:
    results = run / "results"
    found = {path.relative_to(run).as_posix() for path in results.rglob("*") if path.is_file()}
    # curves for TensorBoard are named by time and process; metrics.jsonl has their figures
    return {path for path in found if not path.startswith(VIEWS) and "tfevents" not in path}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _figures(path: Path) -> list[Any]:
    lines = (
        path.read_text(encoding="utf-8").splitlines()
        if path.suffix == ".jsonl"
        else [path.read_text(encoding="utf-8")]
    )
    return [_untimed(json.loads(line)) for line in lines]


def _untimed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _untimed(item) for key, item in value.items() if key not in TIMED}
    return [_untimed(item) for item in value] if isinstance(value, list) else value
