"""Projects whose code is read as clean code, wherever they come from, and their snippets.

Each project gives at most a fixed number of snippets: of scripts first (real broken code is short and script-like), of
tests last, and of files drawn by hash. Nothing that is read here is imported or run.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ctm.bounds import Count, Lines, Seed
from ctm.pairs.milestones import Milestones
from ctm.pairs.record import SNIPPET_SCHEMA, Origin, Reject, Writer, make_snippet
from ctm.pairs.snippets import MAX_LINES, SHAPES, Shape, cut
from ctm.python.newer_syntax import TOO_NEW, too_new
from ctm.sources.files import decode_source, is_test, path_reject_reason

log = logging.getLogger(__name__)
CAP = "cap of the project"
_SCRIPTS = re.compile(r"(?:examples?|samples?|demos?|scripts?|tutorials?|docs?|recipes?|tools?|bin)")


@dataclass(frozen=True)
class SnippetSettings:
    """How projects are cut into snippets."""

    seed: Seed = 0
    """Seed of the drawing of files and of runs of statements."""
    max_lines: Lines = MAX_LINES
    """Longest snippet, lines; the grid has 64 rows."""
    shapes: tuple[Shape, ...] = SHAPES
    """Which snippets are used: "function", "method", "class", "statements" (runs of statements)."""
    max_bytes: Count = 400_000
    """Largest source file that is read, bytes."""


@dataclass(frozen=True)
class SourceFile:
    """A file of a project."""

    path: str
    """Within the project, with forward slashes."""
    read: Callable[[], bytes]

    @property
    def rank(self) -> int:
        """0 for what lies in a folder of examples, scripts or tutorials, 2 for tests, 1 for all other code."""
        if is_test(self.path):
            return 2
        return 1 - any(_SCRIPTS.fullmatch(part) for part in PurePosixPath(self.path).parts[:-1])


@dataclass(frozen=True)
class Project:
    """A distribution, or the standard library."""

    name: str
    version: str
    license: str
    """SPDX expression, "" where none is stated."""
    license_source: str
    url: str
    files: Sequence[SourceFile]
    limit: int
    """Most snippets."""
    max_bytes: int = 400_000
    """Largest source file that is read, bytes."""
    is_whole: bool = False
    """Whether its tests and documentation are read too."""

    def origin(self, path: str, line: int, qualname: str = "") -> Origin:
        """Of a text that begins on a line of one of its files."""
        return Origin(
            project=self.name,
            path=path,
            qualname=qualname,
            line=line,
            version_to=self.version,
            url=self.url,
            license=self.license,
            license_source=self.license_source,
        )


def drawn(files: Iterable[SourceFile], seed: int) -> list[SourceFile]:
    """Files in an order that depends on their names and the seed only, so that a cap takes a fair sample."""
    return sorted(
        files, key=lambda file: hashlib.blake2b(f"{seed}\0{file.path}".encode(), digest_size=8).digest()
    )


def collect_projects(
    projects: Iterable[Project],
    number: int,
    step: str,
    settings: SnippetSettings,
    out: Path,
    refused: Writer,
    counts_file: Path | None = None,
) -> dict[str, int]:
    """Write the snippets of `number` projects; returns counts of projects, files, snippets and rejects."""
    milestones = Milestones("snippets")
    counts = {"projects": 0, "files": 0, "snippets": 0, "rejects": 0}
    with Writer(out, SNIPPET_SCHEMA) as snippets:
        for project in projects:
            before = snippets.rows
            try:
                counts["files"] += _collect(project, step, settings, snippets, refused)
            except OSError as error:
                refused.write(Reject(step, "source failed", project.name, project.name, str(error)))
            counts["projects"] += 1
            log.info("%s %s: %d snippets", project.name, project.version, snippets.rows - before)
            milestones.record(counts["projects"] / number, snippets.rows, projects=counts["projects"])
        milestones.record(1.0, snippets.rows, projects=counts["projects"])  # also without those that are gone
        counts["snippets"], counts["rejects"] = snippets.rows, refused.rows
    milestones.write(counts_file, counts["snippets"], counts)
    return counts


def _collect(
    project: Project, step: str, settings: SnippetSettings, snippets: Writer, refused: Writer
) -> int:
    """Write one project's snippets; returns the number of files read."""
    if not project.license:
        refused.write(Reject(step, "no license stated", project.name, project.name))
        return 0
    left, files = project.limit, 0
    for file in sorted(drawn(project.files, settings.seed), key=lambda file: file.rank):
        if left <= 0:
            refused.write(Reject(step, CAP, project.name, project.name, "files left unread"))
            break
        if reason := path_reject_reason(file.path, tests=project.is_whole, documentation=project.is_whole):
            if reason != "not Python":
                refused.write(Reject(step, reason, file.path, project.name))
            continue
        text, reason = decode_source(file.read(), project.max_bytes)
        if reason:
            refused.write(Reject(step, reason, file.path, project.name))
            continue
        if newer := too_new(text):
            refused.write(Reject(step, TOO_NEW, file.path, project.name, newer))
            continue
        try:
            cuts = cut(text, settings.seed, settings.max_lines)
        except (SyntaxError, RecursionError) as error:
            refused.write(Reject(step, "does not parse", file.path, project.name, str(error)))
            continue
        files += 1
        for reason, qualname, line in cuts.rejected:
            refused.write(Reject(step, reason, f"{file.path}:{line}", project.name, qualname))
        used = [item for item in cuts.snippets if item[1] in settings.shapes]
        for _, shape, qualname, line in cuts.snippets if len(used) < len(cuts.snippets) else ():
            if shape not in settings.shapes:
                where = f"{file.path}:{line}"
                refused.write(Reject(step, "shape not asked for", where, project.name, f"{shape} {qualname}"))
        for text, shape, qualname, line in used[:left]:
            origin = project.origin(file.path, line, qualname)
            snippets.write(make_snippet(text, shape, project.name, origin))
        left -= len(used)
    return files
