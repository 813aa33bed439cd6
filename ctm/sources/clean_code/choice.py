"""The projects that a run reads clean code from: installed ones, pinned packages, or both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ctm.pairs.record import Writer
from ctm.sources.clean_code import installed, packages
from ctm.sources.clean_code.installed import InstalledSettings
from ctm.sources.clean_code.packages import PackageSettings, read_corpus
from ctm.sources.clean_code.projects import Project


@dataclass(frozen=True)
class CleanCode:
    """Where clean code comes from; None for a source that is off."""

    installed: InstalledSettings | None = None
    packages: PackageSettings | None = None
    corpus: Path | None = None
    """The pinned list of packages."""
    archives: Path | None = None
    """Where their archives are kept."""

    def projects(self, wants: Callable[[str], bool], refused: Writer, step: str) -> Iterator[Project]:
        """Projects whose name is wanted; packages that cannot be had are rejects of `step`.

        Each name once: an installed project comes before a package of that name. Raises ValueError for a bad list,
        OSError where the index is out of reach.
        """
        given: set[str] = set()
        if self.installed:
            for project in installed.projects(self.installed):
                given.add(project.name)
                if wants(project.name):
                    yield project
        if self.packages and self.corpus and self.archives:
            pins = [pin for pin in read_corpus(self.corpus) if wants(pin.name) and pin.name not in given]
            yield from packages.projects(pins, self.packages, self.archives, refused, step)
