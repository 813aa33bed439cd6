"""Runs of the collector in folders of their own, and a collector that is killed again and again.

Shared by the tests on made histories and by the proof on a real one (tests/slow/kill_collector.py).
"""

from __future__ import annotations

import multiprocessing
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ctm.pairs.record import Pair, Reject, read_pairs, read_rejects
from ctm.sources.git import commits
from ctm.sources.git.collector import collect
from ctm.sources.git.commits import CommitSettings


@dataclass(frozen=True)
class Killed:
    """What was done: a folder for each collection that was begun, kills, and how many of them hit what."""

    folders: list[Path]
    kills: int
    moved: int
    """Kills after at least one more batch."""
    cloning: int
    """Kills before a clone was there."""


def run(
    repositories: Sequence[str],
    folder: Path,
    settings: CommitSettings = CommitSettings(),  # noqa: B008
    threads: int = 1,
    listed: Path | None = None,
) -> dict:
    return collect(
        repositories, listed, 0, 1, settings, folder / "work", folder / "state", folder / "out.parquet",
        folder / "rejects.parquet", folder / "counts.json", threads,
    )  # fmt: skip


def results(folder: Path) -> tuple[list[Pair], list[Reject]]:
    return list(read_pairs(folder / "out.parquet")), list(read_rejects(folder / "rejects.parquet"))


def batches_done(folder: Path) -> int:
    return len(list(folder.glob("state/*/*.rejects.parquet")))


def start(
    repositories: Sequence[str], folder: Path, batch: int, threads: int = 1
) -> multiprocessing.process.BaseProcess:
    """A collector of its own; forked, since there are many and imports take longer than the work."""
    process = multiprocessing.get_context("fork").Process(
        target=_child, args=(repositories, folder, batch, threads)
    )
    process.start()
    return process


def _child(repositories: Sequence[str], folder: Path, batch: int, threads: int) -> None:
    commits.BATCH = batch
    run(repositories, folder, threads=threads)


def kill_again_and_again(
    repositories: Sequence[str], place: Path, batch: int, threads: int, kills: int, seed: int, pause: float
) -> Killed:
    """SIGKILL a collector `kills` times, up to two batches and `pause` seconds after each start; then let it end.

    A collector that is quicker than its kill ends a collection; the next one begins anew in another folder.
    """
    draw = random.Random(seed)
    folders, moved, cloning, done = [place / "killed0"], 0, 0, 0
    for _ in range(3 * kills):
        if done == kills:
            break
        folder = folders[-1]
        before = batches_done(folder)
        process = start(repositories, folder, batch, threads)
        until = before + draw.choice((0, 0, 1, 2))
        while process.is_alive() and batches_done(folder) < until:
            time.sleep(0.001)
        time.sleep(draw.random() * pause)
        process.kill()  # and not its helpers: they have to notice
        process.join()
        if process.exitcode == -signal.SIGKILL:
            done += 1
            moved += batches_done(folder) > before
            cloning += not list((folder / "work").glob("*.git"))
        else:
            assert process.exitcode == 0
            folders.append(place / f"killed{len(folders)}")
    last = start(repositories, folders[-1], batch, threads)
    last.join(600)
    assert last.exitcode == 0
    return Killed(folders, done, moved, cloning)
