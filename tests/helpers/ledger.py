"""Ledgers written by hand: single lines and parts of lineages, and a run of eight jobs.

The run has clean code, two sources of fixes, a mutant, sets and a model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ctm.files import write_json
from ctm.pairs.record import Origin, Pair, Snippet, make_pair, make_snippet, write_pairs, write_snippets
from ctm.pipeline import lineage_records
from ctm.pipeline.ledger import DONE, FAILED, FOLDER, LEDGER, REFUSED, file_of
from ctm.pipeline.provenance import write_provenance
from helpers.fake_checkout import ROOT

SESSION = "5e" * 16
KIT_SUM, FLASK_OLD, FLASK_NEW = "a" * 64, "b" * 64, "c" * 64
CORPUS = f"name,version,sha256,file\nkit,1.2,{KIT_SUM},kit-1.2.tar.gz\n"
PINS = f"name,version,sha256\nflask,2.0.0,{FLASK_OLD}\nflask,2.0.1,{FLASK_NEW}\n"
COMMIT = "f" * 40

CLEAN_CODE = "def mean(values):\n    return sum(values) / len(values)"
KIT = Origin(
    project="kit", path="kit/mean.py", qualname="mean", line=7, version_to="1.2", url="pkg:pypi/kit@1.2",
    license="MIT", license_source="METADATA License",
)  # fmt: skip


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
    folder = run / lineage_records.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**parts, "step": step, "lineage": lineage})
    (folder / f"{lineage[: lineage_records.DIGITS]}.json").write_text(text, encoding="utf-8")


def snippet() -> Snippet:
    return make_snippet(CLEAN_CODE, "function", "kit", KIT, "train")


def mutant() -> Pair:
    """A made bug."""
    return make_pair(
        CLEAN_CODE.replace(":\n", "\n"), CLEAN_CODE, category="syntax", kind="missing_colon", source="mutation",
        split="train", group="kit", origin=KIT,
    )  # fmt: skip


def release() -> Pair:
    """A fix between two releases."""
    origin = Origin(
        project="flask", path="flask/app.py", line=3, version_from="2.0.0", version_to="2.0.1",
        url="pkg:pypi/flask@2.0.1", license="BSD-3-Clause", license_source="METADATA License",
    )  # fmt: skip
    return make_pair(
        "x = 1", "x = 2", category="logic", kind="release", source="release", split="test", group="flask",
        origin=origin,
    )  # fmt: skip


def commit() -> Pair:
    """A fix in a git history."""
    origin = Origin(
        project="some-kit", path="some/kit.py", line=12, commit=COMMIT, parent="e" * 40,
        url=f"https://example.org/some-kit/commit/{COMMIT}", license="Apache-2.0", license_source="LICENSE",
        date="2021-03-04",
    )  # fmt: skip
    return make_pair(
        "y = 1", "y = 2", category="logic", kind="commit", source="commit", split="train", group="some-kit",
        origin=origin,
    )  # fmt: skip


def make_ledger_run(root: Path) -> Path:
    """Write `root`/checkout (its pinned lists) and the run `root`/demo; returns the run."""
    checkout, run = root / "checkout", root / "demo"
    for name, text in {"corpus.csv": CORPUS, "releases.csv": PINS}.items():
        path = checkout / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    results = run / "results"
    write_snippets(results / "raw/packages/01-of-01.parquet", [snippet()])
    write_pairs(results / "raw/releases/01-of-01.parquet", [release()])
    write_pairs(results / "raw/commits/01-of-01.parquet", [commit()])
    write_snippets(results / "clean/snippets.parquet", [snippet()])
    write_pairs(results / "mutants/01-of-01.parquet", [mutant()])
    write_pairs(results / "pairs/train.parquet", [mutant(), commit()])
    write_pairs(results / "pairs/test.parquet", [release()])
    write_text_file(results / "checkpoints/stage1.safetensors", "weights")
    write_text_file(results / "final/ctm.onnx", "model")
    for rule, inputs, outputs, parts in JOBS:
        add(run, rule, inputs, outputs, parts)
    add(run, "bundle", ["checkpoints/stage1.safetensors"], [], {}, status=FAILED)
    write_json(
        run / FOLDER / "sessions" / f"{SESSION}.json",
        {
            "session": SESSION, "started": "2026-11-29T09:59:59Z", "host": "vm", "config_files": ["config/config.yaml"],
            "command": "snakemake all --directory /home/somebody/runs/demo --cores 2",
            "code": {"commit": "9" * 40, "dirty": True, "diff": "-a\n+b"},
            "environment": {
                "python": "3.11.7", "platform": "Linux", "processor": "A processor", "cores": 2, "memory_gb": 8.0,
                "accelerator": "2 x An accelerator", "driver": None,
                "packages": {"snakemake": "9.27.0", "torch": "2.13.0"},
            },
        },
    )  # fmt: skip
    return run


def provenance_of(run: Path) -> Path:
    """The provenance page of a run, made as its rule makes it."""
    pytest.importorskip(
        "rocrate", reason="the crate is made with rocrate, which the pipeline's environment has"
    )
    folder = run / FOLDER
    page, workflow = folder / "provenance.html", folder / "Snakefile"
    write_provenance(
        run,
        page,
        folder / "provenance.md",
        run / "results/ro-crate-metadata.json",
        ROOT / "Snakefile",
        workflow,
    )
    return page


def write_text_file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def lineage_of(rule: str) -> str:
    return hashlib.sha256(rule.encode()).hexdigest()


def add(
    run: Path,
    rule: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    parts: Mapping[str, Any],
    status: str = DONE,
    reason: str | None = None,
) -> None:
    """One more line of the ledger, a minute after the one before, and the parts of its lineage."""
    ledger = run / LEDGER
    number = len(ledger.read_text().splitlines()) if ledger.exists() else 0
    lineage = lineage_of(rule)
    files = {
        key: [asdict(file_of(run / "results" / name, run)) for name in names]
        for key, names in (("inputs", inputs), ("outputs", outputs))
    }
    line = row(
        rule, lineage, job=f"{number:032x}", session=SESSION, wildcards=["01-of-01"] if "raw" in str(outputs) else [],
        status=status, exit={DONE: 0, FAILED: 137, REFUSED: 65}[status], reason=reason,
        started=f"2026-11-29T10:{number:02d}:00.000Z", ended=f"2026-11-29T10:{number:02d}:10.500Z", host="vm",
        command=["/home/somebody/bin/python", f"/home/somebody/workflow/scripts/{rule}.py", "--cores", "2"],
        declared={"threads": 2, "mem_gb": 3, "vram": 0, "disk": "low"},
        used={} if status == REFUSED else {"seconds": 10.5, "cpu_seconds": 20.0, "memory_gb": 0.5, "vram_gb": None,
                                           "energy": None},
        **files,
    )  # fmt: skip
    write_rows(run, [line])
    write_parts(
        run, rule, lineage, {"config": {}, "code": {rule: "0" * 64}, "files": {}, "parents": {}, **parts}
    )


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


JOBS: tuple[tuple[str, list[str], list[str], dict[str, Any]], ...] = (
    (
        "collect_packages", [], ["raw/packages/01-of-01.parquet"],
        {"files": {"config/corpus.csv": _sum(CORPUS)}, "config": {"sources.packages": {"seed": 5}}},
    ),
    ("collect_releases", [], ["raw/releases/01-of-01.parquet"], {"files": {"config/releases.csv": _sum(PINS)}}),
    ("collect_commits", [], ["raw/commits/01-of-01.parquet"], {}),
    ("clean_snippets", ["raw/packages/01-of-01.parquet"], ["clean/snippets.parquet"], {}),
    ("mutate", ["clean/snippets.parquet"], ["mutants/01-of-01.parquet"], {"config": {"bugs": {"seed": 3}}}),
    (
        "build_pairs",
        ["mutants/01-of-01.parquet", "raw/releases/01-of-01.parquet", "raw/commits/01-of-01.parquet"],
        ["pairs/train.parquet", "pairs/test.parquet"],
        {},
    ),
    ("train_stage1", ["pairs/train.parquet"], ["checkpoints/stage1.safetensors"], {}),
    ("bundle", ["checkpoints/stage1.safetensors", "pairs/test.parquet"], ["final/ctm.onnx"], {}),
)  # fmt: skip
"""Rule, inputs and outputs below results/, and parts of the lineage."""
