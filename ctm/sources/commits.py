"""Real fixes from git histories: commits whose message names a fix, compared function by function.

The cheapest filter comes first: messages (one in ten is left), then paths, then sizes, and only then contents. What
binds is the yield, 30 to 40 fixes in a thousand commits, not speed.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctm.pairs.record import PAIR_SCHEMA, REJECT_SCHEMA, Origin, Pair, Reject, Writer, make_pair
from ctm.pairs.splits import project_name
from ctm.sources import changes, git, messages
from ctm.sources.changes import ChangeLimits, changed_functions
from ctm.sources.files import deals_to, decode_source, refuse_path
from ctm.sources.repository import About, about

log = logging.getLogger(__name__)
STEP = "collect_commits"
VERSIONS = f"{messages.VERSION};{changes.VERSION}"
BATCH = 200
"""Commits whose contents are held in memory at a time."""


@dataclass(frozen=True)
class CommitSettings(ChangeLimits):
    """How git histories are read."""

    max_commits: int = 200_000
    """Most commits of one repository, newest first."""
    max_functions: int = 3
    """Most functions that a fix changes."""
    max_files: int = 5
    """Most Python files that a fix changes, tests aside."""
    max_bytes: int = 400_000
    """Largest source file that is compared, bytes."""
    max_repository_mb: int = 2000
    """Largest clone, MB on disk."""
    clone_timeout: int = 900
    """Time limit of a clone or a fetch, seconds."""
    git_timeout: int = 300
    """Time limit of any other call of git, seconds."""


def collect(
    repositories: Sequence[str],
    shard: int,
    shards: int,
    settings: CommitSettings,
    work: Path,
    out: Path,
    rejects: Path,
) -> dict[str, int]:
    """Write the fixes of this shard's repositories as pairs without split and category, and the rejects.

    Bare clones are kept in `work`. A repository that fails is a reject. Returns counts of repositories, pairs, rejects.
    """
    counts = {"repositories": 0, "pairs": 0, "rejects": 0}
    with Writer(out, PAIR_SCHEMA) as pairs, Writer(rejects, REJECT_SCHEMA) as refused:
        for repository in repositories:
            name = project_name(repository)
            if not deals_to(name, shard, shards):
                continue
            shown = git.without_credentials(repository)
            key = hashlib.blake2b(repository.encode(), digest_size=6).hexdigest()
            folder = work.absolute() / f"{name}-{key}.git"  # git runs elsewhere
            before = pairs.rows
            try:
                limit = settings.max_repository_mb * 1_000_000
                git.clone_or_fetch(repository, folder, settings.clone_timeout, limit)
                origin = about(folder, name, settings.git_timeout)
                for item in scan(folder, shown, origin, settings):
                    (pairs if isinstance(item, Pair) else refused).write(item)
                counts["repositories"] += 1
                log.info("%s: %d pairs", shown, pairs.rows - before)
            except (git.GitFailed, OSError) as error:
                refused.write(Reject(STEP, "source failed", shown, name, str(error)))
                log.warning("%s: %s", shown, error)
        counts["pairs"], counts["rejects"] = pairs.rows, refused.rows
    return counts


def scan(folder: Path, url: str, origin: About, settings: CommitSettings) -> Iterator[Pair | Reject]:
    """Pairs and rejects of one git directory, newest commit first. Raises git.GitFailed."""
    waiting: list[git.Commit] = []
    for commit in git.log_commits(folder, settings.git_timeout, settings.max_commits):
        if reason := messages.refuse_message(commit.message, commit.author):
            yield Reject(STEP, reason, commit.sha, origin.project)
        else:
            waiting.append(commit)
    for start in range(0, len(waiting), BATCH):
        yield from _scan_batch(folder, url, origin, waiting[start : start + BATCH], settings)


def _scan_batch(
    folder: Path, url: str, origin: About, commits: Sequence[git.Commit], settings: CommitSettings
) -> Iterator[Pair | Reject]:
    wanted: list[tuple[git.Commit, list[git.FileChange]]] = []
    modified = git.changed_files(folder, commits, settings.git_timeout)
    for commit in commits:
        files = [item for item in modified[commit.sha] if not refuse_path(item.path)]
        if not files:
            yield Reject(STEP, "no Python file outside tests", commit.sha, origin.project)
        elif len(files) > settings.max_files:
            yield Reject(STEP, "too many files", commit.sha, origin.project)
        else:
            wanted.append((commit, files))
    names = [name for _, files in wanted for item in files for name in (item.before, item.after)]
    git.prefetch(folder, names, settings.clone_timeout)
    blobs = git.read_blobs(folder, names, settings.git_timeout, settings.max_bytes)
    for commit, files in wanted:
        yield from _scan_commit(commit, files, blobs, url, origin, settings)


def _scan_commit(
    commit: git.Commit,
    files: Sequence[git.FileChange],
    blobs: dict[str, bytes],
    url: str,
    origin: About,
    settings: CommitSettings,
) -> Iterator[Pair | Reject]:
    found: list[tuple[git.FileChange, changes.Change]] = []
    touched = 0
    for file in files:
        if file.before not in blobs or file.after not in blobs:
            yield Reject(STEP, "file too large", f"{commit.sha}:{file.path}", origin.project)
            continue
        before, old_reason = decode_source(blobs[file.before], settings.max_bytes)
        after, reason = decode_source(blobs[file.after], settings.max_bytes)
        if reason := reason or old_reason:
            yield Reject(STEP, reason, f"{commit.sha}:{file.path}", origin.project)
            continue
        changed = changed_functions(before, after, settings)
        touched += len(changed.kept) + len(changed.rejected)
        found += [(file, change) for change in changed.kept]
        for reason, qualname, line in changed.rejected:
            yield Reject(STEP, reason, f"{commit.sha}:{file.path}:{line}", origin.project, qualname)
    if touched > settings.max_functions:
        for file, change in found:
            item = f"{commit.sha}:{file.path}:{change.line}"
            yield Reject(STEP, "commit changes too many functions", item, origin.project, change.qualname)
        return
    link = f"{url.removesuffix('.git')}/commit/{commit.sha}" if url.startswith("https://") else ""
    for file, change in found:
        where = Origin(
            project=origin.project,
            path=file.path,
            qualname=change.qualname,
            line=change.line,
            commit=commit.sha,
            parent=commit.parent,
            url=link,
            licence=origin.licence,
            licence_source=origin.licence_source,
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
