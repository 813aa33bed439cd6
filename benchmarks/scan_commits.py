"""Scanning a git history for bug fixes, against the usual loops over GitPython's and PyDriller's commits and diffs.

All give the same pairs. Both loops look at the files of each commit and then at its message, as miners of repositories
do; without PyDriller, a development dependency, its record is left out. CTM_BENCH_REPOSITORY names a repository;
without it, one of several hundred commits is made from the standard library with `git fast-import`.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import git as gitpython

try:
    import pydriller
except ImportError:
    pydriller = None

from ctm.pairs.record import Pair, pair_id
from ctm.sources.changes.functions import changed_functions
from ctm.sources.files import decode_source, path_reject_reason
from ctm.sources.git import plumbing
from ctm.sources.git.commits import CommitSettings, scan
from ctm.sources.git.messages import MessageFilter, reverted_commits
from ctm.sources.git.repository import About

COMMITS = 1000
FILES = 60
ROUNDS = 3
MESSAGES = ("Fix crash on empty input", *("Add an option to the command",) * 9)
"""One commit in ten names a fix, as in real histories (flask: 90 in 1,000)."""
TESTS_ONLY = 0.45
"""Share of the commits that change tests only (flask, of the commits that name a fix: 43 %)."""


class Author(Protocol):
    """Who wrote a commit, as both libraries have it."""

    name: str | None
    email: str | None


def make_repository(folder: Path) -> None:
    """A bare repository in which each commit changes a line of a few files of the standard library."""
    rng = random.Random(0)
    library = Path(sysconfig.get_paths()["stdlib"])
    chosen = sorted(path for path in library.glob("*.py") if 4_000 < path.stat().st_size < 50_000)[:FILES]
    texts = {
        f"{'tests' if index % 3 == 0 else 'src'}/{path.name}": path.read_text("utf-8").split("\n")
        for index, path in enumerate(chosen)
    }
    stream: list[bytes] = []

    def commit(message: str, names: list[str], number: int) -> None:
        stream.append(b"commit refs/heads/main\n")
        stream.append(b"committer A <a@example.org> %d +0000\n" % (1_500_000_000 + number))
        stream.append(b"data %d\n%s\n" % (len(message.encode()), message.encode()))
        for name in names:
            data = "\n".join(texts[name]).encode()
            stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(data), data))

    commit("Start", list(texts), 0)
    for number in range(1, COMMITS):
        folder_name = "tests/" if rng.random() < TESTS_ONLY else "src/"
        names = rng.sample([name for name in texts if name.startswith(folder_name)], rng.choice((1, 1, 2, 3)))
        for name in names:
            lines = texts[name]
            places = [index for index, line in enumerate(lines) if " == " in line or " != " in line]
            if places:
                place = rng.choice(places)
                old, new = (" == ", " != ") if " == " in lines[place] else (" != ", " == ")
                lines[place] = lines[place].replace(old, new, 1)
        commit(MESSAGES[number % len(MESSAGES)], names, number)
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder)], check=True)
    importer = ["git", "--git-dir", str(folder), "fast-import", "--quiet"]
    subprocess.run(importer, input=b"".join(stream), check=True)
    subprocess.run(["git", "--git-dir", str(folder), "repack", "-adq"], check=True)  # as a server sends it


def ours(folder: Path) -> set[str]:
    """Identities of the pairs that the source's own scan finds."""
    found = scan(folder, "", About("bench", "MIT", "bench"), CommitSettings())
    return {item.pair_id for item in found if isinstance(item, Pair)}


def by_gitpython(folder: Path) -> set[str]:
    """The same pairs by GitPython: every commit's diff and the blobs of its files, then the same filters."""
    settings = CommitSettings()
    named = MessageFilter(settings.messages, settings.bots)
    pairs: set[str] = set()
    reverted: tuple[str, ...] = ()
    for commit in gitpython.Repo(folder).iter_commits():  # newest first: reverts come before what they revert
        reverted += tuple(reverted_commits(_message(commit)))
        if not any(commit.hexsha.startswith(name) for name in reverted):
            pairs.update(_fixes(commit, settings, named))
    return pairs


def _message(commit: gitpython.Commit) -> str:
    text = commit.message
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def _fixes(commit: gitpython.Commit, settings: CommitSettings, named: MessageFilter) -> Iterator[str]:
    if len(commit.parents) != 1:
        return
    sides = [
        (diff.a_blob.data_stream.read(), diff.b_blob.data_stream.read())
        for diff in commit.parents[0].diff(commit, no_renames=True)
        if diff.change_type == "M"
        and diff.a_blob
        and diff.b_blob
        and not path_reject_reason(diff.b_path or "")
    ]
    yield from _kept(sides, _message(commit), commit.author, settings, named)


def by_pydriller(folder: Path) -> set[str]:
    """The same pairs by PyDriller."""
    settings = CommitSettings()
    named = MessageFilter(settings.messages, settings.bots)
    pairs: set[str] = set()
    reverted: tuple[str, ...] = ()
    for commit in pydriller.Repository(str(folder), order="reverse").traverse_commits():
        reverted += tuple(reverted_commits(commit.msg))
        if len(commit.parents) != 1 or any(commit.hash.startswith(name) for name in reverted):
            continue
        sides = [
            (file.content_before, file.content)
            for file in commit.modified_files
            if file.change_type is pydriller.ModificationType.MODIFY and not path_reject_reason(file.new_path)
        ]
        pairs.update(_kept(sides, commit.msg, commit.author, settings, named))
    return pairs


def _kept(
    files: list[tuple[bytes, bytes]],
    message: str,
    author: Author,
    settings: CommitSettings,
    named: MessageFilter,
) -> Iterator[str]:
    """What the filters leave of a commit."""
    if named.refuse(message, f"{author.name} <{author.email}>") or len(files) > settings.max_files:
        return
    kept, touched = [], 0
    for sides in files:
        (before, bad), (after, worse) = (decode_source(side, settings.max_bytes) for side in sides)
        if bad or worse:
            continue
        changes = changed_functions(before, after, settings)
        touched += len(changes.kept) + len(changes.rejected)
        kept += [pair_id(change.before, change.after) for change in changes.kept]
    if touched <= settings.max_functions:
        yield from kept


def _timed(function: Callable[[Path], set[str]], folder: Path) -> tuple[float, set[str]]:
    start = time.perf_counter()
    result = function(folder)
    return time.perf_counter() - start, result


def run() -> list[dict[str, object]]:
    """Commits a second of each, medians of interleaved rounds. Raises RuntimeError where their pairs differ."""
    scanners = {"ours": ours, "GitPython diff loop": by_gitpython}
    if pydriller is None:
        print("scan_commits_pydriller is left out: `pip install pydriller` brings it", file=sys.stderr)
    else:
        scanners["PyDriller loop"] = by_pydriller
    with tempfile.TemporaryDirectory() as place:
        given = os.environ.get("CTM_BENCH_REPOSITORY")
        folder = Path(place) / "bench.git"
        if given:
            plumbing.clone_or_fetch(given, folder, 600, 4_000_000_000)
        else:
            make_repository(folder)
        number = sum(1 for _ in plumbing.log_commits(folder, 600, 1_000_000))
        times: dict[str, list[float]] = {name: [] for name in scanners}
        for _ in range(ROUNDS):
            found = {}
            for name, scanner in scanners.items():
                seconds, found[name] = _timed(scanner, folder)
                times[name].append(seconds)
                if found[name] != found["ours"]:
                    raise RuntimeError(f"{len(found['ours'])} pairs here, other {len(found[name])} by {name}")
    rates = {name: number / statistics.median(values) for name, values in times.items()}
    return [
        {
            "name": name, "unit": "commits/s", "ours": rates["ours"], "rival": rates[rival], "rival_name": rival,
            "ratio": rates["ours"] / rates[rival], "n": number, "threads": 1,
        }
        for name, rival in zip(("scan_commits", "scan_commits_pydriller"), list(scanners)[1:], strict=False)
    ]  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
