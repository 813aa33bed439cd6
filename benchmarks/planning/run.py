"""How long Snakemake plans this workflow, by the number of shards, and what an up-to-date plan costs at full scale.

    python benchmarks/planning/run.py            # full scale, and 100, 1,000 and 5,000 shards of each step that has any
    python benchmarks/planning/run.py --profile  # and where the time of the up-to-date plan goes

Nothing of the workflow is run. For each size a folder is planned empty; then every output is made as a file of a few
bytes with Snakemake's own record and a line of the ledger, as if it had been built, and the folder is planned again.
Prints a table; processor time counts on a machine that does other work.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import pstats
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    ExecutionSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
)

from ctm.pipeline.ledger import DONE, Entry, File, append

ROOT = Path(__file__).resolve().parents[2]
TARGET = "all"


def overlay(shards: int | None) -> dict[str, Any]:
    """Full scale, or every step that has shards with this many."""
    if shards is None:
        return {}
    return {
        "sources": {name: {"shards": shards} for name in ("packages", "releases", "commits")},
        "bugs": {"shards": shards},
        "grids": {"train_shards": shards},
    }


def plan(run: Path, overlays: list[Path]) -> dict[str, float]:
    """Wall and processor seconds of `snakemake all -n`, its peak memory in MB, and the jobs that it plans."""
    command = [sys.executable, "-m", "snakemake", TARGET, "-n", "--directory", str(run), "--cores", "24"]
    command += ["--quiet", "rules", "--configfile", *map(str, [ROOT / "config/config.yaml", *overlays])]
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(said)
    lines = [line.split() for line in said.splitlines()]
    total = next((int(words[1]) for words in lines if words[:1] == ["total"]), 0)
    return {
        "jobs": total, "wall s": time.monotonic() - started, "processor s": used.ru_utime + used.ru_stime,
        "memory MB": used.ru_maxrss / 1024,
    }  # fmt: skip


def built(run: Path, overlays: list[Path]) -> None:
    """Make every output of the plan, with Snakemake's record and a line of the ledger."""
    run.mkdir(parents=True, exist_ok=True)
    before = Path.cwd()
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        dag_api = api.workflow(
            resource_settings=ResourceSettings(cores=24),
            config_settings=ConfigSettings(configfiles=[ROOT / "config/config.yaml", *overlays]),
            snakefile=ROOT / "Snakefile",
            workdir=run,
        ).dag(DAGSettings(targets={TARGET}))
        workflow = dag_api.workflow_api._workflow
        workflow._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True)
        workflow._build_dag()
        workflow.execution_settings = ExecutionSettings()
        for level in workflow.dag.toposorted():
            for job in level:
                for path in map(Path, job.output):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(str(path))
                if job.output:
                    workflow.async_run(workflow.persistence.finished(job))
                    append(Path(), entry(job))
    os.chdir(before)


def entry(job: Any) -> Entry:
    """The line of the ledger that a job would have written."""

    def seen(paths: Any) -> tuple[File, ...]:
        return tuple(
            File(str(path), hashlib.sha256(str(path).encode()).hexdigest(), len(str(path))) for path in paths
        )

    return Entry(
        job=f"{job.jobid:032x}", session=None, rule=job.rule.name, wildcards=tuple(job.wildcards),
        lineage=job.params.lineage, status=DONE, exit=0, started="2026-11-29T10:00:00.000Z",
        ended="2026-11-29T10:00:01.000Z", host="host", command=tuple(str(job.shellcmd).split()), log=None,
        inputs=seen(job.input), outputs=seen(job.output), declared={},
    )  # fmt: skip


def profiled(run: Path, overlays: list[Path]) -> str:
    """The functions in which the time of a plan goes, as cProfile has them."""
    out = run / "plan.profile"
    command = [
        sys.executable,
        "-m",
        "cProfile",
        "-o",
        str(out),
        "-m",
        "snakemake",
        TARGET,
        "-n",
        "--quiet",
        "rules",
    ]
    command += ["--directory", str(run), "--cores", "24", "--configfile"]
    command += map(str, [ROOT / "config/config.yaml", *overlays])
    subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True
    )
    with open(run / "profile.txt", "w") as text:
        pstats.Stats(str(out), stream=text).sort_stats("cumulative").print_stats(70)
    return (run / "profile.txt").read_text()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shards", type=int, nargs="*", default=[100, 1000, 5000])
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    print("| size | jobs | plan of an empty folder: wall, processor, memory | plan of a finished one |")
    print("|---|---|---|---|")
    for shards in (None, *given.shards):
        with tempfile.TemporaryDirectory() as name:
            run, file = Path(name) / "run", Path(name) / "overlay.yaml"
            run.mkdir()
            file.write_text(yaml.safe_dump(overlay(shards)))
            overlays = [file] if shards else []
            empty = plan(run, overlays)
            built(run, overlays)
            again = plan(run, overlays)
            cells = [
                f"{one['wall s']:.1f} s, {one['processor s']:.1f} s, {one['memory MB']:.0f} MB"
                for one in (empty, again)
            ]
            left = f"; {again['jobs']:.0f} jobs would run" if again["jobs"] else ""
            size = f"{shards:,} shards" if shards else "full scale"
            print(f"| {size} | {empty['jobs']:,.0f} | {cells[0]} | {cells[1]}{left} |", flush=True)
            if given.profile and shards is None:
                print(profiled(run, overlays), file=sys.stderr)


if __name__ == "__main__":
    main()
