"""Which files a command looks at: those named, and of folders the Python files that their author keeps there.

As ruff does, folders are walked for `*.py`, `*.pyi` and `*.ipynb`, without what git leaves out and without the folders
that tools fill. No link is followed while walking, so nothing outside the tree is reached and no circle is walked;
every file is handled once; whatever is left out is counted with its reason.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ctm.repair.exclude import Excludes, default_excludes
from ctm.repair.gitignore import IgnoreRules, rules_above

STDIN = "-"
SUFFIXES = (".py", ".pyi", ".ipynb")
ENVIRONMENT_MARKS = frozenset({"pyvenv.cfg", "conda-meta"})
"""What makes a folder a virtual environment, whatever its name."""
TWICE = "files named twice, or under several names"


@dataclass(slots=True)
class Discovery:
    """Finds the files below paths, each once. A path that was named is looked at whatever its name or place, unless
    `force_exclude` says that patterns hold for it too.
    """

    excludes: Excludes = field(default_factory=default_excludes)
    """What is left out by pattern: the folders that tools fill, or what the user says."""
    force_exclude: bool = False
    """Whether patterns hold for named paths too, as a hook needs it that names every file of a commit."""
    respect_gitignore: bool = True
    left_out: Counter[str] = field(default_factory=Counter)
    """Files and folders that were not looked at, by reason."""
    empty: list[str] = field(default_factory=list)
    """Folders that were named and have nothing to look at."""
    _seen: set[tuple[int, int] | str] = field(default_factory=set)

    def files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """(file, "") for each file to look at, (path, reason) for a folder that cannot be read."""
        for path in paths:
            if self.force_exclude and self._skips_named(path):
                continue
            if path == STDIN or not os.path.isdir(path):
                if self._is_new(path):
                    yield path, ""
                continue
            seen, count = self.left_out[TWICE], 0
            for count, found in enumerate(self._walk(path), 1):  # noqa: B007
                yield found
            if not count and seen == self.left_out[TWICE]:
                self.empty.append(path)

    def _skips_named(self, path: str) -> bool:
        if path == STDIN:
            return False
        parent, name = os.path.split(os.path.abspath(path))
        reason = self.excludes.reason_of_named(
            os.fsencode(os.path.join(os.path.realpath(parent), name)), os.path.isdir(path)
        )
        self.left_out[reason] += bool(reason)
        return bool(reason)

    def _is_new(self, path: str) -> bool:
        keys: set[tuple[int, int] | str] = {STDIN if path == STDIN else os.path.realpath(path)}
        with contextlib.suppress(OSError):  # reading it will say why
            status = os.stat(path)
            if (
                status.st_nlink > 1
            ):  # such a file is never replaced, so its inode is not used anew while we run
                keys.add((status.st_dev, status.st_ino))
        if not self._seen.isdisjoint(keys):
            self.left_out[TWICE] += 1
            return False
        self._seen |= keys
        return True

    def _walk(self, top: str) -> Iterator[tuple[str, str]]:
        real = os.fsencode(os.path.realpath(top))
        try:
            above = rules_above(real) if self.respect_gitignore else IgnoreRules()
        except OSError as error:
            yield _problem(top, error)
            return
        open_folders: list[tuple[str, bytes, IgnoreRules]] = [(top, real, above)]
        while open_folders:
            folder, real, rules = open_folders.pop()
            try:
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
                if folder != top and not ENVIRONMENT_MARKS.isdisjoint(entry.name for entry in entries):
                    self.left_out["virtual environments"] += 1
                    continue
                rules = rules.below(real) if self.respect_gitignore else rules
                folders = []
                for entry in entries:
                    path = os.path.join(real, os.fsencode(entry.name))
                    if entry.is_symlink():  # what it leads to is found by itself, if it is in the tree
                        is_ours = entry.name.endswith(SUFFIXES) or os.path.isdir(path)
                        self.left_out["links, which are not followed"] += is_ours
                    elif entry.is_dir():
                        if not self._skips_folder(entry.name, path, rules):
                            folders.append((str(Path(folder, entry.name)), path, rules))
                    elif entry.name.endswith(SUFFIXES) and not self._skips_file(entry, path, rules):
                        yield str(Path(folder, entry.name)), ""
                open_folders += reversed(folders)
            except OSError as error:
                yield _problem(folder, error)

    def _skips_folder(self, name: str, path: bytes, rules: IgnoreRules) -> bool:
        if name.startswith("."):
            reason = "hidden folders"
        elif why := self.excludes.reason(path, True):
            reason = why
        elif rules.leave_out(path, True):
            reason = "folders that git leaves out"
        else:
            return False
        self.left_out[reason] += 1
        return True

    def _skips_file(self, entry: os.DirEntry[str], path: bytes, rules: IgnoreRules) -> bool:
        if not entry.is_file():
            reason = "devices, pipes and sockets"
        elif why := self.excludes.reason(path, False):
            reason = why
        elif rules.leave_out(path, False):
            reason = "files that git leaves out"
        else:
            return not self._is_new(os.fsdecode(path))
        self.left_out[reason] += 1
        return True


def _problem(path: str, error: OSError) -> tuple[str, str]:
    where = path if error.filename is None else os.fsdecode(error.filename)
    return where, (error.strerror or str(error)).lower()
