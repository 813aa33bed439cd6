"""Collecting the fixes of many repositories so that a kill at any moment costs one batch of work, and nothing else.

Each repository has a state file (JSON: the commit it is read at, the batches that are done, errors) and a Parquet file
of each batch; both appear under their names once whole, the batch first. A batch is made from the same commits whenever
it is made, so that one that was cut off is made again over itself. A run that ended leaves the states: the next one
fetches, and reads again only the repositories that have moved.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import multiprocessing
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from ctm.pairs.milestones import Milestones, write_json
from ctm.pairs.record import (
    PAIR_SCHEMA,
    REJECT_SCHEMA,
    Pair,
    Reject,
    Writer,
    read_pairs,
    read_rejects,
)
from ctm.pairs.splits import project_name
from ctm.sources import commits, git
from ctm.sources.commits import STEP, VERSIONS, CommitSettings, batches
from ctm.sources.files import deals_to
from ctm.sources.repositories import OptOut, read_list
from ctm.sources.repository import About, about

log = logging.getLogger(__name__)
FORMAT_VERSION = 1


@dataclass
class State:
    """Where the collection of one repository stands. `head` is the commit that it is read at, "" before a clone."""

    repository: str
    settings: str
    run: str = ""
    head: str = ""
    batches: int = 0
    commits: int = 0
    pairs: int = 0
    rejects: int = 0
    done: bool = False
    errors: list[str] = field(default_factory=list)
    format_version: int = FORMAT_VERSION


def collect(
    repositories: Sequence[str],
    listed: Path | None,
    shard: int,
    shards: int,
    settings: CommitSettings,
    work: Path,
    state: Path,
    out: Path,
    rejects: Path,
    counts: Path | None = None,
    threads: int = 1,
) -> dict[str, Any]:
    """Write the fixes of this shard's repositories as pairs without split and category, the rejects, and counts.

    `repositories` come first, then those of the list `listed` (CSV) in its order. Bare clones are kept in `work`,
    states in `state`; `threads` repositories are read at a time, and the result does not depend on it. A repository
    that fails is a reject. Returns the counts. Raises ValueError for a list that cannot be read.
    """
    part = f"{shard + 1}-of-{shards}"
    run = _current_run(state / f"{part}.run")
    wanted = -(-settings.pairs // shards)
    entries = _dealt(repositories, listed, shard, shards)
    opted_out = OptOut(settings.opt_out)
    milestones = Milestones()

    def passed(repositories: int) -> None:
        done = pairs.rows / wanted if wanted else 0.0
        milestones.at(max(done, repositories / len(entries)), pairs.rows, repositories=repositories)

    figures: dict[str, Any] = dict.fromkeys(("repositories", "failed", "opted out", "commits"), 0)
    every = [
        None if opted_out.covers(url) else _Repository(url, licence, work, state, settings, run)
        for url, licence in entries
    ]
    with (
        Writer(out, PAIR_SCHEMA) as pairs,
        Writer(rejects, REJECT_SCHEMA) as refused,
        closing(_advanced(every, threads)) as advanced,
    ):
        for number, (one, (repository, _)) in enumerate(zip(advanced, entries, strict=True)):
            shown, name = git.without_credentials(repository), project_name(repository)
            if one is None:
                figures["opted out"] += 1
                refused.write(Reject(STEP, "opted out", shown, name))
                passed(number + 1)
                continue
            with one.locked():
                found = one.known()
                one.copy(pairs, refused)
            failed = not found.done
            figures["failed" if failed else "repositories"] += 1
            figures["commits"] += found.commits
            if failed:
                refused.write(Reject(STEP, "source failed", shown, name, found.errors[-1]))
            log.info(
                "repository %d/%d %s: %s", number + 1, len(entries), shown, found.errors[-1] if failed else
                f"{found.commits} commits, {found.pairs} pairs",
            )  # fmt: skip
            passed(number + 1)
            if wanted and pairs.rows >= wanted:
                break
    reached = bool(wanted) and pairs.rows >= wanted
    figures |= {
        "listed": len(entries), "asked": wanted, "pairs": pairs.rows, "rejects": refused.rows,
        "ended": "the number was reached" if reached else "the list ended",
    }  # fmt: skip
    milestones.write(counts, pairs.rows, figures)
    log.info("%s: asked for %s pairs, kept %d of %d commits; %s", part, wanted or "all", pairs.rows,
             figures["commits"], figures["ended"])  # fmt: skip
    (state / f"{part}.run").unlink()
    return figures


class _Repository:
    """One repository: its clone, its state and the files of its batches."""

    def __init__(
        self, url: str, licence: str, work: Path, state: Path, settings: CommitSettings, run: str
    ) -> None:
        self.url, self.licence, self.settings, self.run = url, licence, settings, run
        self.name = project_name(url)
        key = hashlib.blake2b(url.encode(), digest_size=6).hexdigest()
        self.label = f"{self.name}-{key}"
        self.folder = work.absolute() / f"{self.label}.git"  # git runs elsewhere
        self.place = state / self.label
        self.file = self.place / "state.json"
        # what a batch holds depends on these; how many pairs are asked for in all does not
        plain = {
            **asdict(replace(settings, pairs=0, opt_out=())),
            "versions": VERSIONS,
            "batch": commits.BATCH,
            "licence": licence,
        }
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
        self.state = State(git.without_credentials(url), digest)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else works on this repository: a job that was started twice waits for itself."""
        self.place.mkdir(parents=True, exist_ok=True)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            for path in (self.folder.with_suffix(".lock"), self.place / ".lock"):
                fcntl.flock(stack.enter_context(path.open("w")), fcntl.LOCK_EX)
            yield

    def known(self) -> State:
        """The state as it is on disk."""
        self._load()
        return self.state

    def advance(self) -> None:
        """Do what is left to do; an error of git or of the disk ends it and is noted in the state."""
        self._load()
        try:
            if self.state.run == self.run and self.state.done:
                return
            self._bring()
            self._scan()
        except (git.GitFailed, OSError) as error:
            self.state.errors.append(git.without_credentials(str(error)) or type(error).__name__)
            log.warning("%s: %s", self.state.repository, self.state.errors[-1])
            self._save()

    def copy(self, pairs: Writer, refused: Writer) -> None:
        """Append all that was collected."""
        for number in range(self.state.batches):
            for pair in read_pairs(self._batch(number, "pairs")):
                pairs.write(pair)
            for reject in read_rejects(self._batch(number, "rejects")):
                refused.write(reject)

    def _load(self) -> None:
        try:
            known = State(**json.loads(self.file.read_text()))
        except FileNotFoundError:
            return
        except (ValueError, TypeError):
            log.warning("%s: cannot be read; the repository is collected anew", self.file)
            return
        if known.settings == self.state.settings and known.format_version == FORMAT_VERSION:
            self.state = known

    def _save(self) -> None:
        write_json(self.file, asdict(self.state))

    def _bring(self) -> None:
        """Have the clone, at the commit that the state names if the repository is half read."""
        state, limit = self.state, self.settings.max_repository_mb * 1_000_000
        if state.head and not state.done and self.folder.exists():
            state.run = self.run
            return
        git.remove_parts(self.folder)
        git.clone_or_fetch(self.url, self.folder, self.settings.clone_timeout, limit)
        head = git.head(self.folder, self.settings.git_timeout)
        if not (state.done and state.head == head):
            self.state = state = replace(
                state, head=head, batches=0, commits=0, pairs=0, rejects=0, done=False, errors=[]
            )
        state.run = self.run
        self._save()

    def _scan(self) -> None:
        state, settings = self.state, self.settings
        if state.done:
            return
        origin = about(self.folder, self.name, settings.git_timeout, state.head)
        if self.licence and not origin.licence:
            origin = About(origin.project, self.licence, "list of repositories")
        for number, batch in enumerate(batches(self.folder, state.repository, origin, settings, state.head)):
            if number < state.batches:
                continue
            with (
                Writer(self._batch(number, "pairs"), PAIR_SCHEMA) as pairs,
                Writer(self._batch(number, "rejects"), REJECT_SCHEMA) as refused,
            ):
                for item in batch.read():
                    (pairs if isinstance(item, Pair) else refused).write(item)
            state.batches, state.commits = number + 1, state.commits + batch.commits
            state.pairs, state.rejects = state.pairs + pairs.rows, state.rejects + refused.rows
            self._save()
        state.done = True
        self._save()

    def _batch(self, number: int, kind: str) -> Path:
        return self.place / f"{number:05d}.{kind}.parquet"


def _advanced(every: Sequence[_Repository | None], threads: int) -> Generator[_Repository | None, None, None]:
    """The repositories in order, each once it has been read; some are read ahead in processes of their own."""
    if threads < 2 or len(every) < 2:
        for one in every:
            if one is not None:
                _advance(one)
            yield one
        return
    # spawned, since the caller may have threads; each ends with the process that started it
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(threads, context, _end_with, (os.getpid(),)) as pool:
        waiting: deque[tuple[_Repository | None, Future[None] | None]] = deque()
        rest = iter(every)
        try:
            while True:
                for one in islice(rest, 2 * threads - len(waiting)):
                    waiting.append((one, None if one is None else pool.submit(_advance, one)))
                if not waiting:
                    return
                one, future = waiting.popleft()
                if future is not None:
                    future.result()
                yield one
        finally:
            pool.shutdown(cancel_futures=True)


def _advance(one: _Repository) -> None:
    with one.locked():
        one.advance()


def _end_with(parent: int) -> None:
    """In a process of the pool: end when the one that started it is gone, killed for example."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _dealt(
    repositories: Sequence[str], listed: Path | None, shard: int, shards: int
) -> list[tuple[str, str]]:
    """(address, licence) of this shard's repositories, each once, in order."""
    given = [(item, "") for item in repositories]
    if listed is not None:
        given += [(item.url, item.licence) for item in read_list(listed)]
    own = [item for item in given if deals_to(project_name(item[0]), shard, shards)]
    first: dict[str, tuple[str, str]] = {}
    for url, licence in own:
        first.setdefault(url.rstrip("/").removesuffix(".git").lower(), (url, licence))
    return list(first.values())


def _current_run(path: Path) -> str:
    """Name of the run that is under way: the one that was cut off, or a new one."""
    try:
        return path.read_text()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        name = uuid.uuid4().hex
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        part.write_text(name)
        part.replace(path)
        return name
