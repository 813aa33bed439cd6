"""Runs a repaired text with its item's test in a process of its own, without privileges (jail.py has the details).

Where the kernel refuses namespaces (many containers do) nothing runs, unless the caller accepts `unsafe`: then only
the time and memory limits hold.

Who can forge a pass? The answer shares a process with its test and with the frames of ours that start it, and whatever
those do at the end, code can do before. Two things stand against it. A pass is a random token in memory (jail.py), so
exit statuses and writing to descriptors give none. And a program that passed runs once more with an end that fails: if
it passes that too, it never ran its end, however it did so. What is left is code written against this very sandbox: it
looks into the frames or the memory for our token, and for the failing end to behave when it is there.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

JAIL = Path(__file__).with_name("jail.py")
GRACE = 10.0
"""Seconds that starting and stopping may take beside the program's own time."""
PROBE = "import collections, json, typing"
FAILING_END = "raise AssertionError('the end was reached')\n"
FORGED = "the test program passes before its end, so it cannot tell right from wrong"


@dataclass(frozen=True)
class SandboxSettings:
    """Limits of one test."""

    seconds: float = 5.0
    """Wall time, and time on the processor, seconds."""
    memory_mb: int = 512
    """Address space of a process, MiB."""
    processes: int = 32
    """Processes and threads."""
    file_mb: int = 8
    """Largest file, and all files together, MiB."""


@dataclass(frozen=True, slots=True)
class TestResult:
    """Whether the test passed; None where it was not run. `why` is one line."""

    __test__ = False

    passed: bool | None
    why: str


def run_test(
    code: str,
    test: str,
    settings: SandboxSettings | None = None,
    *,
    unsafe: bool = False,
    isolate: bool = True,
) -> TestResult:
    """Run `code` followed by `test`; passed means that the end was reached without an exception, and had to be.

    `unsafe` runs it without isolation where isolation is refused; isolate=False (with unsafe) does not even try.
    """
    assert isolate or unsafe, "without isolation only if unsafe is said"
    program = code + "\n\n" + test + "\n"
    settings = settings or SandboxSettings()
    if isolate:
        outcome, why = _judge(program, settings, isolate=True)
        if outcome != "refused":
            return TestResult(outcome == "passed", why if outcome == "failed" else f"{outcome} {why}".strip())
        if not unsafe:
            return TestResult(None, f"no sandbox: {why}")
    outcome, why = _judge(program, settings, isolate=False)
    return TestResult(outcome == "passed", why if outcome == "failed" else f"{outcome} {why}".strip())


def unavailable() -> str:
    """Why tests cannot be run in a sandbox on this machine; "" where they can. Takes some tens of milliseconds."""
    result = run_test(PROBE, "")
    return "" if result.passed else result.why


def _judge(program: str, settings: SandboxSettings, isolate: bool) -> tuple[str, str]:
    """(outcome, why) of the program; a pass that does not depend on its end is a failure."""
    outcome, why = _start(program, settings, isolate)
    if outcome == "passed" and _start(program + FAILING_END, settings, isolate)[0] == "passed":
        return "failed", FORGED
    return outcome, why


def _start(program: str, settings: SandboxSettings, isolate: bool) -> tuple[str, str]:
    """(outcome, why) as the jail reports them, with the last line of the program's errors for a failure."""
    request = {
        "program": program,
        "isolate": isolate,
        "seconds": settings.seconds,
        "memory_bytes": settings.memory_mb << 20,
        "file_bytes": settings.file_mb << 20,
        "processes": settings.processes,
    }
    with tempfile.TemporaryDirectory(prefix="ctm-repair-") as directory, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-I", str(JAIL), directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(json.dumps(request).encode(), timeout=settings.seconds + GRACE)
        except subprocess.TimeoutExpired:
            said = b""
        finally:
            _kill(process)
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4096))
        lines = errors.read().decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    try:
        report = json.loads(said)
    except ValueError:
        return "failed", f"the sandbox ended without a report; {last}"
    why = report["why"] or (last if report["outcome"] == "failed" else "")
    return report["outcome"], why


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
