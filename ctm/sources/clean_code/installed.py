"""Clean code without a network: the standard library and the distributions that are installed.

Each distribution gives at most a fixed number of snippets: torch or sympy alone would be a third of everything.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ctm.bounds import Amount, Count
from ctm.pairs.record import REJECT_SCHEMA, Writer
from ctm.pairs.splits import STDLIB, project_name
from ctm.sources.clean_code.projects import Project, SnippetSettings, SourceFile, collect_projects
from ctm.sources.files import is_in_shard
from ctm.sources.pypi.licenses import stated_license

STEP = "collect_installed"


@dataclass(frozen=True)
class InstalledSettings(SnippetSettings):
    """What is read of the installed packages."""

    per_distribution: Count = 6000
    """Most snippets of one distribution."""
    stdlib: Amount = 16000
    """Most snippets of the standard library; 0 leaves it out."""
    exclude: tuple[str, ...] = ("ctm-code-repair", "ctm")
    """Distributions that are left out, normalized names."""
    paths: tuple[str, ...] = ()
    """Folders of installed distributions (relative ones from the checkout); empty: those of the running Python."""


def collect(
    shard: int,
    shards: int,
    settings: InstalledSettings,
    out: Path,
    rejects: Path,
    counts_file: Path | None = None,
) -> dict[str, int]:
    """Write this shard's snippets and rejects; returns counts of projects, files, snippets and rejects."""
    own = [project for project in projects(settings) if is_in_shard(project.name, shard, shards)]
    with Writer(rejects, REJECT_SCHEMA) as refused:
        return collect_projects(own, len(own), STEP, settings, out, refused, counts_file)


def projects(settings: InstalledSettings) -> Iterator[Project]:
    """The standard library, unless it is left out, and all distributions, by name."""
    if settings.stdlib and not settings.paths:
        yield _stdlib(settings)
    if settings.paths:
        found = importlib.metadata.distributions(path=list(settings.paths))
    else:
        found = importlib.metadata.distributions()
    by_name: dict[str, importlib.metadata.Distribution] = {}
    for distribution in found:
        name = project_name(distribution.metadata["Name"] or "")
        if name and name not in settings.exclude:
            by_name.setdefault(name, distribution)  # the first on the path is the one that is imported
    for name, distribution in sorted(by_name.items()):
        metadata = distribution.metadata
        license, source = stated_license(metadata)  # type: ignore[arg-type]
        listed = [
            (path.as_posix(), Path(str(path.locate())))
            for path in distribution.files or ()
            if path.suffix == ".py"
        ]
        files = [
            SourceFile(path, where.read_bytes)
            for path, where in listed
            if not path.startswith("..") and where.is_file()
        ]
        url = f"pkg:pypi/{name}@{distribution.version}"
        yield Project(
            name,
            distribution.version,
            license,
            source,
            url,
            files,
            settings.per_distribution,
            settings.max_bytes,
        )


def _stdlib(settings: InstalledSettings) -> Project:
    root = Path(sysconfig.get_paths()["stdlib"])
    listed = [(path.relative_to(root).as_posix(), path) for path in root.rglob("*.py")]
    files = [
        SourceFile(path, where.read_bytes)
        for path, where in listed
        if not path.startswith(("site-packages/", "dist-packages/", "config-"))
    ]
    version = platform.python_version()
    url = f"https://www.python.org/downloads/release/python-{version.replace('.', '')}/"
    return Project(
        STDLIB,
        version,
        "PSF-2.0",
        "LICENSE of the Python release",
        url,
        files,
        settings.stdlib,
        settings.max_bytes,
    )
