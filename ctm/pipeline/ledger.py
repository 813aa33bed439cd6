"""The ledger of a run: one line for each job that ran, with what went in and what came out, by content.

`results/provenance/ledger.jsonl` below the run's folder grows by one line a job and is never rewritten; it goes where
the results go. The last line of a finished job that made a path is the truth about that path: readers of an artifact
check its sum (`job.py`), and a plan sees what is stale even where Snakemake's own records are gone (`staleness.py`).
A figure that cannot be had is null.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ctm.files import sha256_of

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
FOLDER = Path("results/provenance")
LEDGER = FOLDER / "ledger.jsonl"
DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class File:
    """A file as it was: `path` is relative to the run's folder, or to a bucket; absolute elsewhere. `size` in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Entry:
    """One job, once: a job that failed and was tried again has two."""

    job: str
    """Number of this try, hexadecimal."""
    session: str | None
    """The start of Snakemake that it belongs to: `sessions/SESSION.json` (session.py)."""
    rule: str
    wildcards: tuple[str, ...]
    lineage: str
    """What decided that it ran: `lineage/` has the parts of it (lineage.py), by its first 16 digits."""
    status: str
    """DONE or FAILED."""
    exit: int
    """Exit status of the program; 128 and the signal where one ended it."""
    started: str
    """UTC, as ISO 8601."""
    ended: str
    host: str
    command: tuple[str, ...]
    log: str | None
    inputs: tuple[File, ...]
    outputs: tuple[File, ...]
    declared: dict[str, Any]
    """threads, mem_gb, vram, gpu_percent, runtime (minutes), network_mbps, disk: what the rule asked for."""
    used: dict[str, Any] = field(default_factory=dict)
    """seconds, cpu_seconds, memory_gb (peak of all its processes), vram_gb, read_gb, written_gb, network_gb, energy."""
    format_version: int = FORMAT_VERSION


def append(run: Path, entry: Entry) -> None:
    """Write one line at the ledger's end, synced to the disk. Raises OSError."""
    path = run / LEDGER
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(dataclasses.asdict(entry), allow_nan=False, ensure_ascii=False) + "\n"
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":  # a line that a crash tore
                line = "\n" + line
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def read(run: Path) -> list[Entry]:
    """All entries, oldest first; none where nothing has run yet.

    A line that a crash tore is left out, and the log says so. Raises ValueError for a line of another format.
    """
    path = run / LEDGER
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            given = json.loads(line)
        except ValueError:
            log.warning("%s:%d: a torn line is left out", path, number)
            continue
        found.append(_entry(given, f"{path}:{number}"))
    return found


def _entry(given: Any, place: str) -> Entry:
    if not isinstance(given, dict) or given.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"{place}: not a line of format {FORMAT_VERSION} of this ledger; it was written by another version"
        )
    known = {f.name for f in dataclasses.fields(Entry)}
    given = {key: value for key, value in given.items() if key in known}
    files = {key: tuple(File(**one) for one in given[key]) for key in ("inputs", "outputs")}
    lists = {key: tuple(given[key]) for key in ("wildcards", "command")}
    return Entry(**{**given, **files, **lists})


def latest(entries: Iterable[Entry]) -> dict[str, Entry]:
    """By path of an artifact, the last job that made it and ended well."""
    return {file.path: entry for entry in entries if entry.status == DONE for file in entry.outputs}


def sums(entries: Iterable[Entry]) -> dict[str, File]:
    """By path of an artifact, what it was when it was last made."""
    return {file.path: file for entry in entries if entry.status == DONE for file in entry.outputs}


def file_of(path: Path, run: Path, stored: Path | None = None) -> File:
    """A file as it is now. stored: the folder that a bucket's files lie in (storage.py). Raises OSError."""
    name = path.absolute()
    for folder in filter(None, (stored, run)):
        if name.is_relative_to(folder.absolute()):
            name = name.relative_to(folder.absolute())
            break
    return File(name.as_posix(), sha256_of(path), path.stat().st_size)


def damaged(files: Sequence[File], entries: Sequence[Entry]) -> list[tuple[File, File, Entry]]:
    """Of `files`, those that are not what the ledger says: (found, recorded, the job that made it)."""
    makers = latest(entries)
    known = sums(entries)
    return [
        (file, known[file.path], makers[file.path])
        for file in files
        if file.path in known and known[file.path] != file
    ]
