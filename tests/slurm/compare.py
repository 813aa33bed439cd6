"""What two runs of the same config have in common: every byte but times, and names of the runs themselves.

Weights, shards and the exported model have to be the same bytes. Of the JSON beside them each field is compared by
itself, and only fields that measure time or the machine may differ. Pages, pictures and the records of the runs
(ledger, sessions, crate, dashboard) repeat such figures and are only counted.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OF_THE_RUN = re.compile(
    r"\.(html|md|png|gif)$|\.events/|/(dashboard|sessions)/|(ledger\.jsonl|ro-crate-metadata\.json|SHA256SUMS)$"
)
"""Files that repeat times or name the run; SHA256SUMS has the sums of such files."""
FIELDS = re.compile(r"\.jsonl?$")
MEASURED = re.compile(
    r"hours$|per_hour$|seconds?$|\.time$|\.machine\.|\.forward_ms_|\.memory\.|criteria\[\]\.found|targets\[\]\.value"
    r"|croissant\.json \.name"
)
"""Fields that may differ: times, speeds, memory, criteria of speed, and the data set's name, which is the folder's."""


def compared(one: Path, two: Path) -> dict[str, list[str]]:
    """Paths of results that are the same in two runs' folders, or not, by the reason.

    "differ" is what should be empty: a path, or path and field.
    """
    a, b = _sums(one), _sums(two)
    found: dict[str, list[str]] = {"same": [], "of the run": [], "measured": [], "differ": []}
    for path in sorted(a.keys() | b.keys()):
        if OF_THE_RUN.search(path):
            found["same" if a.get(path) == b.get(path) else "of the run"].append(path)
        elif a.get(path) == b.get(path):
            found["same"].append(path)
        elif path in a and path in b and FIELDS.search(path):
            fields = {f"{path} {field}" for field in _differing(_read(one / path), _read(two / path))}
            found["measured" if fields else "differ"].append(path)
            found["differ"] += sorted(field for field in fields if not MEASURED.search(field))
        else:
            found["differ"].append(path)
    return found


def _sums(folder: Path) -> dict[str, str]:
    """sha256 of every result, by its path."""
    files = sorted(path for path in (folder / "results").rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def _read(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)


def _differing(a: Any, b: Any, name: str = "") -> Iterator[str]:
    """Names of the fields in which two values differ; one name for all entries of a list."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in a.keys() | b.keys():
            yield from _differing(a.get(key), b.get(key), f"{name}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for x, y in zip(a, b, strict=True):
            yield from _differing(x, y, f"{name}[]")
    elif a != b:
        yield name
