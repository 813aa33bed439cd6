"""Where an artifact of a collecting rule came from: releases with the sum of their archive, repositories and commits.

Read from the raw dump itself, whose rows carry their origin, and from the pinned lists, whose sum the lineage holds.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ctm.pairs.record import Origin
from ctm.parquet import parquet_file
from ctm.pipeline.ledger import Entry
from ctm.pipeline.run_records import RunRecords
from ctm.sources.pypi.pins import read_pins

COLUMNS = ("project", "version_from", "version_to", "url", "commit")
COLLECTS = "collect_"
"""How the names of rules begin whose results come from outside of the run."""


@dataclass(frozen=True)
class Source:
    """Something outside of the run that rows of a raw dump came from."""

    name: str
    """A release ("click 8.0.1"), a repository, a page."""
    rows: int
    """How many rows of the dump."""
    sha256: str | None = None
    """Of the archive of a release, as it is pinned; None: not known, or no release."""
    commits: tuple[str, ...] = ()
    """Of a repository: the commits that rows came from."""

    @property
    def text(self) -> str:
        """One line."""
        rows = f"{self.rows:,} row{'s' * (self.rows != 1)}"
        if self.commits:
            return f"{self.name}, {len(self.commits):,} commit{'s' * (len(self.commits) != 1)}, {rows}"
        known = f"sha256 {self.sha256}" if self.sha256 else "no pinned sum"
        return f"{self.name}, {known}, {rows}" if " " in self.name else f"{self.name}, {rows}"


def sources_of(dump: Path, pins: dict[tuple[str, str], str]) -> list[Source]:
    """What the rows of a raw dump came from, by name. pins: sha256 of an archive by project and version.

    Empty for a Parquet file of others' columns. Raises ValueError for one that is damaged, or none; OSError.
    """
    releases: Counter[str] = Counter()
    sums: dict[str, str | None] = {}
    repositories: Counter[str] = Counter()
    commits: defaultdict[str, set[str]] = defaultdict(set)
    for project, before, after, url, commit, rows in _origins(dump):
        if commit:
            place = url.partition("/commit/")[0] or project
            repositories[place] += rows
            commits[place].add(commit)
        elif after:
            for version in filter(None, (before, after)):
                release = f"{project} {version}"
                releases[release] += rows
                sums[release] = pins.get((project, version))
        else:
            repositories[url or project] += rows
    found = [Source(name, rows, sums[name]) for name, rows in releases.items()]
    found += [Source(name, rows, commits=tuple(sorted(commits[name]))) for name, rows in repositories.items()]
    return sorted(found, key=lambda source: source.name)


def pins_of(
    records: RunRecords, entry: Entry, checkout: Path
) -> tuple[dict[tuple[str, str], str], list[str]]:
    """Sums of archives by project and version, from the lists that a job read, and what is wrong with those lists.

    A list is a file of the checkout. It counts only while it is the one that the lineage was made of.
    """
    parts = records.parts(entry.lineage)
    if parts is None:
        return {}, [
            f"no record of what lineage {entry.lineage[:16]} is made of, so pinned sums are not known"
        ]
    pins: dict[tuple[str, str], str] = {}
    notes = []
    for name, digest in parts.get("files", {}).items():
        if not name.endswith(".csv"):
            continue
        try:
            content = (checkout / name).read_bytes()
        except OSError as error:
            notes.append(f"{name}: {error.strerror}, so pinned sums are not known")
            continue
        if hashlib.sha256(content).hexdigest() != digest:
            notes.append(f"{name} has changed since the run, so pinned sums are not known")
            continue
        pins |= {(pin.name, pin.version): pin.sha256 for pin in read_pins(checkout / name)}
    return pins, notes


def archives(origin: Origin, pins: dict[tuple[str, str], str]) -> list[tuple[str, str | None]]:
    """The releases that a text came from, the older first, each with the sum of its archive where it is pinned."""
    versions = filter(None, (origin.version_from, origin.version_to))
    return [(f"{origin.project} {version}", pins.get((origin.project, version))) for version in versions]


def _origins(dump: Path) -> Iterator[tuple[str, str, str, str, str, int]]:
    """Different origins of the rows of a dump and how many rows have each; counted by Arrow, in milliseconds."""
    with parquet_file(dump) as file:
        if not set(COLUMNS) <= set(file.schema_arrow.names):  # rejects
            return
        table = file.read(columns=list(COLUMNS))
    counted = table.group_by(list(COLUMNS)).aggregate([([], "count_all")])
    for row in counted.to_pylist():
        yield (*(row[name] for name in COLUMNS), row["count_all"])
