"""A ledger written by hand for a run that is built: what the jobs themselves would have written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ctm.pipeline.config import read_config
from ctm.pipeline.ledger import LEDGER
from ctm.pipeline.lineage import Lineage
from ctm.pipeline.lineage_records import DIGITS, FOLDER
from ctm.pipeline.planned import plan


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


def write_ledger(root: Path, run: Path, files: Sequence[Path]) -> None:
    """The ledger and the lineages of a run that is built and up to date. root: its checkout. files: its config."""
    lineage = Lineage(read_config(files), root)
    rows = []
    for job in plan(files, root, run, ["all"]):
        mine = lineage.of(job.rule)
        write_parts(run, job.rule, mine, lineage.parts(job.rule))
        read, made = ([_file(run, path) for path in paths] for paths in (job.inputs, job.outputs))
        rows.append(row(job.rule, mine, wildcards=list(job.wildcards), inputs=read, outputs=made))
    write_rows(run, rows)


def _file(run: Path, path: str) -> dict[str, Any]:
    content = (run / path).read_bytes()
    return {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
