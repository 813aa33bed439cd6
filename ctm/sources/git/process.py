"""Runs git safely on untrusted repositories: no hooks, monitors, submodules, filters or prompts; limits on all.

Every call has a time limit, those that bring data a size limit too. What git says is shown without credentials, and
git sees no token of the environment.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import git

SAFE = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.symlinks=false",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_ASKPASS": "true",
    "SSH_ASKPASS": "true",  # a key's passphrase, a host that is not known: no to all, and never on the terminal
    "SSH_ASKPASS_REQUIRE": "force",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


class GitError(RuntimeError):
    """A call of git that ended in an error, took too long or grew too large; the message carries no credentials."""


def without_credentials(text: str) -> str:
    """`text` with user names and passwords of URLs removed."""
    return _CREDENTIALS.sub("", text)


def command(*arguments: str, folder: Path | None = None) -> list[str]:
    """A git command line with the settings that make a hostile repository harmless."""
    line = ["git", "--no-pager"]
    if folder is not None:
        line += ["--git-dir", str(folder)]
    for setting in SAFE:
        line += ["-c", setting]
    return [*line, *arguments]


def watched(line: Sequence[str], cwd: Path, folder: Path, seconds: float, max_bytes: int) -> None:
    """Run a git command through GitPython; kill it past its time or the folder past its size. Raises GitError."""
    process = git.Git(str(cwd)).execute(list(line), as_process=True, env=_environment())
    deadline = time.monotonic() + seconds
    pause = 0.02
    while process.proc is not None and process.poll() is None:
        time.sleep(pause)
        pause = min(0.5, pause * 1.5)
        late, large = time.monotonic() > deadline, _size(folder) > max_bytes
        if late or large:
            process.proc.kill()
            process.proc.wait()
            limit = f"{seconds:.0f} s" if late else f"{max_bytes / 1e6:.0f} MB"
            raise GitError(f"git {_verb(line)}: more than {limit}")
    try:
        process.wait()
    except git.GitCommandError as error:
        raise GitError(without_credentials(" ".join(str(error.stderr).split()))) from None


@contextmanager
def stream(line: Sequence[str], seconds: float, given: bytes = b"") -> Iterator[IO[bytes]]:
    """Output of a running git, read as it comes; killed after `seconds`, and when the block is left early.

    Raises GitError.
    """
    process = subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()
    )
    assert process.stdin and process.stdout and process.stderr
    late = threading.Event()
    errors: list[bytes] = []

    def kill() -> None:
        late.set()
        process.kill()

    def feed(pipe: IO[bytes]) -> None:
        with suppress(OSError, ValueError), pipe:
            pipe.write(given)

    threads = [
        threading.Thread(target=feed, args=(process.stdin,), daemon=True),
        threading.Thread(target=lambda pipe: errors.append(pipe.read()), args=(process.stderr,), daemon=True),
    ]
    timer = threading.Timer(seconds, kill)
    for thread in (timer, *threads):
        thread.start()
    try:
        yield process.stdout
        process.stdout.read()
    except BaseException:
        process.kill()
        raise
    finally:
        process.wait()
        timer.cancel()
        for thread in threads:
            thread.join(5)
        process.stdout.close()
    if late.is_set():
        raise GitError(f"git {_verb(line)}: more than {seconds:.0f} s")
    if process.returncode:
        raise GitError(f"git {_verb(line)}: {_one_line(b''.join(errors))}")


def output(line: Sequence[str], given: bytes, seconds: float, good: Sequence[int] = (0,)) -> bytes:
    """All that git writes once it has ended. Raises GitError after `seconds`, and for an exit status not in `good`."""
    try:
        done = subprocess.run(line, input=given, capture_output=True, timeout=seconds, env=_environment())
    except subprocess.TimeoutExpired:
        raise GitError(f"git {_verb(line)}: more than {seconds:.0f} s") from None
    if done.returncode not in good:
        raise GitError(f"git {_verb(line)}: {_one_line(done.stderr)}")
    return done.stdout


def _one_line(stderr: bytes) -> str:
    return without_credentials(" ".join(stderr.decode("utf-8", "replace").split()))


def _environment() -> dict[str, str]:
    """The caller's environment without what would point git elsewhere, and without tokens, which it does not need."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if (not key.startswith("GIT_") or key == "GIT_SSL_CAINFO") and not key.endswith("_TOKEN")
    }
    return kept | ENVIRONMENT


def _verb(line: Sequence[str]) -> str:
    known = ("clone", "fetch", "log", "diff-tree", "cat-file", "rev-parse", "ls-tree", "symbolic-ref")
    return next((word for word in line if word in known), "")


def _size(folder: Path) -> int:
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total
