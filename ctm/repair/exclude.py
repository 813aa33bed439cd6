"""What the user leaves out by pattern: `--exclude`, `--extend-exclude`, and the same keys of a file of settings.

Patterns are those of `.gitignore` (gitignore.py): one without a slash in it is a name at any depth, another is relative
to the folder it was said in, "!" brings back what an earlier one leaves out, and what lies in a folder that is left
out stays out. `exclude` replaces the folders that are left out by default, `extend-exclude` adds to them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from ctm.repair.gitignore import Pattern, parse_pattern

FILLED_BY_TOOLS = (
    "__pycache__",
    "__pypackages__",
    "_build",
    "buck-out",
    "build",
    "dist",
    "env",
    "node_modules",
    "site-packages",
    "venv",
)
"""Names of folders that are not walked, as in ruff's `exclude`, and `env`; those with a dot are hidden anyway."""


@dataclass(frozen=True, slots=True)
class Excluded:
    """One pattern."""

    pattern: Pattern
    folder: bytes
    """The absolute path, without links, that it is relative to."""
    reason: str
    """What the count of what it leaves out is called."""
    is_local: bool = False
    """Whether a name too is one of that folder only: a nested project's settings say nothing about the others."""


@dataclass(frozen=True, slots=True)
class Excludes:
    """Patterns, of which the last one that matches decides."""

    patterns: tuple[Excluded, ...] = ()

    def __add__(self, other: Excludes) -> Excludes:
        return Excludes(self.patterns + other.patterns)

    def reason(self, path: bytes, is_folder: bool) -> str:
        """Why an absolute path is left out, "" where it is not, given that the folder that holds it is not."""
        name = os.path.basename(path)
        for item in reversed(self.patterns):
            if item.pattern.folders_only and not is_folder:
                continue
            if item.pattern.of_name:
                shown = None if item.is_local and _below(path, item.folder) is None else name
            else:
                shown = _below(path, item.folder)
            if shown is not None and item.pattern.regex.fullmatch(shown):
                return item.reason if item.pattern.leaves_out else ""
        return ""

    def reason_of_named(self, path: bytes, is_folder: bool) -> str:
        """The same for a path that was named, of which nothing is known about the folders that hold it.

        Only folders below the one that a pattern was said in count: a project in `/home/me/build` is not left out.
        """
        bases = {item.folder for item in self.patterns}
        above = [path]
        while (parent := os.path.dirname(above[-1])) != above[-1]:
            above.append(parent)
        inside = [part for part in above if any(_below(part, base) for base in bases)] or [path]
        for part in reversed(inside):
            if why := self.reason(part, is_folder or part != path):
                return why
        return ""


def excludes_of(
    patterns: Iterable[str], folder: str | os.PathLike[str], *, is_local: bool = False
) -> Excludes:
    """Patterns that are relative to a folder, or absolute and inside it; what can match nothing is no pattern.

    is_local: names, too, are those of this folder alone
    """
    base = os.fsencode(os.path.realpath(folder))
    found = []
    for text in patterns:
        place = os.fsencode(text[text.startswith("./") :])  # "./gen" is a place, "/gen"
        inside = _below(place, base)
        pattern = parse_pattern(place if inside is None else b"/" + inside)
        if pattern is not None:
            found.append(Excluded(pattern, base, f"excluded by {text}", is_local))
    return Excludes(tuple(found))


def default_excludes(folder: str | os.PathLike[str] = ".") -> Excludes:
    """The folders that tools fill."""
    found = excludes_of((f"{name}/" for name in FILLED_BY_TOOLS), folder)
    return Excludes(
        tuple(
            Excluded(item.pattern, item.folder, f"folders named {name}")
            for item, name in zip(found.patterns, FILLED_BY_TOOLS, strict=True)
        )
    )


def _below(path: bytes, folder: bytes) -> bytes | None:
    """The path relative to a folder; None where it is not in it."""
    start = folder if folder.endswith(b"/") else folder + b"/"
    return path[len(start) :] if path.startswith(start) else None
