"""The test config through a real SLURM of one node and through Snakemake alone: the same bits.

    sudo make test-slurm        # root, and Debian's slurmctld, slurmd, slurm-client and munge

1. `all` with profiles/slurm, where two trainers ask for 64 of 96 shards each, and the same locally: equal weights and
   artifacts, and at no time more shards in use than there are.
2. The last stage, made longer, is sent SIGTERM, then requeued by `scontrol requeue`, then preempted by a job of a
   partition that goes before; alone, it runs through: equal weights, no step trained twice where it was asked to stop.
3. The same stage anew, with a limit of three minutes that runs out: a further job ends it, with equal weights.

Ends with status 1 where something differs. Takes 20 minutes; its daemons end with it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from cluster import SHARDS, one_node
from compare import compared
from watch import Queue

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ["config/config.yaml", "config/test.yaml"]
ASKING = {rule: {"vram": 64} for rule in ("train_stage1", "train_trm", "train_stage4")}
"""The first two train on the same grids, so they could run side by side; their vram forbids it."""
FIRST = {"machine": {"vram": SHARDS}, "resources": ASKING}
LAST = "results/checkpoints/stage4.safetensors"
LONGER = {**FIRST, "training": {"stages": {"stage4": {"epochs": 200}}}}
"""Stage 4 of some 800 steps, so that there is a middle to be stopped in, on a fast machine too."""
LIMITED = {**LONGER, "resources": {**ASKING, "train_stage4": {"vram": 64, "runtime": 3}}}
"""Minutes. The profile's signal comes in the first one, between its middle and its end."""
HOLD = "scancel --signal=STOP {number}"
STOPS = (
    (20, ["scancel --signal=TERM {number}"]),
    (60, ["scontrol requeue {number}"]),
    (100, [HOLD, f"sbatch --partition=urgent --gres=shard:{SHARDS} --output=/dev/null --wrap=true"]),
)
"""After which step of the longer stage, and what happens then to its job; the last preempts it.

All ask first, the last two with SIGCONT, SIGTERM, and SIGKILL after KillWait. The last lets seconds pass before, in
which a fast machine would end the stage; so it is held.
"""
RESUMED = "resuming at step"


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


@contextmanager
def begun(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run beside the block, and to the end after it. Its jobs end with the SLURM where the block fails."""
    with open(log, "wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        try:
            yield process
            process.wait()
        finally:
            process.kill()


def disturb(queue: Queue, run: Path, workflow: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    """Stop the longer stage in each of the ways; what was done, after which steps it stopped, from where it went on.

    Raises RuntimeError where the workflow ends meanwhile.
    """
    done = []
    for after, commands in STOPS:
        until(lambda after=after: reached(run) >= after, workflow)
        before, at = told(run), reached(run)
        act = [queue.to_stage(command) for command in commands][-1]
        until_resumed(run, before, workflow)
        done.append({"done": act, "after": at, "stops so far": stops(run), "went on at": reached(run)})
        print(json.dumps(done[-1]), flush=True)
    return done


def run_out(queue: Queue, run: Path, workflow: subprocess.Popen[bytes]) -> None:
    """Hold the stage by SIGSTOP until its signal comes, and again until its limit, however fast this machine is.

    SLURM sends SIGCONT with either. Raises RuntimeError where the workflow ends meanwhile.
    """
    until(lambda: reached(run) >= STOPS[0][0], workflow)
    before = told(run)
    queue.to_stage(HOLD)
    until_resumed(run, before, workflow)
    queue.to_stage(HOLD)


def until_resumed(run: Path, before: str, workflow: subprocess.Popen[bytes]) -> None:
    """Wait for a try that goes on. before: the log of the try before."""
    until(lambda: RESUMED in told(run) and not told(run).startswith(before), workflow)


def told(run: Path) -> str:
    """The log of the stage's present try: Snakemake takes away that of the one before."""
    try:
        return (run / "logs/train_stage4.log").read_text()
    except FileNotFoundError:
        return ""


def stops(run: Path) -> list[int]:
    """Steps after which earlier tries of it stopped because they were asked to, by the logs of tries that failed."""
    logs = [path.read_text() for path in (run / "logs").glob("train_stage4.failed-*.log")]
    return sorted(int(step) for log in logs for step in re.findall(r"asked to, after step (\d+)", log))


def until(met: Callable[[], bool], workflow: subprocess.Popen[bytes]) -> None:
    """Wait. Raises RuntimeError where the workflow ends first."""
    while not met():
        if workflow.poll() is not None:
            raise RuntimeError(f"the workflow ended too early, with {workflow.returncode}")
        time.sleep(0.1)


def reached(run: Path) -> int:
    """The step that it speaks of last."""
    steps = re.findall(rf"stage4 step (\d+)/|{RESUMED} (\d+) of", told(run))
    return int(max(steps[-1])) if steps else 0


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
        report["submissions"] = len(queue.states)
        report["waited for resources"] = sorted(queue.waited)
        found = compared(alone, cluster)
        report["results"] = {kind: len(paths) for kind, paths in found.items()}
        report["differ"] = found["differ"]
        print(json.dumps(report), flush=True)

        report["longer, alone, s"] = finish(
            snakemake(LAST, alone, LONGER, *here), base, logs / "alone longer.log"
        )
        undisturbed = weights(alone)
        anew(cluster)
        with begun(
            snakemake(LAST, cluster, LONGER, *there), environment, logs / "slurm longer.log"
        ) as process:
            report["disturbed"] = disturb(queue, cluster, process)
        report["weights"] = {"alone": undisturbed, "disturbed": weights(cluster)}

        anew(cluster)
        known = set(queue.states)
        limited = snakemake(LAST, cluster, LIMITED, *there)
        with begun(limited, environment, logs / "slurm limited.log") as process:
            run_out(queue, cluster, process)
        report["limited"] = {
            "jobs": {number: seen for number, seen in queue.states.items() if number not in known},
            "stopped after": stops(cluster),
            "went on last at": re.findall(rf"{RESUMED} (\d+)", told(cluster)),
        }
        report["weights"]["limited"] = weights(cluster)
    report["most shards at once"], report["states"] = queue.most_shards, queue.states
    report["equal"] = verdict(report)
    return report


def weights(run: Path) -> str:
    """sha256 of the last stage's."""
    return hashlib.sha256((run / LAST).read_bytes()).hexdigest()


def anew(run: Path) -> None:
    """Forget the last stage: its weights, its checkpoints and its logs."""
    (run / LAST).unlink(missing_ok=True)
    shutil.rmtree(run / "work/train_stage4")
    for log in (run / "logs").glob("train_stage4*.log"):
        log.unlink()


def verdict(report: dict[str, Any]) -> bool:
    """Whether all is as it must be."""
    ends = [seen[-1] for seen in report["limited"]["jobs"].values()]
    return (
        not report["differ"]
        and report["most shards at once"] <= SHARDS
        and len(set(report["weights"].values())) == 1
        and all(stop["went on at"] in stop["stops so far"] for stop in report["disturbed"])
        and "TIMEOUT" in ends
        and ends[-1] == "COMPLETED"
    )


if __name__ == "__main__":
    sys.exit(main())
