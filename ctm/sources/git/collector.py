"""Collecting the fixes of many repositories, in the order of their list, until there are enough or the list ends.

Several are read at a time, each by a process of its own (history.py says what a kill costs); the result depends neither
on how many nor on who is first. Counts say what was asked, scanned and kept; what was not is a reject with its reason.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from ctm.files import write_text
from ctm.pairs.milestones import Milestones
from ctm.pairs.record import PAIR_SCHEMA, REJECT_SCHEMA, Reject, Writer
from ctm.pairs.splits import project_name
from ctm.sources.files import is_in_shard
from ctm.sources.git.commits import STEP, CommitSettings
from ctm.sources.git.history import History
from ctm.sources.git.process import without_credentials
from ctm.sources.git.repositories import OptOut, read_list

log = logging.getLogger(__name__)


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
        milestones.record(max(done, repositories / len(entries)), pairs.rows, repositories=repositories)

    figures: dict[str, Any] = dict.fromkeys(("repositories", "failed", "opted out", "commits"), 0)
    every = [
        None if opted_out.covers(url) else History(url, license, work, state, settings, run)
        for url, license in entries
    ]
    with (
        Writer(out, PAIR_SCHEMA) as pairs,
        Writer(rejects, REJECT_SCHEMA) as refused,
        closing(_advanced(every, threads)) as advanced,
    ):
        for number, (one, (repository, _)) in enumerate(zip(advanced, entries, strict=True)):
            shown, name = without_credentials(repository), project_name(repository)
            if one is None:
                figures["opted out"] += 1
                refused.write(Reject(STEP, "opted out", shown, name))
                passed(number + 1)
                continue
            with one.locked():
                found = one.saved_state()
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


def _advanced(every: Sequence[History | None], threads: int) -> Generator[History | None, None, None]:
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
        waiting: deque[tuple[History | None, Future[None] | None]] = deque()
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


def _advance(one: History) -> None:
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
    """(address, license) of this shard's repositories, each once, in order."""
    given = [(item, "") for item in repositories]
    if listed is not None:
        given += [(item.url, item.license) for item in read_list(listed)]
    own = [item for item in given if is_in_shard(project_name(item[0]), shard, shards)]
    first: dict[str, tuple[str, str]] = {}
    for url, license in own:
        first.setdefault(url.rstrip("/").removesuffix(".git").lower(), (url, license))
    return list(first.values())


def _current_run(path: Path) -> str:
    """Name of the run that is under way: the one that was cut off, or a new one."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        name = uuid.uuid4().hex
        write_text(path, name)
        return name
