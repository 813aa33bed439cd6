"""Git as a reader of repositories that may be hostile, and its plumbing streams.

Bare clones only, no hooks, file system monitors, submodules, text conversion or external diffs; every call has a time
limit, clones a size limit too. GitPython clones and fetches; content comes from `git log`, `diff-tree` and
`cat-file --batch`, far faster than its objects.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
_URL = re.compile(r"[a-z][a-z0-9+.-]*://|[^/]+@[^/]+:")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


class GitFailed(RuntimeError):
    """A call of git that ended in an error, took too long or grew too large; the message carries no credentials."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit; `parent` has the names of all its parents, `date` is the committer's day."""

    sha: str
    parent: str
    date: str
    author: str
    message: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """A regular file modified by a commit: object names of both sides."""

    path: str
    before: str
    after: str


def without_credentials(text: str) -> str:
    """`text` with user names and passwords of URLs removed."""
    return _CREDENTIALS.sub("", text)


def is_url(repository: str) -> bool:
    """Whether a configured repository is a URL, not a path."""
    return _URL.match(repository) is not None


def command(*arguments: str, folder: Path | None = None) -> list[str]:
    """A git command line with the settings that make a hostile repository harmless."""
    line = ["git", "--no-pager"]
    if folder is not None:
        line += ["--git-dir", str(folder)]
    for setting in SAFE:
        line += ["-c", setting]
    return [*line, *arguments]


def clone_or_fetch(repository: str, folder: Path, seconds: float, max_bytes: int) -> None:
    """Bring a repository's history into a bare clone in `folder`; blobs of URLs are left out until `prefetch`.

    Raises GitFailed after `seconds`, past `max_bytes` on disk, or with git's own message.
    """
    if folder.exists():
        # A clone appears under its name once complete: what is there is whole, and only grows.
        branch = (
            _output(command("symbolic-ref", "--quiet", "HEAD", folder=folder), b"", seconds).decode().strip()
        )
        line = command("fetch", "--quiet", "--no-tags", "origin", f"+{branch}:{branch}", folder=folder)
        _watched(line, folder, folder, seconds, max_bytes)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    line = command("clone", "--quiet", "--bare", "--single-branch", "--no-tags", "--template=")
    if is_url(repository):
        line += ["--filter=blob:none"]
    try:
        _watched([*line, "--", repository, str(part)], folder.parent, part, seconds, max_bytes)
        part.replace(folder)
    finally:
        if part.exists():
            shutil.rmtree(part, ignore_errors=True)


def _watched(line: Sequence[str], cwd: Path, folder: Path, seconds: float, max_bytes: int) -> None:
    """Run a git command through GitPython; kill it past its time or the folder past its size."""
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
            raise GitFailed(f"git {_verb(line)}: more than {limit}")
    try:
        process.wait()
    except git.GitCommandError as error:
        raise GitFailed(without_credentials(" ".join(str(error.stderr).split()))) from None


def log_commits(folder: Path, seconds: float, limit: int, revision: str = "HEAD") -> Iterator[Commit]:
    """Commits with parents reachable from `revision`, newest first, at most `limit`. Raises GitFailed."""
    line = command(
        "log", "-z", "--min-parents=1", f"--max-count={limit}", "--no-show-signature",
        "--encoding=UTF-8", "--format=%H%n%P%n%cs%n%an <%ae>%n%B", revision, folder=folder,
    )  # fmt: skip
    with _stream(line, seconds) as output:
        for record in _records(output):
            fields = record.decode("utf-8", "replace").split("\n", 4)
            if len(fields) == 5:
                yield Commit(*fields)


def changed_files(folder: Path, commits: Sequence[Commit], seconds: float) -> dict[str, list[FileChange]]:
    """The regular files that each commit modified, by its name; one tree comparison a commit. Raises GitFailed."""
    line = command(
        "diff-tree", "--stdin", "--raw", "-r", "-z", "--no-renames", "--diff-filter=M", "--no-ext-diff",
        "--no-textconv", "--ignore-submodules=all", folder=folder,
    )  # fmt: skip
    output = _output(line, "".join(f"{item.sha}\n" for item in commits).encode(), seconds)
    found: dict[str, list[FileChange]] = {item.sha: [] for item in commits}
    sha, parts = "", iter(output.split(b"\0"))
    for part in parts:
        if part.startswith(b":"):
            modes_old, mode, before, after, _ = part[1:].decode().split(" ")
            path = next(parts).decode("utf-8", "replace")
            if modes_old.startswith("100") and mode.startswith("100"):
                found[sha].append(FileChange(path, before, after))
        elif part:
            sha = part.decode().strip()
    return found


def read_blobs(folder: Path, names: Sequence[str], seconds: float, max_bytes: int) -> dict[str, bytes]:
    """Contents by object name; what is missing, no blob or larger than `max_bytes` is left out. Raises GitFailed."""
    contents: dict[str, bytes] = {}
    unique = list(dict.fromkeys(names))
    with _stream(
        command("cat-file", "--batch", "--buffer", folder=folder), seconds, _lines(unique)
    ) as output:
        for name in unique:
            header = output.readline().split()
            if len(header) != 3:  # "<name> missing"
                continue
            left = int(header[2])
            if header[1] == b"blob" and left <= max_bytes:
                contents[name] = output.read(left)
            else:
                while left:
                    left -= len(output.read(min(left, 1 << 20))) or left
            output.read(1)
    return contents


def is_partial(folder: Path) -> bool:
    """Whether a clone lacks blobs on purpose."""
    return any(folder.glob("objects/pack/*.promisor"))


def prefetch(folder: Path, names: Sequence[str], seconds: float) -> None:
    """Fetch the blobs that a partial clone lacks, in one go: lazy fetching costs a round trip each.

    What was fetched is listed beside the objects, since asking git whether a blob is there would fetch it. Does
    nothing for a whole clone. Raises GitFailed.
    """
    if not is_partial(folder):
        return
    listed = folder / "prefetched"
    known = set(listed.read_text().split()) if listed.exists() else set()
    if missing := [name for name in dict.fromkeys(names) if name not in known]:
        line = command(
            "-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
            "--recurse-submodules=no", "--filter=blob:none", "--stdin", "origin", folder=folder,
        )  # fmt: skip
        _output(line, _lines(missing), seconds)
        with listed.open("a") as file:
            file.write("".join(f"{name}\n" for name in missing))


def head(folder: Path, seconds: float) -> str:
    """Name of the commit that HEAD stands for. Raises GitFailed."""
    return (
        _output(command("rev-parse", "--verify", "HEAD^{commit}", folder=folder), b"", seconds)
        .decode()
        .strip()
    )


def remove_parts(folder: Path) -> None:
    """Remove what clones into `folder` left that were killed. Nobody else may be cloning into it."""
    for part in folder.parent.glob(f".{glob.escape(folder.name)}.*.part"):
        shutil.rmtree(part, ignore_errors=True)


def read_file(folder: Path, path: str, seconds: float, max_bytes: int, revision: str = "HEAD") -> bytes:
    """A file of `revision` by its path; b"" where there is none. Raises GitFailed."""
    names = _output(
        command("rev-parse", "--verify", "--quiet", f"{revision}:{path}", folder=folder), b"", seconds, (0, 1)
    )
    name = names.decode().strip()
    if not name:
        return b""
    prefetch(folder, [name], seconds)
    return read_blobs(folder, [name], seconds, max_bytes).get(name, b"")


def top_level(folder: Path, seconds: float, revision: str = "HEAD") -> list[str]:
    """Names in the top folder of `revision`. Raises GitFailed."""
    return _output(command("ls-tree", "-z", "--name-only", revision, folder=folder), b"", seconds).decode(
        "utf-8", "replace"
    ).split("\0")  # fmt: skip


@contextmanager
def _stream(line: Sequence[str], seconds: float, given: bytes = b"") -> Iterator[IO[bytes]]:
    """Output of a running git, read as it comes; killed after `seconds`, and when the block is left early."""
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
        raise GitFailed(f"git {_verb(line)}: more than {seconds:.0f} s")
    if process.returncode:
        raise GitFailed(f"git {_verb(line)}: {_one_line(b''.join(errors))}")


def _output(line: Sequence[str], given: bytes, seconds: float, good: Sequence[int] = (0,)) -> bytes:
    try:
        done = subprocess.run(line, input=given, capture_output=True, timeout=seconds, env=_environment())
    except subprocess.TimeoutExpired:
        raise GitFailed(f"git {_verb(line)}: more than {seconds:.0f} s") from None
    if done.returncode not in good:
        raise GitFailed(f"git {_verb(line)}: {_one_line(done.stderr)}")
    return done.stdout


def _one_line(stderr: bytes) -> str:
    return without_credentials(" ".join(stderr.decode("utf-8", "replace").split()))


def _records(output: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := output.read1(1 << 16):  # type: ignore[attr-defined]
        *records, rest = (rest + chunk).split(b"\0")
        yield from records
    if rest:
        yield rest


def _lines(names: Sequence[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


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
