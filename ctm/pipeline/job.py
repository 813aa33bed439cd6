"""The supervisor of a job: every rule's command runs under it.

    python -m ctm.pipeline.job --rule mutate … --inputs A B --outputs C -- PROGRAM …

What it adds to Snakemake:

- No two jobs write the same outputs: a lock by rule and wildcards, which every process of the job inherits, so that it
  is held until the last of them is gone.
- An orphan ends. Where Snakemake is killed its jobs live on, and would put their results over those of the next run;
  here a job whose Snakemake is gone is stopped, and what a killed supervisor ran dies with it.
- Nothing reads damaged artifacts: inputs are hashed and compared with the ledger.
- One line in the ledger for each job: what went in and out, by content, and what it used.

It starts in less than a tenth of a second: nothing heavy is imported here.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import glob
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import psutil

from ctm.pipeline.ledger import DONE, FAILED, Entry, File, append, damaged, file_of, read
from ctm.pipeline.locks import HeldError, hold
from ctm.pipeline.usage import Usage

SNAKEMAKE, SESSION = "CTM_SNAKEMAKE", "CTM_SESSION"
"""Environment variables: number and start time of the Snakemake that the job must not outlive (set where jobs run on
its own machine), and the session (session.py)."""
BUSY = 75
"""Exit status (EX_TEMPFAIL) where the outputs are somebody else's still."""
DAMAGED = 65
"""Exit status (EX_DATAERR) where an input is not what the ledger says."""
WAIT, GRACE, POLL = 30.0, 10.0, 0.5
"""Seconds: for an orphan to end, for a program to end when it is told to, and between two looks."""
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


class Orphaned(Exception):
    """The Snakemake that started this job is gone."""


def main(arguments: Sequence[str]) -> int:
    """Run one job; its exit status."""
    place = list(arguments).index("--")
    given, command = _parser().parse_args(arguments[:place]), list(arguments[place + 1 :])
    run = Path.cwd()
    try:
        lock = hold(_lock(given), WAIT)
    except HeldError as error:
        print(f"{given.rule}: {error}, which makes the same files. Wait for it, or stop it", file=sys.stderr)
        return BUSY
    _remove(given.outputs)  # of an orphan that held the lock
    inputs = _inputs(given, run)
    if refused := damaged(inputs, read(run)):
        print(*(_refusal(*one) for one in refused), sep="\n", file=sys.stderr)
        _saved_log(given.log, given.stored, uuid.uuid4().hex)
        return DAMAGED
    return _recorded(given, command, inputs, lock, run)


def _refusal(found: File, recorded: File, maker: Entry) -> str:
    return (
        f"{found.path} is not what rule {maker.rule} made (sha256 {found.sha256[:16]}…, {found.size} bytes; the ledger "
        f"has {recorded.sha256[:16]}…, {recorded.size}): it was damaged or changed. Delete it and start the same "
        "command again: it is made anew"
    )


def _recorded(given: argparse.Namespace, command: list[str], inputs: list[File], lock: int, run: Path) -> int:
    """Run the command and write its line."""
    number = uuid.uuid4().hex
    usage, started = Usage(accelerator=given.vram > 0), _now()
    status = _run(command, lock, usage)
    outputs = []
    if status == 0:
        try:
            outputs = [file_of(Path(path), run, given.stored) for path in given.outputs]
        except OSError as error:
            print(f"{given.rule}: it ended well and did not make {error.filename}", file=sys.stderr)
            status = 1
    log = given.log
    if status:
        _remove(given.outputs)  # with --keep-incomplete too: half an artifact looks like one
        log = _saved_log(log, given.stored, number)
    declared = {
        "threads": given.threads, "mem_gb": given.mem_gb, "vram": given.vram, "gpu_percent": given.gpu_percent,
        "runtime": given.runtime, "network_mbps": given.network_mbps, "disk": given.disk,
    }  # fmt: skip
    entry = Entry(
        job=number, session=os.environ.get(SESSION), rule=given.rule, wildcards=tuple(given.wildcards),
        lineage=given.lineage, status=FAILED if status else DONE, exit=status, started=started, ended=_now(),
        host=socket.gethostname(), command=tuple(command), log=log, inputs=tuple(inputs),
        outputs=tuple(outputs), declared=declared, used=usage.figures(),
    )  # fmt: skip
    append(run, entry)
    return status


def _remove(outputs: Sequence[str]) -> None:
    """Remove outputs, and what killed writers left of them (files.py); whoever holds the job's lock is alone."""
    for path in map(Path, outputs):
        path.unlink(missing_ok=True)
        for left in path.parent.glob(f".*.part/{glob.escape(path.name)}.tmp"):
            shutil.rmtree(left.parent, ignore_errors=True)


def _saved_log(log: str | None, stored: Path | None, number: str) -> str | None:
    """A copy of a failed job's log: Snakemake deletes the log itself when the job is tried again.

    It lies in the run's folder where the results are in a bucket too: what no rule declares is not sent there.
    """
    if log is None:
        return None
    sys.stdout.flush()
    kept = Path(log).with_suffix(f".failed-{number[:8]}.log")
    with contextlib.suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile((stored or Path()) / log, kept)
        return kept.as_posix()
    return log


def _run(command: list[str], lock: int, usage: Usage) -> int:
    """Exit status of the command; 128 and the signal where one ended it."""
    watched = _snakemake()
    child = subprocess.Popen(command, pass_fds=(lock,), start_new_session=True, preexec_fn=_die_with_parent)

    def forward(number: int, frame: FrameType | None) -> None:
        _signal(child, signal.Signals(number))

    for number in FORWARDED:
        signal.signal(number, forward)
    usage.start(child.pid)
    parent, wait = os.getppid(), 0.05
    while True:
        try:
            status = child.wait(wait)
            break
        except subprocess.TimeoutExpired:
            usage.sample()
            wait = min(POLL, 2 * wait)
        if os.getppid() != parent or (watched is not None and not _alive(watched)):
            print("Snakemake is gone: this job ends, the next run makes its files anew", file=sys.stderr)
            status = _stop(child)
            break
    usage.stop()
    return status if status >= 0 else 128 - status


def _stop(child: subprocess.Popen[bytes]) -> int:
    """End the command and all that it started."""
    _signal(child, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)
    _signal(child, signal.SIGKILL)
    return child.wait() or -signal.SIGTERM


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)


def _die_with_parent() -> None:
    """In the child, before it is the program: die when the supervisor dies (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL)


def _snakemake() -> psutil.Process | None:
    """The Snakemake that must live; None where it runs on another machine, or by hand."""
    number, _, created = os.environ.get(SNAKEMAKE, "").partition(":")
    if not number:
        return None
    try:
        process = psutil.Process(int(number))
        alive = abs(process.create_time() - float(created)) < 1
    except psutil.NoSuchProcess:
        alive = False
    if not alive:
        raise Orphaned
    return process


def _alive(process: psutil.Process) -> bool:
    """A process that ended is there until its parent asks how; a parent may never ask."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _inputs(given: argparse.Namespace, run: Path) -> list[File]:
    """Inputs by content; of a folder, as a git repository is one, nothing."""
    paths = map(Path, dict.fromkeys(given.inputs))
    return [file_of(path, run, given.stored) for path in paths if path.is_file()]


def _lock(given: argparse.Namespace) -> Path:
    name = "-".join([given.rule, *given.wildcards])
    if len(name.encode()) > 200:
        name = f"{given.rule}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return Path("work/locks") / f"{name.replace('/', '_')}.lock"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ctm.pipeline.job", description=__doc__.splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("--rule", required=True)
    parser.add_argument("--lineage", required=True)
    parser.add_argument("--log")
    parser.add_argument("--disk", default="")
    parser.add_argument(
        "--stored", type=Path, help="where a bucket's files lie while the job runs (storage.py)"
    )
    for name in ("threads", "mem-gb", "vram", "gpu-percent", "runtime", "network-mbps"):
        parser.add_argument(f"--{name}", type=int, default=0)
    for name in ("wildcards", "inputs", "outputs"):
        parser.add_argument(f"--{name}", nargs="*", default=[])
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Orphaned:
        sys.exit("Snakemake is gone: this job does not begin")
