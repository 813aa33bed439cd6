"""Clean code of pinned packages: wheels and source distributions, with their tests, examples, scripts and tutorials.

What trains depends on the list (config/corpus.csv: name, version, sha256, file), not on the machine's packages or
Python's patch level. Archives are downloaded, checked and read as data; nothing is built or run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ctm.bounds import Count, Few, Seconds
from ctm.pairs.record import REJECT_SCHEMA, Reject, Writer
from ctm.sources.clean_code.projects import Project, SnippetSettings, SourceFile, collect_projects
from ctm.sources.files import is_in_shard
from ctm.sources.pypi.archives import SUFFIXES, PackageArchiveError, read_archive
from ctm.sources.pypi.client import IndexClient
from ctm.sources.pypi.licenses import stated_license
from ctm.sources.pypi.pins import Pin, read_pins

log = logging.getLogger(__name__)
STEP = "collect_packages"


@dataclass(frozen=True)
class PackageSettings(SnippetSettings):
    """What is read of the pinned packages."""

    per_package: Count = 2000
    """Most snippets of one package."""
    tests: bool = True
    """Whether tests and documentation are read too; examples and scripts always are."""
    timeout: Seconds = 30
    """Time limit of one connection to the package index, and of each read from it, seconds."""
    downloads: Few = 8
    """Archives that are downloaded at the same time."""


def read_corpus(path: Path) -> list[Pin]:
    """The pinned list. Raises ValueError with file and line for a line that cannot be used."""
    pins = read_pins(path)
    names: set[str] = set()
    for line, pin in enumerate(pins, 2):
        if pin.name in names:
            raise ValueError(f"{path}:{line}: {pin.name} is listed twice; keep one version")
        names.add(pin.name)
        if not pin.file.endswith(SUFFIXES):
            raise ValueError(
                f"{path}:{line}: file {pin.file!r} of {pin.name} is not an archive; its name must end in "
                f"{', '.join(SUFFIXES)}"
            )
    return pins


def collect(
    corpus: Path,
    shard: int,
    shards: int,
    settings: PackageSettings,
    work: Path,
    out: Path,
    rejects: Path,
    counts_file: Path | None = None,
) -> dict[str, int]:
    """Write this shard's snippets and rejects; returns counts of projects, files, snippets and rejects.

    work: where archives are kept. Raises ValueError for a bad list, OSError where the index is out of reach.
    """
    own = [pin for pin in read_corpus(corpus) if is_in_shard(pin.name, shard, shards)]
    with Writer(rejects, REJECT_SCHEMA) as refused:
        found = projects(own, settings, work, refused)
        return collect_projects(found, max(1, len(own)), STEP, settings, out, refused, counts_file)


def projects(
    pins: Sequence[Pin], settings: PackageSettings, work: Path, refused: Writer, step: str = STEP
) -> Iterator[Project]:
    """The packages of the list, in its order; those that the index does not have or nobody can read are rejects.

    Raises OSError where the index is out of reach.
    """
    for pin, found in IndexClient(work, settings.timeout, settings.downloads).fetch(pins).items():
        try:
            if isinstance(found, str):
                raise PackageArchiveError(found)
            yield _project(pin, found, settings)
        except PackageArchiveError as error:
            log.warning("%s %s: %s", pin.name, pin.version, error)
            refused.write(Reject(step, "source failed", f"{pin.name} {pin.version}", pin.name, str(error)))


def _project(pin: Pin, path: Path, settings: PackageSettings) -> Project:
    archive = read_archive(path, pin.file, settings.max_bytes)
    license, source = stated_license(archive.metadata)
    return Project(
        name=pin.name,
        version=pin.version,
        license=license,
        license_source=source,
        url=f"pkg:pypi/{pin.name}@{pin.version}",
        files=[SourceFile(name, partial(bytes, data)) for name, data in archive.files.items()],
        limit=settings.per_package,
        max_bytes=settings.max_bytes,
        is_whole=settings.tests,
    )
