"""`--watch`: what changes is run again, and nothing is written that was not asked for."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ctm.repair import watch as module
from ctm.repair.watch import stamps, watch_once

BROKEN, FIXED = "def add(a, b)\n    return a + b\n", "def add(a, b):\n    return a + b\n"


def test_a_look_finds_changed_new_and_replaced_files(tmp_path: Path, monkeypatch):
    """Editors replace a file more often than they write into it; then only the inode may tell."""
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    a, b, c = (tmp_path / name for name in ("a.py", "b.py", "c.py"))
    a.write_text(FIXED)
    b.write_text(FIXED)
    before = stamps([str(a), str(b), str(tmp_path / "gone.py")])
    assert list(before) == [str(a), str(b)]
    c.write_text(FIXED)
    os.utime(c, ns=(1, before[str(b)][0]))
    c.replace(b)
    c.write_text(BROKEN)
    ran: list[list[str]] = []
    after = watch_once(before, lambda: map(str, (a, b, c)), ran.append)
    assert ran == [[str(b), str(c)]] and list(after) == [str(a), str(b), str(c)]


def test_pauses_grow_with_what_a_look_takes(monkeypatch):
    """A folder of a million files must not keep a processor busy."""
    clock = iter([0.0, 2.0, 100.0, 100.01, 200.0])
    slept: list[float] = []
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(module.time, "sleep", slept.append)
    looks = iter([[], [], [__file__]])
    watch_once({}, lambda: next(looks), lambda paths: None)
    assert slept == [18.0, module.PAUSE]


class Watching:
    """The command, and its lines as they come."""

    def __init__(self, *arguments: str | Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "ctm.repair.cli", "fix", "--watch", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            preexec_fn=lambda: signal.signal(
                signal.SIGINT, signal.SIG_DFL
            ),  # a job in the background ignores it
        )
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def until(self, words: str) -> list[str]:
        """Lines up to one with these words."""
        found: list[str] = []
        while not found or words not in found[-1]:
            found.append(self.lines.get(timeout=60))
        return found

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


@pytest.mark.parametrize("write", [False, True])
def test_the_command_runs_again_on_what_changed_until_ctrl_c(colon_bundle: Path, tmp_path: Path, write: bool):
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(BROKEN)
    watching = Watching(tmp_path, "--bundle", colon_bundle, *["--write"] * write)
    try:
        first = "".join(watching.until("watching 2 files"))
        assert "a.py" in first and "b.py" in first
        (tmp_path / "new.py").write_text(BROKEN)
        again = "".join(watching.until("repaired" if write else "+def add"))
        assert "new.py" in again and "a.py" not in again
    finally:
        assert watching.end() == 130
    text = FIXED if write else BROKEN
    assert {path.read_text() for path in tmp_path.glob("*.py")} == {text}


def test_stdin_and_a_file_of_output_cannot_be_watched(colon_bundle: Path, tmp_path: Path):
    for arguments in (["-"], [str(tmp_path), "--output-file", str(tmp_path / "x")]):
        done = subprocess.run(
            [sys.executable, "-m", "ctm.repair.cli", "fix", "--watch", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "CTM_BUNDLE": str(colon_bundle)},
        )
        assert done.returncode == 2 and "--watch needs files" in done.stderr


def test_a_command_that_cannot_run_at_all_is_not_watched(tmp_path: Path):
    """Without a bundle every run would fail in the same way."""
    (tmp_path / "a.py").write_text(BROKEN)
    watching = Watching(tmp_path, "--bundle", tmp_path / "none")
    assert watching.process.wait(timeout=60) == 2
    assert "no such bundle" in watching.until("none")[0]
