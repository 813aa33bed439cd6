"""Clean code without a network: snippets of the standard library and of the distributions that are installed.

Each distribution gives at most a fixed number, from files drawn by hash: torch or sympy alone would be a third of
everything. Nothing that is read here is imported or run.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import platform
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ctm.pairs.milestones import Milestones
from ctm.pairs.record import REJECT_SCHEMA, SNIPPET_SCHEMA, Origin, Reject, Writer, make_snippet
from ctm.pairs.snippets import MAX_LINES, SHAPES, cut
from ctm.pairs.splits import STDLIB, project_name
from ctm.sources.files import deals_to, decode_source, refuse_path
from ctm.sources.licences import stated_licence

log = logging.getLogger(__name__)
STEP = "collect_installed"


@dataclass(frozen=True)
class InstalledSettings:
    """What is read of the installed packages."""

    seed: int = 0
    """Seed of the drawing of files and of runs of statements."""
    per_distribution: int = 6000
    """Most snippets of one distribution."""
    stdlib: int = 16000
    """Most snippets of the standard library; 0 leaves it out."""
    max_lines: int = MAX_LINES
    """Longest snippet, lines; the grid has 64 rows."""
    shapes: tuple[str, ...] = SHAPES
    """Which snippets are used: "function", "method", "class", "statements" (runs of statements)."""
    max_bytes: int = 400_000
    """Largest source file that is read, bytes."""
    exclude: tuple[str, ...] = ("ctm-code-repair", "ctm")
    """Distributions that are left out, normalised names."""
    paths: tuple[str, ...] = ()
    """Folders of installed distributions to read; empty: those of the running Python."""

    def __post_init__(self) -> None:
        if unknown := set(self.shapes) - set(SHAPES):
            raise ValueError(f"shapes has {sorted(unknown)[0]!r}; snippets are {', '.join(SHAPES)}")


@dataclass(frozen=True)
class Project:
    """An installed distribution, or the standard library."""

    name: str
    version: str
    licence: str
    licence_source: str
    url: str
    files: list[tuple[str, Path]]
    """(path within the project, path on disk)."""
    limit: int
    """Most snippets."""

    def origin(self, path: str, line: int, qualname: str = "") -> Origin:
        """Of a text that begins on a line of one of its files."""
        return Origin(
            project=self.name,
            path=path,
            qualname=qualname,
            line=line,
            version_to=self.version,
            url=self.url,
            licence=self.licence,
            licence_source=self.licence_source,
        )


def collect(
    shard: int,
    shards: int,
    settings: InstalledSettings,
    out: Path,
    rejects: Path,
    counts_file: Path | None = None,
) -> dict[str, int]:
    """Write this shard's snippets and rejects; returns counts of projects, files, snippets and rejects."""
    milestones = Milestones("snippets")
    counts = {"projects": 0, "files": 0, "snippets": 0, "rejects": 0}
    with Writer(out, SNIPPET_SCHEMA) as snippets, Writer(rejects, REJECT_SCHEMA) as refused:
        own = [project for project in projects(settings) if deals_to(project.name, shard, shards)]
        for project in own:
            before = snippets.rows
            try:
                counts["files"] += _collect_project(project, settings, snippets, refused)
            except OSError as error:
                refused.write(Reject(STEP, "source failed", project.name, project.name, str(error)))
            counts["projects"] += 1
            log.info("%s %s: %d snippets", project.name, project.version, snippets.rows - before)
            milestones.at(counts["projects"] / len(own), snippets.rows, projects=counts["projects"])
        counts["snippets"], counts["rejects"] = snippets.rows, refused.rows
    milestones.write(counts_file, counts["snippets"], counts)
    return counts


def _collect_project(project: Project, settings: InstalledSettings, snippets: Writer, refused: Writer) -> int:
    """Write one project's snippets; returns the number of files read."""
    if not project.licence:
        refused.write(Reject(STEP, "no licence stated", project.name, project.name))
        return 0
    left, files = project.limit, 0
    for path, where in drawn(project.files, settings.seed):
        if left <= 0:
            refused.write(
                Reject(STEP, "cap of the distribution", project.name, project.name, "files left unread")
            )
            break
        if reason := refuse_path(path):
            if reason != "not Python":
                refused.write(Reject(STEP, reason, path, project.name))
            continue
        text, reason = decode_source(where.read_bytes(), settings.max_bytes)
        if reason:
            refused.write(Reject(STEP, reason, path, project.name))
            continue
        try:
            cuts = cut(text, settings.seed, settings.max_lines)
        except SyntaxError as error:
            refused.write(Reject(STEP, "does not parse", path, project.name, str(error.msg)))
            continue
        files += 1
        for reason, qualname, line in cuts.rejected:
            refused.write(Reject(STEP, reason, f"{path}:{line}", project.name, qualname))
        used = [item for item in cuts.snippets if item[1] in settings.shapes]
        for _, shape, qualname, line in cuts.snippets if len(used) < len(cuts.snippets) else ():
            if shape not in settings.shapes:
                refused.write(
                    Reject(STEP, "shape not asked for", f"{path}:{line}", project.name, f"{shape} {qualname}")
                )
        for text, shape, qualname, line in used[:left]:
            snippets.write(make_snippet(text, shape, project.name, project.origin(path, line, qualname)))
        left -= len(used)
    return files


def drawn(files: Iterable[tuple[str, Path]], seed: int) -> list[tuple[str, Path]]:
    """Files in an order that depends on their names and the seed only, so that a cap takes a fair sample."""
    return sorted(
        files, key=lambda item: hashlib.blake2b(f"{seed}\0{item[0]}".encode(), digest_size=8).digest()
    )


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
        licence, source = stated_licence(metadata)  # type: ignore[arg-type]
        files = [
            (path.as_posix(), Path(str(path.locate())))
            for path in distribution.files or ()
            if path.suffix == ".py"
        ]
        files = [item for item in files if not item[0].startswith("..") and item[1].is_file()]
        url = f"pkg:pypi/{name}@{distribution.version}"
        yield Project(name, distribution.version, licence, source, url, files, settings.per_distribution)


def _stdlib(settings: InstalledSettings) -> Project:
    root = Path(sysconfig.get_paths()["stdlib"])
    files = [(path.relative_to(root).as_posix(), path) for path in root.rglob("*.py")]
    files = [
        item for item in files if not item[0].startswith(("site-packages/", "dist-packages/", "config-"))
    ]
    version = platform.python_version()
    url = f"https://www.python.org/downloads/release/python-{version.replace('.', '')}/"
    return Project(STDLIB, version, "PSF-2.0", "LICENSE of the Python release", url, files, settings.stdlib)
