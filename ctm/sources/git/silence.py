"""Servers and proxies that accept a connection and say nothing: git alone waits for a quarter of an hour.

Of what is transferred git watches the speed itself, once told. Behind a proxy's CONNECT and in TLS it does not: there
the connection alone may take libcurl 300 s. So a host is asked first for something that any server answers at once.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ctm.sources.git.process import GitError, command, environment, kill_tree

ANSWER_SECONDS = 60
"""Longest silence of a server, before its first answer and within a transfer."""
TRANSIENT = re.compile(
    r"(?i)no answer in|more than \d+ s|too slow|timed? ?out|could not resolve|couldn't connect|failed to connect"
    r"|connection (?:refused|reset|closed)|unreachable|error: (?:429|5\d\d)\b|early eof|hung up|rpc failed|from proxy"
    r"|temporary failure|unexpected disconnect|gnutls|ssl_error|tls connect"
)
_HOST = re.compile(r"((?:[a-z][a-z0-9+.-]*://)?[^/:]+(?::\d+)?)")
_answered: set[str] = set()


def is_transient(message: str) -> bool:
    """Whether git failed for a reason that may be gone tomorrow: the network, a time limit, an overloaded server."""
    return TRANSIENT.search(message) is not None


def patience(seconds: int) -> tuple[str, ...]:
    """Options with which git gives up a transfer that has been silent for so long."""
    return "-c", "http.lowSpeedLimit=1", "-c", f"http.lowSpeedTime={seconds}"


def await_answer(repository: str, seconds: int, cwd: Path) -> None:
    """Return once the repository's host has said anything, an error too; of this process each host is asked once.

    Raises GitError where it says nothing for so many seconds.
    """
    found = _HOST.match(repository)
    host = found[1] if found else repository
    if host in _answered or repository.startswith("file:"):
        return
    line = command(*patience(seconds), "ls-remote", "--quiet", "--", repository, "HEAD")
    nothing = subprocess.DEVNULL
    with subprocess.Popen(
        line, cwd=cwd, stdin=nothing, stdout=nothing, stderr=nothing, env=environment()
    ) as git:
        try:
            git.wait(seconds)
        except subprocess.TimeoutExpired:
            raise GitError(f"git: no answer in {seconds} s; is a proxy in the way?") from None
        finally:
            if git.poll() is None:
                kill_tree(git.pid)
    _answered.add(host)
