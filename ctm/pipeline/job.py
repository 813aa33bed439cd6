"""The supervisor of a job: every rule's command runs under it.

    python -m ctm.pipeline.job --rule mutate … --inputs A B --outputs C -- PROGRAM …

What it adds to Snakemake:

- No two jobs write the same outputs: a lock by rule and wildcards, which every process of the job inherits, so that it
  is held until the last of them is gone.
- An orphan ends: a job whose Snakemake was killed is stopped (supervision.py).
- Nothing reads damaged artifacts: inputs are hashed and compared with the ledger.
- One line in the ledger for each try: what went in and out, by content, and what it used; or why it was refused.

It starts in less than a tenth of a second: nothing heavy is imported here.
"""

from __future__ import annotations

import argparse
import contextlib
import glob
import hashlib
import os
import shutil
import socket
import sys
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ctm.pipeline.ledger import DONE, FAILED, REFUSED, Entry, File, append, damaged, file_of, read
from ctm.pipeline.locks import HeldError, hold
from ctm.pipeline.supervision import Orphaned, supervise
from ctm.pipeline.usage import Usage

SESSION = "CTM_SESSION"
"""Environment variable: the start of Snakemake that a job belongs to (session.py)."""
BUSY = 75
"""Exit status (EX_TEMPFAIL) where the outputs are somebody else's still."""
DAMAGED = 65
"""Exit status (EX_DATAERR) where an input is not what the ledger says."""
WAIT = 30.0
"""Seconds for an orphan to end."""


class RefusedError(RuntimeError):
    """The command is not run: the message says why, `remedy` what to do. `inputs`: as far as they were looked at."""

    def __init__(self, status: int, reason: str, remedy: str, inputs: Sequence[File] = ()) -> None:
        super().__init__(reason)
        self.status, self.remedy, self.inputs = status, remedy, inputs


def main(arguments: Sequence[str]) -> int:
    """Run one job and write its line; its exit status. Raises Orphaned, OSError."""
    place = list(arguments).index("--")
    given, command = _parser().parse_args(arguments[:place]), list(arguments[place + 1 :])
    number, asked = uuid.uuid4().hex, _now()
    try:
        lock, inputs = _admit(given)
    except RefusedError as refused:
        print(f"{given.rule}: {refused}. {refused.remedy}", file=sys.stderr)
        ended: dict[str, Any] = {
            "status": REFUSED, "exit": refused.status, "started": asked, "inputs": tuple(refused.inputs),
            "outputs": (), "log": _saved_log(given.log, given.stored, number), "reason": str(refused),
        }  # fmt: skip
    else:
        ended = {"inputs": tuple(inputs), **_run(given, command, lock, number)}
    append(
        Path.cwd(),
        Entry(
            job=number, session=os.environ.get(SESSION), rule=given.rule, wildcards=tuple(given.wildcards),
            lineage=given.lineage, ended=_now(), host=socket.gethostname(), command=tuple(command),
            declared={name: getattr(given, name) for name in DECLARED}, **ended,
        ),
    )  # fmt: skip
    status: int = ended["exit"]
    return status


def _admit(given: argparse.Namespace) -> tuple[int, list[File]]:
    """The job's lock and its inputs, if it may run. Raises RefusedError."""
    try:
        lock = hold(_lock(given), WAIT)
    except HeldError as error:
        reason = f"{error}, which makes the same files"
        raise RefusedError(BUSY, reason, "Wait for it, or stop it") from None
    _remove(given.outputs)  # of an orphan that held the lock
    inputs = _inputs(given)
    if found := damaged(inputs, read(Path.cwd())):
        remedy = "Delete what is damaged and start the same command again: it is made anew"
        raise RefusedError(DAMAGED, "; ".join(_damage(*one) for one in found), remedy, inputs)
    return lock, inputs


def _damage(found: File, recorded: File, maker: Entry) -> str:
    return (
        f"{found.path} is not what rule {maker.rule} made (sha256 {found.sha256[:16]}…, {found.size} bytes; the ledger "
        f"has {recorded.sha256[:16]}…, {recorded.size}): it was damaged or changed"
    )


def _run(given: argparse.Namespace, command: list[str], lock: int, number: str) -> dict[str, Any]:
    """Run the command; of the ledger's line, what that decides."""
    usage, started = Usage(accelerator=given.vram > 0), _now()
    status = supervise(command, lock, usage)
    outputs = []
    if status == 0:
        try:
            outputs = [file_of(Path(path), Path.cwd(), given.stored) for path in given.outputs]
        except OSError as error:
            print(f"{given.rule}: it ended well and did not make {error.filename}", file=sys.stderr)
            status = 1
    log = given.log
    if status:
        _remove(given.outputs)  # with --keep-incomplete too: half an artifact looks like one
        log = _saved_log(log, given.stored, number)
    return {
        "status": FAILED if status else DONE, "exit": status, "started": started, "outputs": tuple(outputs),
        "log": log, "used": usage.figures(),
    }  # fmt: skip


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


def _inputs(given: argparse.Namespace) -> list[File]:
    """Inputs by content; of a folder, as a git repository is one, nothing."""
    paths = map(Path, dict.fromkeys(given.inputs))
    return [file_of(path, Path.cwd(), given.stored) for path in paths if path.is_file()]


def _lock(given: argparse.Namespace) -> Path:
    name = "-".join([given.rule, *given.wildcards])
    if len(name.encode()) > 200:
        name = f"{given.rule}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return Path("work/locks") / f"{name.replace('/', '_')}.lock"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


NUMBERS = ("threads", "mem_gb", "vram", "gpu_percent", "runtime", "network_mbps")
DECLARED = (*NUMBERS, "disk")
"""What the rule asked for (Entry.declared)."""


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
    for name in NUMBERS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=0)
    for name in ("wildcards", "inputs", "outputs"):
        parser.add_argument(f"--{name}", nargs="*", default=[])
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Orphaned:
        sys.exit("Snakemake is gone: this job does not begin")
