"""What was read out of modules before, by their content: a plan of a known checkout parses nothing.

To parse four hundred modules takes half of a plan's time, and hardly one of them changed since the last. So what was
found is kept in the user's folder of caches, by sha256 of a module's bytes, in one file for each Python and each
version of what reads modules. The file carries its own sum: one that is damaged counts as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path

from ctm.files import write_json

Found = tuple[frozenset[str], str]
"""Dotted names that a module imports, and its digest (code.py)."""
MOST = 4000
"""Modules that are kept, the latest used: ten times those of a checkout."""


class ModuleCache:
    """Looks up what `read` finds in a module, and reads only what is new.

    read: from a module's bytes and its path (for messages) to what is found; a function of the bytes alone, in the
    file `reader`. folder: None for the user's own.
    """

    def __init__(self, read: Callable[[bytes, str], Found], reader: Path, folder: Path | None = None) -> None:
        self._read = read
        version = hashlib.sha256(sys.version.encode() + reader.read_bytes()).hexdigest()[:16]
        self.file = (folder or user_cache_path("ctm-code-repair")) / f"modules-{version}.json"
        self._known = _loaded(self.file)
        self._used: dict[str, Found] = {}
        self._is_new = False

    def of(self, path: Path) -> Found:
        """What a module imports, and its digest. Raises OSError, and what `read` raises."""
        source = path.read_bytes()
        key = hashlib.sha256(source).hexdigest()
        if key not in self._used:
            found = self._known.get(key)
            self._is_new |= found is None
            self._used[key] = found or self._read(source, str(path))
        return self._used[key]

    def keep(self) -> None:
        """Write what is new to the file, if it can be written: without it all is read again, to the same result."""
        if not self._is_new:
            return
        others = {key: found for key, found in self._known.items() if key not in self._used}
        latest = list({**others, **self._used}.items())[-MOST:]
        modules = {key: [sorted(names), digest] for key, (names, digest) in latest}
        with contextlib.suppress(OSError):
            write_json(self.file, {"sha256": _sum(modules), "modules": modules}, indent=None)
            self._is_new = False


def _loaded(file: Path) -> dict[str, Found]:
    try:
        content = json.loads(file.read_bytes())
        if content["sha256"] == _sum(content["modules"]):
            return {key: (frozenset(names), digest) for key, (names, digest) in content["modules"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        pass  # none yet, or damaged
    return {}


def _sum(modules: object) -> str:
    return hashlib.sha256(json.dumps(modules).encode()).hexdigest()
