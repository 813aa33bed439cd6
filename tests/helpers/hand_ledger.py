"""Lines of a ledger and parts of lineages, written by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ctm.pipeline.ledger import LEDGER
from ctm.pipeline.lineage_records import DIGITS, FOLDER


def row(rule: str, lineage: str, **more: Any) -> dict[str, Any]:
    """A line of the ledger."""
    whole = {
        "format_version": 1, "job": "1a", "session": None, "rule": rule, "wildcards": [], "lineage": lineage,
        "status": "done", "exit": 0, "started": "2026-11-29T10:00:00.000Z", "ended": "2026-11-29T10:00:12.000Z",
        "host": "b", "command": ["python", f"workflow/scripts/{rule}.py"], "log": f"logs/{rule}.log",
        "inputs": [], "outputs": [],
        "declared": {"threads": 1, "mem_gb": 1, "vram": 0, "gpu_percent": 0, "runtime": 60, "disk": "low",
                     "network_mbps": 0},
        "used": {"seconds": 12.0, "cpu_seconds": 12.0, "memory_gb": 0.5, "vram_gb": None, "read_gb": 0.1,
                 "written_gb": 0.2, "network_gb": None, "energy": None},
    }  # fmt: skip
    return whole | more


def write_rows(run: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Append lines to the ledger of a run."""
    (run / LEDGER).parent.mkdir(parents=True, exist_ok=True)
    with (run / LEDGER).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(one) + "\n" for one in rows)


def write_parts(run: Path, step: str, lineage: str, parts: dict[str, Any]) -> None:
    """Put on record what a lineage is made of."""
    (run / FOLDER).mkdir(parents=True, exist_ok=True)
    text = json.dumps({**parts, "step": step, "lineage": lineage})
    (run / FOLDER / f"{lineage[:DIGITS]}.json").write_text(text, encoding="utf-8")
