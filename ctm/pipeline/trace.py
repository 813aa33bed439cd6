"""From an artifact down to what it was made of: the jobs of the ledger, then releases, repositories and commits.

A job that was shown once is not shown again: the tree of a bundle has a few dozen jobs, but millions of ways through
them. `check` hashes files again and compares them with the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ctm.files import sha256_of
from ctm.pipeline.checkout import ROOT
from ctm.pipeline.ledger import LEDGER, Entry, File
from ctm.pipeline.origins import COLLECTS, Source, pins_of, sources_of
from ctm.pipeline.run_records import RunRecords, job_name

WORKERS = min(8, os.cpu_count() or 1)
"""Files that are hashed at the same time: hashlib leaves Python's lock, and a disk likes some."""

DUMP = ".parquet"
"""How the names of raw dumps end."""


@dataclass(frozen=True)
class Node:
    """A file and, below it, what it was made of."""

    path: str
    """Relative to the run; absolute outside of it."""
    made: File | None
    """Its sum and size as they were when it was made; None where no job of the ledger made it."""
    entry: Entry | None
    """The job that made it."""
    read: File | None = None
    """Its sum and size as the job above read it."""
    is_repeated: bool = False
    """Whether its job stands further up already, with all that is below it."""
    inputs: list[Node] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for node in self.inputs:
            yield from node.walk()


@dataclass(frozen=True)
class Fault:
    """A file that is not what the ledger says, and what is wrong with it."""

    path: str
    what: str


def trace(records: RunRecords, path: str, checkout: Path = ROOT) -> Node:
    """The tree below an artifact. Raises KeyError for a path that no job of the ledger made."""
    if path not in records.latest:
        raise KeyError(path)
    return _node(records, File(path, "", 0), checkout, set(), is_top=True)


def _node(records: RunRecords, read: File, checkout: Path, seen: set[str], is_top: bool = False) -> Node:
    entry, made = records.latest.get(read.path), records.files.get(read.path)
    given = None if is_top else read
    if entry is None:
        return Node(read.path, made, None, given)
    if entry.job in seen:
        return Node(read.path, made, entry, given, is_repeated=True)
    seen.add(entry.job)
    node = Node(read.path, made, entry, given)
    if entry.rule.startswith(COLLECTS):
        pins, notes = pins_of(records, entry, checkout)
        node.notes.extend(notes)
        for dump in (file.path for file in entry.outputs if file.path.endswith(DUMP)):
            try:
                node.sources.extend(sources_of(records.run / dump, pins))
            except (OSError, ValueError) as error:
                why = f"{dump} lies in {records.bucket}" if records.bucket else str(error)
                node.notes.append(f"sources not known: {why}")
    node.inputs.extend(_node(records, file, checkout, seen) for file in entry.inputs)
    return node


def check(records: RunRecords, node: Node) -> tuple[int, list[Fault]]:
    """How many files of a tree were hashed again, and what is wrong with them."""
    nodes = list(node.walk())
    files = {one.path: one.made or one.read for one in nodes}
    faults = list(_compare(records.run, [file for file in files.values() if file]))
    for one in nodes:
        if one.entry is None and not Path(one.path).is_absolute():
            faults.append(Fault(one.path, "is not in the ledger: no job is on record that made it"))
        if one.made and one.read and one.made.sha256 != one.read.sha256:
            faults.append(Fault(one.path, _stale(one)))
    return len(files), _once(faults)


def check_all(records: RunRecords) -> tuple[int, list[Fault]]:
    """The same of every artifact of the ledger, and of files that lie among them and that no job made."""
    faults = list(_compare(records.run, list(records.files.values())))
    for entry in records.jobs:
        for read in entry.inputs:
            made = records.files.get(read.path)
            if made and made.sha256 != read.sha256:
                node = Node(read.path, made, records.latest[read.path], read)
                faults.append(Fault(read.path, f"{_stale(node)} ({job_name(entry)} did)"))
            elif made is None and not Path(read.path).is_absolute():
                faults.append(Fault(read.path, f"is not in the ledger, but {job_name(entry)} read it"))
    faults += [
        Fault(path, "is not in the ledger: no job is on record that made it") for path in strangers(records)
    ]
    return len(records.files), _once(faults)


def strangers(records: RunRecords) -> list[str]:
    """Files that lie in a folder of artifacts and that no job of the ledger made, without the ledger itself.

    results/ itself is left out: other commands write there too.
    """
    folders = {str(Path(path).parent) for path in records.latest} - {"results"}
    found = []
    for folder in sorted(folders):
        for path in sorted((records.run / folder).glob("*")):
            name = f"{folder}/{path.name}"
            if path.is_file() and name not in records.latest and name != LEDGER.as_posix():
                found.append(name)
    return found


def _stale(node: Node) -> str:
    assert node.made and node.read
    return (
        f"was made again since (sha256 {node.made.sha256[:16]}…), but what is above it was made from "
        f"{node.read.sha256[:16]}…"
    )


def _compare(run: Path, files: Sequence[File]) -> Iterator[Fault]:
    with ThreadPoolExecutor(WORKERS) as pool:
        yield from filter(None, pool.map(lambda file: _fault(run, file), files))


def _fault(run: Path, file: File) -> Fault | None:
    path = run / file.path  # an absolute path stays what it is
    try:
        size = path.stat().st_size
        found = sha256_of(path) if size == file.size else None
    except FileNotFoundError:
        return Fault(file.path, "is missing")
    except OSError as error:
        return Fault(file.path, f"cannot be read: {error.strerror}")
    if found is None:
        return Fault(file.path, f"differs: {size:,} bytes, {file.size:,} in the ledger")
    if found != file.sha256:
        return Fault(file.path, f"differs: sha256 {found[:16]}…, {file.sha256[:16]}… in the ledger")
    return None


def _once(faults: Iterable[Fault]) -> list[Fault]:
    return list(dict.fromkeys(faults))


def nearest(records: RunRecords, asked: Path) -> str:
    """The path, relative to the run, that a user means: relative to the run, to the working folder, or absolute."""
    if str(asked) in records.latest:
        return asked.as_posix()
    inside = Path(os.path.abspath(asked))
    run = Path(os.path.abspath(records.run))
    return inside.relative_to(run).as_posix() if inside.is_relative_to(run) else asked.as_posix()


def run_of(artifact: Path, directory: Path) -> Path:
    """The folder of the run that an artifact lies in: `directory`, or a folder above it that has a ledger."""
    if (directory / LEDGER).is_file():
        return directory
    for folder in Path(os.path.abspath(artifact)).parents:
        if (folder / LEDGER).is_file():
            return folder
    return directory
