"""Runs of the test config killed at random moments and started again, against one that nobody disturbed.

    make kill-workflow              KILLS=30 SEED=0 MINUTES=120: how many, which, and when to stop beginning another run

Each kill is SIGKILL to Snakemake, to a program of a job (the trainer, if one runs), or to both with all between them;
what follows is the same command and nothing else. At the end of a run every artifact is compared with the undisturbed
one's, the ledger with the files, and a watcher says whether two programs ever wrote one output. Goes on where it was
stopped: finished runs are kept in runs/kills/, with their kills in state.json, and table.md is written from it.
Ends with status 1 where anything differs, or fewer kills were made than asked for.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from helpers.run_processes import Watcher, programs
from helpers.same_run import VIEWS, differences, sha256

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "runs" / "kills"
TARGET = "results/final/ctm.onnx"
FILES = ("config/config.yaml", "config/test.yaml", "tests/slow/kills.yaml")
KINDS = ("snakemake", "program", "both")
TRAINER = "train_stage"
PLACES = ("", "stage1", "stage2", "stage3", "stage4", "export_onnx", "benchmark")
"""What a kill waits for: nothing, or a program whose name or output has this in it, in the order of the workflow."""
PER_RUN = 10
LEDGER = Path("results/provenance/ledger.jsonl")


@dataclass
class Kill:
    """One kill: in which run, how many seconds after that start, of what, and which programs were running."""

    run: int
    seconds: float
    kind: str
    running: list[str]


@dataclass
class Record:
    """What is known of one killed run when it is finished."""

    kills: list[Kill] = field(default_factory=list)
    starts: int = 0
    failed: list[str] = field(default_factory=list)
    """Starts that ended with an error though nothing was killed: what they said last."""
    differs: list[str] = field(default_factory=list)
    compared: dict[str, int] = field(default_factory=dict)
    doubles: list[str] = field(default_factory=list)
    looks: int = 0
    left_over: list[str] = field(default_factory=list)


def start(run: Path) -> subprocess.Popen[bytes]:
    """The documented command, its output in a file beside the run."""
    command = [sys.executable, "-m", "ctm.pipeline.cli", "run", TARGET, "--directory", str(run)]
    command += ["--configfile", *FILES, "--cores", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with open(said_by(run), "ab") as said:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )


def said_by(run: Path) -> Path:
    return run.with_name(f"{run.name}.log")


def killed_run(number: int, kills: int, draw: random.Random, reach: float) -> Record:
    """A run that is killed `kills` times, each at most `reach` seconds after its jobs began, then left to finish."""
    run = FOLDER / f"run-{number:02d}"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    record = Record()
    places = sorted(draw.choices(PLACES, k=kills), key=PLACES.index)
    with Watcher(run) as watcher:
        while True:
            process = start(run)
            record.starts += 1
            before = len(record.kills)
            record.kills += _kills(process, run, number, places[before:], draw, reach)
            if process.wait() == 0:
                break
            if len(record.kills) == before:
                record.failed.append(_last_lines(said_by(run)))
                if len(record.failed) > 3:
                    raise RuntimeError(f"{run}: the same command does not finish:\n{record.failed[-1]}")
            time.sleep(draw.choice((0.0, 0.3, 3.0)))  # at once, before orphans notice, and after
        time.sleep(3)
        record.left_over = [f"{program.name} {program.pid}" for program in programs(run)]
    record.doubles, record.looks = watcher.doubles, watcher.looks
    record.differs, record.compared = differences(FOLDER / "reference", run)
    record.differs += untrue_entries(run)
    return record


def _kills(
    process: subprocess.Popen[bytes],
    run: Path,
    number: int,
    places: Sequence[str],
    draw: random.Random,
    reach: float,
) -> list[Kill]:
    """Kill programs of one start, until Snakemake is killed or ends; one at each of `places`, at most.

    By time alone, most would hit the first steps.
    """
    kills: list[Kill] = []
    began = time.monotonic()
    while len(kills) < len(places) and _wait_for_jobs(process, run, places[len(kills)]):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(draw.random() * reach)
        running = programs(run)
        if process.poll() is not None or not running:
            continue
        kind = draw.choice(KINDS)
        _kill(kind, process, run, draw)
        names = sorted(f"{program.name} {program.out}".strip() for program in running)
        kills.append(Kill(number, time.monotonic() - began, kind, names))
        print(
            f"run {number}: {kind} killed after {kills[-1].seconds:.1f} s in {', '.join(names)}", flush=True
        )
        if kind != "program":  # a program's job is tried again, or the run ends and is started again
            break
    return kills


def _wait_for_jobs(process: subprocess.Popen[bytes], run: Path, place: str) -> bool:
    """Wait until a program runs there; False if Snakemake ended before."""
    while process.poll() is None:
        if any(place in f"{program.name} {program.out}" for program in programs(run)):
            return True
        time.sleep(0.02)
    return False


def _kill(kind: str, process: subprocess.Popen[bytes], run: Path, draw: random.Random) -> None:
    running = programs(run)
    if kind in ("snakemake", "both"):
        process.send_signal(signal.SIGKILL)
    if kind == "both":  # and all that works in the run's folder: shells, supervisors, programs, their workers
        for pid in _working_in(run):
            _send(pid)
    elif kind == "program" and running:
        trainers = [program for program in running if program.name == TRAINER]
        _send(draw.choice(trainers or running).pid)


def _working_in(run: Path) -> list[int]:
    found = []
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and Path(os.readlink(f"/proc/{entry.name}/cwd")) == run:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _send(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _last_lines(path: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])


def untrue_entries(run: Path) -> list[str]:
    """Where the ledger's last word on a path is not what lies there, or an artifact is in no line of it."""
    known: dict[str, str] = {}
    if not (run / LEDGER).is_file():
        return ["there is no ledger"]
    for line in (run / LEDGER).read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # torn by a kill
        if entry["status"] == "done":
            known |= {file["path"]: file["sha256"] for file in entry["outputs"]}
    results = {path.relative_to(run).as_posix() for path in (run / "results").rglob("*") if path.is_file()}
    made = {path for path in results if not path.startswith(VIEWS) and "tfevents" not in path}
    untrue = [f"{path}: in no line of the ledger" for path in sorted(made - known.keys())]
    changed = [path for path in sorted(made & known.keys()) if sha256(run / path) != known[path]]
    return untrue + [f"{path}: other bytes than the ledger says" for path in changed]


def table(records: Sequence[Record], seconds: float, seed: int) -> str:
    """The page of what happened."""
    kills = [kill for record in records for kill in record.kills]
    lines = [
        f"# {len(kills)} kills in {len(records)} runs of the test config",
        "",
        f"Seed {seed}; the undisturbed run took {seconds:.0f} s. After each kill the same command and no more.",
        "",
        "| run | kills | starts | starts that failed | two programs of one output | looks | left over | differs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for number, record in enumerate(records, 1):
        lines.append(
            f"| {number} | {len(record.kills)} | {record.starts} | {len(record.failed)} | {len(record.doubles)} | "
            f"{record.looks} | {len(record.left_over)} | {'; '.join(record.differs) or 'nothing'} |"
        )
    lines += [
        "",
        "Compared artifacts, by run: " + "; ".join(str(record.compared) for record in records) + ".",
        "",
    ]
    lines += ["| run | seconds | killed | running then |", "|---|---|---|---|"]
    lines += [
        f"| {kill.run} | {kill.seconds:.1f} | {kill.kind} | {', '.join(kill.running)} |" for kill in kills
    ]
    return "\n".join(lines) + "\n"


def reference() -> float:
    """The undisturbed run, made once; seconds that it took."""
    run, took = FOLDER / "reference", FOLDER / "reference.json"
    if not took.is_file():
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir(parents=True)
        began = time.monotonic()
        if start(run).wait():
            raise RuntimeError(f"{run}:\n{_last_lines(said_by(run))}")
        took.write_text(json.dumps(time.monotonic() - began))
    return float(json.loads(took.read_text()))


def main(kills: int = 30, seed: int = 0, minutes: float = 120) -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * minutes
    seconds, state = reference(), FOLDER / "state.json"
    records = [_record(value) for value in json.loads(state.read_text())] if state.is_file() else []
    while (done := sum(len(record.kills) for record in records)) < kills and time.monotonic() < end:
        number = len(records) + 1
        # a run of its own seed, so that a stopped program goes on with the same kills
        draw = random.Random(f"{seed} {number}")
        records.append(killed_run(number, min(PER_RUN, kills - done), draw, seconds / 12))
        state.write_text(json.dumps([asdict(record) for record in records], indent=1))
        (FOLDER / "table.md").write_text(table(records, seconds, seed), encoding="utf-8")
    print(table(records, seconds, seed))
    if done < kills:
        print(f"{done} of {kills} kills in {minutes:g} minutes; the same command goes on", file=sys.stderr)
    return int(
        done < kills
        or any(record.differs or record.doubles or record.left_over or record.failed for record in records)
    )


def _record(value: dict[str, object]) -> Record:
    record = Record(**value)  # type: ignore[arg-type]
    record.kills = [Kill(**kill) for kill in value["kills"]]  # type: ignore[attr-defined]
    return record


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])) if sys.argv[1:] else main())
