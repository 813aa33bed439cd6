"""Reads commits, changed files and contents of a git repository with git's plumbing commands, and clones it.

GitPython clones and fetches; content comes from `git log`, `diff-tree` and `cat-file --batch`, far faster than its
objects. How git runs safely is in process.py.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ctm.sources.git.process import command, output, stream, watched

_URL = re.compile(r"[a-z][a-z0-9+.-]*://|[^/]+@[^/]+:")


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit; `parent` has the names of all its parents, `date` is the committer's day."""

    sha: str
    parent: str
    date: str
    author: str
    message: str

    @property
    def first_parent(self) -> str:
        """Name of the parent that the commit was made on."""
        return self.parent.split(" ", 1)[0]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A regular file modified by a commit: object names of both sides."""

    path: str
    before: str
    after: str


def is_url(repository: str) -> bool:
    """Whether a configured repository is a URL, not a path."""
    return _URL.match(repository) is not None


def clone_or_fetch(repository: str, folder: Path, seconds: float, max_bytes: int) -> None:
    """Bring a repository's history into a bare clone in `folder`; blobs of URLs are left out until `prefetch`.

    Raises GitError after `seconds`, past `max_bytes` on disk, or with git's own message.
    """
    if folder.exists():
        # A clone appears under its name once complete: what is there is whole, and only grows.
        branch = (
            output(command("symbolic-ref", "--quiet", "HEAD", folder=folder), b"", seconds).decode().strip()
        )
        line = command("fetch", "--quiet", "--no-tags", "origin", f"+{branch}:{branch}", folder=folder)
        watched(line, folder, folder, seconds, max_bytes)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    line = command("clone", "--quiet", "--bare", "--single-branch", "--no-tags", "--template=")
    if is_url(repository):
        line += ["--filter=blob:none"]
    try:
        watched([*line, "--", repository, str(part)], folder.parent, part, seconds, max_bytes)
        part.replace(folder)
    finally:
        if part.exists():
            shutil.rmtree(part, ignore_errors=True)


def log_commits(folder: Path, seconds: float, limit: int, revision: str = "HEAD") -> Iterator[Commit]:
    """Commits with parents reachable from `revision`, newest first, at most `limit`. Raises GitError."""
    line = command(
        "log", "-z", "--min-parents=1", f"--max-count={limit}", "--no-show-signature",
        "--encoding=UTF-8", "--format=%H%n%P%n%cs%n%an <%ae>%n%B", revision, folder=folder,
    )  # fmt: skip
    with stream(line, seconds) as log:
        for record in _records(log):
            fields = record.decode("utf-8", "replace").split("\n", 4)
            if len(fields) == 5:
                yield Commit(*fields)


def changed_files(folder: Path, commits: Sequence[Commit], seconds: float) -> dict[str, list[FileChange]]:
    """The regular files that each commit modified against its first parent, by its name. Raises GitError."""
    line = command(
        "diff-tree", "--stdin", "--raw", "-r", "-z", "--no-renames", "--diff-filter=M", "--no-ext-diff",
        "--no-textconv", "--ignore-submodules=all", folder=folder,
    )  # fmt: skip
    given = _lines(
        [f"{item.sha} {item.first_parent}" for item in commits]
    )  # a merge is compared with one parent too
    listed = output(line, given, seconds)
    found: dict[str, list[FileChange]] = {item.sha: [] for item in commits}
    sha, parts = "", iter(listed.split(b"\0"))
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
    """Contents by object name; what is missing, no blob or larger than `max_bytes` is left out. Raises GitError."""
    contents: dict[str, bytes] = {}
    unique = list(dict.fromkeys(names))
    with stream(
        command("cat-file", "--batch", "--buffer", folder=folder), seconds, _lines(unique)
    ) as objects:
        for name in unique:
            header = objects.readline().split()
            if len(header) != 3:  # "<name> missing"
                continue
            left = int(header[2])
            if header[1] == b"blob" and left <= max_bytes:
                contents[name] = objects.read(left)
            else:
                while left:
                    left -= len(objects.read(min(left, 1 << 20))) or left
            objects.read(1)
    return contents


def is_partial(folder: Path) -> bool:
    """Whether a clone lacks blobs on purpose."""
    return any(folder.glob("objects/pack/*.promisor"))


def prefetch(folder: Path, names: Sequence[str], seconds: float) -> None:
    """Fetch the blobs that a partial clone lacks, in one go: lazy fetching costs a round trip each.

    What was fetched is listed beside the objects, since asking git whether a blob is there would fetch it. Does
    nothing for a whole clone. Raises GitError.
    """
    if not is_partial(folder):
        return
    listed = folder / "prefetched"
    known = set(listed.read_text(encoding="utf-8").split()) if listed.exists() else set()
    if missing := [name for name in dict.fromkeys(names) if name not in known]:
        line = command(
            "-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
            "--recurse-submodules=no", "--filter=blob:none", "--stdin", "origin", folder=folder,
        )  # fmt: skip
        output(line, _lines(missing), seconds)
        with listed.open("a", encoding="utf-8") as file:
            file.write("".join(f"{name}\n" for name in missing))


def head(folder: Path, seconds: float) -> str:
    """Name of the commit that HEAD stands for. Raises GitError."""
    return (
        output(command("rev-parse", "--verify", "HEAD^{commit}", folder=folder), b"", seconds)
        .decode()
        .strip()
    )


def origin_url(repository: Path, seconds: float) -> str:
    """The address of the remote `origin` that a repository on disk states, "" where there is none."""
    folder = repository / ".git" if (repository / ".git").exists() else repository
    line = command("config", "--local", "--get", "remote.origin.url", folder=folder)
    return output(line, b"", seconds, (0, 1, 128)).decode("utf-8", "replace").strip()


def remove_parts(folder: Path) -> None:
    """Remove what clones into `folder` left that were killed. Nobody else may be cloning into it."""
    for part in folder.parent.glob(f".{glob.escape(folder.name)}.*.part"):
        shutil.rmtree(part, ignore_errors=True)


def read_file(folder: Path, path: str, seconds: float, max_bytes: int, revision: str = "HEAD") -> bytes:
    """A file of `revision` by its path; b"" where there is none. Raises GitError."""
    names = output(
        command("rev-parse", "--verify", "--quiet", f"{revision}:{path}", folder=folder), b"", seconds, (0, 1)
    )
    name = names.decode().strip()
    if not name:
        return b""
    prefetch(folder, [name], seconds)
    return read_blobs(folder, [name], seconds, max_bytes).get(name, b"")


def top_level(folder: Path, seconds: float, revision: str = "HEAD") -> list[str]:
    """Names in the top folder of `revision`. Raises GitError."""
    return output(command("ls-tree", "-z", "--name-only", revision, folder=folder), b"", seconds).decode(
        "utf-8", "replace"
    ).split("\0")  # fmt: skip


def _records(pipe: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := pipe.read1(1 << 16):  # type: ignore[attr-defined]
        *records, rest = (rest + chunk).split(b"\0")
        yield from records
    if rest:
        yield rest


def _lines(names: Sequence[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()
