"""A million synthetic pairs through the workflow's own rules (`make million`): speed, memory, disk and drops by step.

Snakemake runs in runs/million/ what leads from pinned packages to the training grids: first a quarter of the pairs,
then all of them, from the same snippets and in shards of the same size, so that both peaks of a step show whether its
memory depends on the number of pairs. Takes 11 to 20 minutes of two cores, 1 GB of memory and 0.6 GB of disk. Writes
runs/million/million.json and prints a table.
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
STEPS = {
    "collect_packages": "", "clean_snippets": "", "train_tokenizer": "", "balance_mix": "", "mutate": "mutants",
    "mutate, workers": "mutants", "build_pairs": "mutants", "encode_shard": "encoded", "grid_manifest": "",
}  # fmt: skip
"""Steps in order, and what of the results they work on; the first three are run once, for the quarter."""


def step_of(seen: Seen) -> str:
    """The rule that a process belongs to."""
    command = " ".join(seen.command)
    if "ctm.bugs.generation.worker" in command:
        return "mutate, workers"
    # a shell that starts a program names it too, but starts with its own name
    program = re.search(r"^\S*python\S* \S*workflow/scripts/(\w+)\.py", command)
    return program[1] if program else "shells"


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

    from ctm.parquet import read_parquet

    place = FOLDER / "results"
    grids = FOLDER / "results" / "grids" / "train"
    shards = [
        shard["sidecar"]
        for shard in json.loads((grids / "manifest.json").read_text(encoding="utf-8"))["shards"]
    ]
    sidecars = [grids / shard["path"] for shard in shards]
    mutants = _shards(place / "mutants")
    dropped: Counter[str] = Counter()
    for path in [
        *_shards(place / "mutants", ".rejects"), place / "pairs" / "rejects.parquet",
        *(path.with_name(f"{path.stem}.rejects.parquet") for path in sidecars),
    ]:  # fmt: skip
        table = read_parquet(path, ["step", "reason"])
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


def _shards(folder: Path, suffix: str = "") -> list[Path]:
    return sorted(path for path in folder.glob(f"*{suffix}.parquet") if suffix or ".rejects" not in path.name)


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
    """Rate of each step and its peak at both sizes, as Markdown."""
    sizes = [report[name] for name in SIZES]
    peaks = " | ".join(f"largest process, {size['encoded']:,} pairs" for size in sizes)
    lines = [f"| step | pairs | processor time | pairs/s of a core | {peaks} |", "|---|---|---|---|---|---|"]
    for step, counted in STEPS.items():
        found = [size["steps"].get(step) for size in sizes]
        if not any(found):
            continue
        seconds = next(entry["seconds"] for entry in reversed(found) if entry)
        number = sizes[-1].get(counted, 0)
        cells = [
            f"`{step}`",
            f"{number:,}" if number else "",
            f"{seconds:.0f} s",
            f"{number / seconds:,.0f}" if number else "",
            *(f"{entry['peak_mb']:.0f} MB" if entry else "" for entry in found),
        ]
        lines.append(f"| {' | '.join(cells)} |")
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
        (FOLDER / "million.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        print(json.dumps(report[name], indent=1), flush=True)
    print(table(report))


if __name__ == "__main__":
    main()
