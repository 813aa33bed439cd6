"""The test config through a real SLURM of one node and through Snakemake alone: the same bits.

    sudo make test-slurm        # root, and Debian's slurmctld, slurmd, slurm-client and munge

1. `all` with profiles/slurm, where two trainers ask for 64 of 96 shards each, and the same locally: equal weights and
   artifacts, and at no time more shards in use than there are.
2. The last stage, made longer, is sent SIGTERM (what `--signal` and a preemption do) and later requeued by
   `scontrol requeue`; alone, it runs through: equal weights, no step trained twice where it was asked to stop.

Ends with status 1 where something differs. Takes minutes; its daemons end with it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from cluster import SHARDS, one_node

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ["config/config.yaml", "config/test.yaml"]
ASKING = {rule: {"vram": 64} for rule in ("train_stage1", "train_trm")}
"""Both train on the same grids, so they could run side by side; their vram forbids it."""
FIRST = {"machine": {"vram": SHARDS}, "resources": ASKING}
LAST = "results/checkpoints/stage4.safetensors"
LONGER = {**FIRST, "training": {"stages": {"stage4": {"epochs": 60}}}}
"""240 steps of stage 4, so that there is a middle to be stopped in."""
TIMED = re.compile(r"\.(html|md|json|jsonl|png|gif|pt)$|\.events/")
"""Files that hold times, paths or a picture of them; weights, shards and the exported model do not."""


class Queue:
    """A thread that reads the queue once a second: which rules run, how many shards they have, who waits and why."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.most_shards = 0
        self.waited: set[str] = set()
        self.jobs: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Queue:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def read(self) -> list[dict[str, str]]:
        """One entry a job: number, rule, state, shards, reason."""
        asked = ["squeue", "-h", "-t", "all", "-o", "%i|%k|%T|%b|%r"]
        told = subprocess.run(asked, env=self.environment, capture_output=True, text=True).stdout
        rows = [line.split("|") for line in told.splitlines() if line.count("|") == 4]
        return [
            {
                "number": number,
                "rule": comment.removeprefix("rule_").partition("_wildcards_")[0],
                "state": state,
                "shards": wanted.rpartition(":")[2] if "shard" in wanted else "0",
                "reason": reason,
            }
            for number, comment, state, wanted, reason in rows
        ]

    def _run(self) -> None:
        while not self._over.wait(1):
            jobs = self.read()
            in_use = sum(int(job["shards"]) for job in jobs if job["state"] in ("RUNNING", "COMPLETING"))
            self.most_shards = max(self.most_shards, in_use)
            self.jobs |= {job["number"] for job in jobs}
            self.waited |= {
                job["rule"] for job in jobs if job["state"] == "PENDING" and job["reason"] == "Resources"
            }


def snakemake(target: str, folder: Path, overlay: dict[str, Any], *more: str) -> list[str]:
    """The command of a run in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))
    command = [sys.executable, "-m", "snakemake", target, "--directory", str(folder), *more]
    return [*command, "--configfile", *CONFIGS, str(folder / "overlay.yaml")]


def finish(command: list[str], environment: dict[str, str], log: Path) -> float:
    """Run to the end; seconds. Exits with the end of its output where it fails."""
    started = time.monotonic()
    with open(log, "wb") as out:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\nfailed; the end of {log}:\n{log.read_text()[-6000:]}")
    return time.monotonic() - started


def sums(folder: Path) -> dict[str, str]:
    """sha256 of every result, by its path."""
    files = sorted(path for path in (folder / "results").rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def compared(one: Path, two: Path) -> dict[str, list[str]]:
    """Paths whose content is the same, differs, or is in one run only."""
    a, b = sums(one), sums(two)
    both = a.keys() & b.keys()
    return {
        "same": sorted(path for path in both if a[path] == b[path]),
        "other": sorted(path for path in both if a[path] != b[path]),
        "in one only": sorted(path for path in a.keys() ^ b.keys() if ".events/" not in path),
    }


def disturb(queue: Queue, log: Path, workflow: subprocess.Popen[bytes]) -> list[str]:
    """Stop the longer stage by SIGTERM after its step 20, and requeue it after its step 120; what was done.

    Raises RuntimeError where the workflow ends meanwhile.
    """
    done = []
    for after, command in ((20, ["scancel", "--signal=TERM"]), (120, ["scontrol", "requeue"])):
        until(lambda after=after: step(log) >= after, workflow)
        (number,) = [
            job["number"]
            for job in queue.read()
            if job["rule"] == "train_stage4" and job["state"] == "RUNNING"
        ]
        subprocess.run([*command, number], env=queue.environment, check=True)
        done.append(f"{' '.join(command)} {number} at step {step(log)}")
        print(done[-1], flush=True)
        resumed = log.read_text().count("resuming at step")
        until(lambda before=resumed: log.read_text().count("resuming at step") > before, workflow)
    return done


def until(met: Callable[[], bool], workflow: subprocess.Popen[bytes]) -> None:
    """Wait. Raises RuntimeError where the workflow ends first."""
    while not met():
        if workflow.poll() is not None:
            raise RuntimeError(f"the workflow ended too early, with {workflow.returncode}")
        time.sleep(0.1)


def step(log: Path) -> int:
    """The step that a trainer's log speaks of last."""
    told = (
        re.findall(r"stage4 step (\d+)/240|resuming at step (\d+) of", log.read_text())
        if log.exists()
        else []
    )
    return int(max(told[-1])) if told else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keep", type=Path, help="folder of both runs; default: a temporary one")
    parser.add_argument("--profile", type=Path, default=ROOT / "profiles" / "slurm")
    parser.add_argument("--target", default="all", help="what both runs build first; default: %(default)s")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C does: what was started is ended
    with tempfile.TemporaryDirectory() as name:
        place = given.keep or Path(name)
        (place / "logs").mkdir(parents=True, exist_ok=True)
        report = both(place, given.profile, given.target, Path(name) / "slurm")
    print(json.dumps(report, indent=1))
    return int(not report["equal"])


def both(place: Path, profile: Path, target: str, slurm: Path) -> dict[str, Any]:
    """Both runs and both halves; `equal` is the verdict."""
    alone, cluster, logs = place / "alone", place / "cluster", place / "logs"
    base = {**os.environ, "PYTHONPATH": str(ROOT)}
    here = ["--cores", "2", "--resources", f"vram={SHARDS}"]
    there = ["--workflow-profile", str(profile), "--slurm-init-seconds-before-status-checks", "5"]
    report: dict[str, Any] = {}
    with one_node(slurm, cpus=4, memory_mb=16_000) as environment, Queue(environment) as queue:
        environment = {**environment, "PYTHONPATH": str(ROOT)}
        report["slurm, s"] = finish(
            snakemake(target, cluster, FIRST, *there), environment, logs / "slurm.log"
        )
        report["alone, s"] = finish(snakemake(target, alone, FIRST, *here), base, logs / "alone.log")
        report["submissions"] = len(queue.jobs)
        report["most shards at once"], report["waited for resources"] = (
            queue.most_shards,
            sorted(queue.waited),
        )
        found = compared(alone, cluster)
        report["first"] = {kind: len(paths) for kind, paths in found.items()}
        report["differ"] = [path for path in found["other"] if not TIMED.search(path)] + found["in one only"]
        report["differ, with times in them"] = [path for path in found["other"] if TIMED.search(path)]

        finish(snakemake(LAST, alone, LONGER, *here), base, logs / "alone longer.log")
        with open(logs / "slurm longer.log", "wb") as out:
            command = snakemake(LAST, cluster, LONGER, *there)
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
            log = cluster / "logs/train_stage4.log"
            log.unlink(missing_ok=True)
            report["disturbed"] = disturb(queue, log, process)
            process.wait()
        report["stops told"] = re.findall(r"stopped as it was asked to, after step \d+", log.read_text())
        report["resumed"] = re.findall(r"resuming at step (\d+)", log.read_text())
        weights = [hashlib.sha256((run / LAST).read_bytes()).hexdigest() for run in (alone, cluster)]
        report["weights of the disturbed stage"] = weights
    report["equal"] = not report["differ"] and weights[0] == weights[1] and queue.most_shards <= SHARDS
    return report


if __name__ == "__main__":
    sys.exit(main())
