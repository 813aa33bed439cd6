"""Runs a program that does not outlive the Snakemake that wants it.

Where Snakemake is killed, its jobs live on as orphans, and would put their results over those of the next run. Here the
program is stopped, with all that it started, when its Snakemake is gone, and dies with whoever supervises it. Signals
are handed on to it.

It starts in less than a tenth of a second: nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from types import FrameType

import psutil

from ctm.pipeline.usage import Usage

SNAKEMAKE = "CTM_SNAKEMAKE"
"""Environment variable: number and start time of the Snakemake that a job must not outlive; set where jobs run on its
own machine (session.py)."""
GRACE, POLL = 10.0, 0.5
"""Seconds: for a program to end when it is told to, and between two looks."""
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


class Orphaned(Exception):
    """The Snakemake that started this job is gone."""


def supervise(command: list[str], lock: int, usage: Usage) -> int:
    """Run a command to its end; its exit status, or 128 and the signal where one ended it.

    lock: a descriptor that all its processes inherit, so that the lock is held until the last of them is gone. usage:
    measures it. Raises Orphaned where the Snakemake is gone before it begins, and OSError.
    """
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
