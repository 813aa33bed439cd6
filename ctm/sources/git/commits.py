"""Real fixes from git histories: commits whose message names a fix, compared function by function.

The cheapest filter comes first: messages (one in ten is left), then paths, then sizes, and only then contents. What
binds is the yield, 20 to 50 fixes in a thousand commits that are no merges, not speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ctm.bounds import Amount, Count, Megabytes, Seconds
from ctm.pairs.record import Origin, Pair, Reject, day, make_pair
from ctm.sources.changes import cosmetic, functions
from ctm.sources.changes.functions import FixLimits, changed_functions
from ctm.sources.files import decode_source, path_reject_reason
from ctm.sources.git import messages, plumbing
from ctm.sources.git.messages import MessageFilter, MessageRules
from ctm.sources.git.repository import About

STEP = "collect_commits"
VERSIONS = f"{messages.VERSION};{functions.VERSION};{cosmetic.VERSION}"
BATCH = 200
"""Commits whose contents are held in memory at a time."""


@dataclass(frozen=True)
class CommitSettings(FixLimits):
    """How git histories are read."""

    pairs: Amount = 0
    """Pairs asked for, shared equally by the shards; repositories are read in order until there are so many. 0: all."""
    opt_out: tuple[str, ...] = ()
    """Repositories that are not read, wherever they are listed: `owner/name`, `owner/*`, a URL or a path."""
    messages: MessageRules = MessageRules()
    """Which messages name a fix."""
    merges: bool = False
    """Whether merge commits are read, as one change against the first parent; git's line in their message is not."""
    bots: bool = False
    """Whether commits by bots are read."""
    reverted: bool = False
    """Whether commits that a later one reverts are read."""
    max_commits: Count = 200_000
    """Most commits of one repository, merges included, newest first."""
    max_functions: Count = 2
    """Most functions that a fix changes; of commits that change three, half of the functions only go along with it."""
    max_files: Count = 5
    """Most Python files that a fix changes, tests aside."""
    max_bytes: Count = 400_000
    """Largest source file that is compared, bytes."""
    max_repository_mb: Megabytes = 2000
    """Largest clone, MB on disk."""
    clone_timeout: Seconds = 900
    """Time limit of a clone or a fetch, seconds."""
    git_timeout: Seconds = 300
    """Time limit of any other call of git, seconds."""


@dataclass(frozen=True)
class CommitBatch:
    """Some commits of a repository, in the order of its log; `read` compares their contents."""

    commits: int
    read: Callable[[], Iterable[Pair | Reject]]


def scan(folder: Path, url: str, origin: About, settings: CommitSettings) -> Iterator[Pair | Reject]:
    """Pairs and rejects of one git directory, newest commit first. Raises git.GitError."""
    for batch in batches(folder, url, origin, settings):
        yield from batch.read()


def batches(
    folder: Path, url: str, origin: About, settings: CommitSettings, revision: str = "HEAD"
) -> Iterator[CommitBatch]:
    """The work on one git directory in parts that are always the same for the same `revision` and settings.

    The first has what the log alone refuses; the contents of the others are read when they are asked for.
    Raises git.GitError.
    """
    named = MessageFilter(settings.messages, settings.bots)
    waiting: list[plumbing.Commit] = []
    refused: list[Reject] = []
    reverted: set[str] = set()
    lengths: set[int] = set()  # names may be abbreviated
    for commit in plumbing.log_commits(folder, settings.git_timeout, settings.max_commits, revision):
        if names := messages.reverted_commits(commit.message):  # the log is newest first: reverts come before
            reverted.update(names)
            lengths.update(map(len, names))
            reason = "reverts a commit"
        elif " " in commit.parent and not settings.merges:
            reason = "merge commit"
        elif not settings.reverted and any(commit.sha[:n] in reverted for n in lengths):
            reason = "reverted later"
        else:
            reason = named.refuse(_own_message(commit), commit.author)
        if reason:
            refused.append(Reject(STEP, reason, commit.sha, origin.project))
        else:
            waiting.append(commit)
    yield CommitBatch(len(refused), lambda: refused)
    for start in range(0, len(waiting), BATCH):
        part = waiting[start : start + BATCH]
        yield CommitBatch(len(part), partial(_scan_batch, folder, url, origin, part, settings))


def _own_message(commit: plumbing.Commit) -> str:
    """The message without the line that git writes for a merge."""
    first, _, rest = commit.message.partition("\n")
    return rest.lstrip() if " " in commit.parent and first.startswith("Merge") else commit.message


def _scan_batch(
    folder: Path, url: str, origin: About, commits: Sequence[plumbing.Commit], settings: CommitSettings
) -> Iterator[Pair | Reject]:
    wanted: list[tuple[plumbing.Commit, list[plumbing.FileChange]]] = []
    modified = plumbing.changed_files(folder, commits, settings.git_timeout)
    for commit in commits:
        files = [item for item in modified[commit.sha] if not path_reject_reason(item.path, settings.tests)]
        if not files:
            yield Reject(STEP, "no Python file outside tests", commit.sha, origin.project)
        elif len(files) > settings.max_files:
            yield Reject(STEP, "too many files", commit.sha, origin.project)
        else:
            wanted.append((commit, files))
    names = [name for _, files in wanted for item in files for name in (item.before, item.after)]
    named = MessageFilter(settings.messages, settings.bots)
    plumbing.prefetch(folder, names, settings.clone_timeout)
    blobs = plumbing.read_blobs(folder, names, settings.git_timeout, settings.max_bytes)
    for commit, files in wanted:
        doubtful = named.doubts(_own_message(commit))
        yield from _scan_commit(commit, files, blobs, url, origin, settings, doubtful)


def _scan_commit(
    commit: plumbing.Commit,
    files: Sequence[plumbing.FileChange],
    blobs: dict[str, bytes],
    url: str,
    origin: About,
    settings: CommitSettings,
    doubtful: bool,
) -> Iterator[Pair | Reject]:
    found: list[tuple[plumbing.FileChange, functions.FunctionChange]] = []
    touched = unread = 0
    for file in files:
        if file.before not in blobs or file.after not in blobs:
            yield Reject(STEP, "file too large", f"{commit.sha}:{file.path}", origin.project)
            unread += 1
            continue
        before, old_reason = decode_source(blobs[file.before], settings.max_bytes)
        after, reason = decode_source(blobs[file.after], settings.max_bytes)
        if reason := reason or old_reason:
            yield Reject(STEP, reason, f"{commit.sha}:{file.path}", origin.project)
            unread += 1
            continue
        changed = changed_functions(before, after, settings)
        touched += len(changed.kept) + len(changed.rejected)
        found += [(file, change) for change in changed.kept]
        for reason, qualname, line in changed.rejected:
            yield Reject(STEP, reason, f"{commit.sha}:{file.path}:{line}", origin.project, qualname)
    if not touched and not unread:
        yield Reject(STEP, "no function changed", commit.sha, origin.project)
    if touched > settings.max_functions:
        for file, change in found:
            item = f"{commit.sha}:{file.path}:{change.line}"
            yield Reject(STEP, "commit changes too many functions", item, origin.project, change.qualname)
        return
    link = f"{url.removesuffix('.git')}/commit/{commit.sha}" if url.startswith("https://") else ""
    for file, change in found:
        if doubtful and cosmetic.is_cosmetic(change.before, change.after):
            item = f"{commit.sha}:{file.path}:{change.line}"
            yield Reject(STEP, "does what its subject names", item, origin.project, change.qualname)
            continue
        where = Origin(
            project=origin.project,
            path=file.path,
            qualname=change.qualname,
            line=change.line,
            commit=commit.sha,
            parent=commit.first_parent,
            url=link,
            license=origin.license,
            license_source=origin.license_source,
            date=day(commit.date),
        )
        yield make_pair(
            change.before,
            change.after,
            category="",
            kind="commit",
            source="commit",
            split="",
            group=origin.project,
            origin=where,
            filters=VERSIONS,
        )
