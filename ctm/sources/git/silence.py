"""Servers and proxies that accept a connection and say nothing: git alone waits for a quarter of an hour.

Of what is transferred git watches the speed itself, once told. Behind a proxy's CONNECT and in TLS it does not: there
the connection alone may take libcurl 300 s. So a host is asked first for something that any server answers at once.
"""

from __future__ import annotations

import math
import re
import subprocess
import time
from pathlib import Path

from ctm.sources.git.process import GitError, command, environment, kill_tree, without_credentials

ANSWER_SECONDS = 60
"""Longest silence of a server, before its first answer and within a transfer; for as long an answer counts."""
LEFT_ALONE_SECONDS = 600
"""How long a host that was silent is not asked again."""
TRANSIENT = re.compile(
    r"(?i)no answer in|more than \d+ s|too slow|timed? ?out|could not resolve|couldn't connect|failed to connect"
    r"|connection (?:refused|reset|closed)|unreachable|error: (?:429|5\d\d)\b|early eof|hung up|rpc failed|from proxy"
    r"|temporary failure|unexpected disconnect|gnutls|ssl_error|tls connect"
)
_HOST = re.compile(r"((?:[a-z][a-z0-9+.-]*://)?[^/:]+(?::\d+)?)")
_answered: dict[str, float] = {}
_silent: dict[str, float] = {}
"""When this process last heard of a host, and when it last heard nothing (monotonic clock)."""


def is_transient(message: str) -> bool:
    """Whether git failed for a reason that may be gone tomorrow: the network, a time limit, an overloaded server."""
    return TRANSIENT.search(message) is not None


def patience(seconds: int) -> tuple[str, ...]:
    """Options with which git gives up a transfer that has been silent for so long."""
    return "-c", "http.lowSpeedLimit=1", "-c", f"http.lowSpeedTime={seconds}"


def await_answer(repository: str, seconds: int, cwd: Path) -> None:
    """Return if the repository's host has said anything in the last minute, an error too; else ask it.

    Raises GitError where it says nothing for so many seconds; and at once, without asking, for ten minutes after that.
    """
    address = without_credentials(repository)
    found = _HOST.match(address)
    host, now = found[1] if found else address, time.monotonic()
    if repository.startswith("file:") or now - _answered.get(host, -math.inf) < ANSWER_SECONDS:
        return
    if (ago := now - _silent.get(host, -math.inf)) < LEFT_ALONE_SECONDS:
        asked = f"no answer in {seconds} s from {host}, asked {ago:.0f} s ago"
        raise GitError(f"git: {asked}; is a proxy in the way?")
    line = command(*patience(seconds), "ls-remote", "--quiet", "--", repository, "HEAD")
    nothing = subprocess.DEVNULL
    with subprocess.Popen(
        line, cwd=cwd, stdin=nothing, stdout=nothing, stderr=nothing, env=environment()
    ) as git:
        try:
            git.wait(seconds)
        except subprocess.TimeoutExpired:
            _silent[host] = time.monotonic()
            raise GitError(f"git: no answer in {seconds} s from {host}; is a proxy in the way?") from None
        finally:
            if git.poll() is None:
                kill_tree(git.pid)
    _answered[host] = time.monotonic()
