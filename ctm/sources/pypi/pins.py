"""Pinned lists of what is brought from a package index: name, version and sha256 of each archive."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from ctm.pairs.splits import project_name


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a list; in a list of releases, lines of one name are consecutive versions."""

    name: str
    version: str
    sha256: str
    file: str = ""
    """Name of the archive, where the list has it."""

    @property
    def series(self) -> str:
        """Major and minor version: only releases of one series are compared."""
        return ".".join(self.version.split(".")[:2])


def read_pins(path: Path) -> list[Pin]:
    """The pinned list. Raises ValueError with file and line for a line that cannot be used."""
    pins: list[Pin] = []
    seen: set[tuple[str, str]] = set()
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        for row in rows:
            name, version, digest = (row.get(key) or "" for key in ("name", "version", "sha256"))
            where = f"{path}:{rows.line_num}"
            if not re.fullmatch(r"[A-Za-z0-9._-]+", name) or not re.fullmatch(r"[A-Za-z0-9.!+_-]+", version):
                raise ValueError(f"{where}: {name!r} {version!r} is not a name and a version")
            if not re.fullmatch(r"[0-9a-f]{64}", digest):
                raise ValueError(f"{where}: sha256 of {name} {version} must be 64 hexadecimal digits")
            name = project_name(name)
            if (name, version) in seen:
                raise ValueError(f"{where}: {name} {version} is listed twice")
            seen.add((name, version))
            pins.append(Pin(name, version, digest, row.get("file") or ""))
    return pins
