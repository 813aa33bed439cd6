"""A million synthetic pairs through the workflow's own rules (`make million`): speed, memory, disk and drops by step.

Snakemake runs in runs/million/ what leads from installed code to the training grids: first a quarter of the pairs, then
all of them, from the same snippets and in shards of the same size, so that both peaks of a step show whether its memory
depends on the number of pairs. Takes some 10 minutes of two cores, 4 GB and 3 GB of disk; CORES are all cores but where
--cores says. Writes runs/million/million.json and prints a table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from watch import Seen, Watch

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
FOLDER = ROOT / "runs" / "million"
SIZES = {"quarter": [HERE / "million.yaml", HERE / "quarter.yaml"], "million": [HERE / "million.yaml"]}
STEPS = ("mutate", "mutate, workers", "build_pairs", "encode_shard", "grid_manifest")
BEFORE = ("collect_installed", "clean_snippets", "train_tokenizer")
"""Steps that end before there are pairs: they are run once, for the quarter."""


def step_of(seen: Seen) -> str:
    """The rule that a process belongs to."""
    command = " ".join(seen.command)
    if "ctm.bugs.worker" in command:
        return "mutate, workers"
    # a shell that starts a program names it too, but starts with its own name
    program = re.search(r"^\S*python\S* \S*workflow/scripts/(\w+)\.py", command)
    return program[1] if program else "snakemake"


def run(configs: list[Path], cores: int) -> tuple[float, list[Seen]]:
    """(seconds, processes) of the workflow with these configs laid over the demo's."""
    base = [ROOT / "config" / "config.yaml", ROOT / "config" / "demo.yaml"]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [
        sys.executable, "-m", "snakemake", "results/grids/train/manifest.json", "results/pairs/counts.json",
        "--snakefile", ROOT / "Snakefile", "--directory", FOLDER, "--cores", str(cores),
        "--configfile", *base, *configs, "--quiet", "rules", "progress",
    ]  # fmt: skip
    started = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), env={**os.environ, "PYTHONPATH": path})
    with Watch(process.pid) as watch:
        if process.wait():
            sys.exit(f"the workflow failed, see above and {FOLDER / 'logs'}")
    return time.monotonic() - started, list(watch.seen.values())


def results() -> dict[str, Any]:
    """Pairs after each step, what was dropped and why, and bytes on disk, as the files say."""
    import pyarrow.parquet as pq

    place = FOLDER / "results"
    grids = FOLDER / "results" / "grids" / "train"
    shards = [shard["sidecar"] for shard in json.loads((grids / "manifest.json").read_text())["shards"]]
    sidecars = [grids / shard["path"] for shard in shards]
    mutants = _shards(place / "mutants", 16)
    dropped: Counter[str] = Counter()
    for path in [
        *_shards(place / "mutants", 16, ".rejects"), place / "pairs" / "rejects.parquet",
        *(path.with_name(f"{path.stem}.rejects.parquet") for path in sidecars),
    ]:  # fmt: skip
        table = pq.read_table(path, columns=["step", "reason"])
        dropped.update(
            map(": ".join, zip(*(table[name].to_pylist() for name in table.column_names), strict=True))
        )
    return {
        "snippets": pq.read_metadata(place / "clean" / "snippets.parquet").num_rows,
        "mutants": sum(pq.read_metadata(path).num_rows for path in mutants),
        "training pairs": pq.read_metadata(place / "pairs" / "train.parquet").num_rows,
        "encoded": sum(pq.read_metadata(path).num_rows for path in sidecars),
        "dropped": dict(dropped.most_common()),
        "bytes": {
            "mutants": sum(path.stat().st_size for path in mutants),
            "pairs": (place / "pairs" / "train.parquet").stat().st_size,
            "grids": sum(path.with_suffix(".zarr.zip").stat().st_size for path in sidecars),
            "sidecars": sum(path.stat().st_size for path in sidecars),
        },
    }


def _shards(folder: Path, count: int, suffix: str = "") -> list[Path]:
    return sorted(folder.glob(f"[0-9][0-9]-of-{count}{suffix}.parquet"))


def by_step(processes: list[Seen]) -> dict[str, dict[str, float]]:
    """Number of processes, their processor time together, and the largest peak among them."""
    steps: dict[str, list[Seen]] = defaultdict(list)
    for process in processes:
        steps[step_of(process)].append(process)
    return {
        name: {
            "processes": len(found),
            "seconds": round(sum(process.seconds for process in found), 1),
            "peak_mb": round(max(process.peak_mb for process in found), 1),
        }
        for name, found in steps.items()
    }


def table(report: dict[str, Any]) -> str:
    """Rate and peak of each step at both sizes, as Markdown."""
    sizes = [report[name] for name in SIZES]
    lines = [
        "| step | pairs | processor time | pairs/s of a core | largest process, "
        + ", ".join(f"{size['encoded']:,} pairs" for size in sizes) + " |",
        "|---|---|---|---|---|",
    ]  # fmt: skip
    whole = sizes[-1]
    counts = {"mutate": "mutants", "mutate, workers": "mutants", "build_pairs": "mutants"}
    for step in (*BEFORE, *STEPS):
        peaks = [f"{size['steps'][step]['peak_mb']:.0f} MB" for size in sizes if step in size["steps"]]
        found = next((size["steps"][step] for size in reversed(sizes) if step in size["steps"]), None)
        if found is None:
            continue
        number = whole[counts.get(step, "encoded")] if step in STEPS else 0
        rate = f"{number / found['seconds']:,.0f}" if number and found["seconds"] else ""
        lines.append(
            f"| `{step}` | {number or '':,} | {found['seconds']:.0f} s | {rate} | {', '.join(peaks)} |"
            if number
            else f"| `{step}` | | {found['seconds']:.0f} s | | {', '.join(peaks)} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    cores = parser.parse_args().cores
    FOLDER.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"cores": cores, "python": platform.python_version()}
    for name, configs in SIZES.items():
        load = os.getloadavg()[0]
        seconds, processes = run(configs, cores)
        steps = by_step(processes)
        report[name] = {
            "seconds": round(seconds, 1),
            "load before and after": [round(load, 1), round(os.getloadavg()[0], 1)],
            "steps": steps,
            **results(),
        }
        (FOLDER / "million.json").write_text(json.dumps(report, indent=1) + "\n")
        print(json.dumps(report[name], indent=1), flush=True)
    print(table(report))


if __name__ == "__main__":
    main()
