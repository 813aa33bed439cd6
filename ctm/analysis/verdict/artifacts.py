"""The JSON artifacts of a run by name, and how a figure is found in them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

_STEP = re.compile(r"([^.\[\]]+)|\[([^\]=]+)=([^\]]+)\]")


class Missing(Exception):
    """An artifact, or a figure of one, is not there; the text says which."""


class Artifacts:
    """Files of a run by their path below its results: "reports/benchmark.json".

    What a run did not make is no error of the artifacts: reading it raises Missing.
    """

    def __init__(self, root: Path, paths: Sequence[Path]) -> None:
        self.paths = {path.relative_to(root).as_posix(): path for path in paths}
        self._read = cache(lambda name: json.loads(self.paths[name].read_text(encoding="utf-8")))

    def __contains__(self, name: str) -> bool:
        return name in self.paths and self.paths[name].is_file()

    def read(self, name: str) -> Any:
        """Content of a JSON file. Raises Missing, and ValueError for a file that is no JSON."""
        if name not in self:
            raise Missing(f"no such artifact: {name}")
        return self._read(name)

    def matching(self, pattern: str) -> list[Any]:
        """Contents of all JSON files whose name matches ("raw/commits/*.counts.json"), in order. Raises Missing."""
        names = sorted(name for name in self.paths if fnmatchcase(name, pattern) and name in self)
        if not names:
            raise Missing(f"no such artifact: {pattern}")
        return [self.read(name) for name in names]

    def find(self, name: str, path: str) -> Any:
        """The value at a path of keys in an artifact; see `find`. Raises Missing."""
        return find(self.read(name), path, name)


def find(content: Any, path: str, name: str = "the artifact") -> Any:
    """The value at a path: keys and places joined by dots, `[key=value]` for the entry of a list that has it.

    "milestones[milestone=25%].accuracy.syntax". Raises Missing where there is nothing, or null.
    """
    value = content
    for key, field, wanted in _STEP.findall(path):
        if field:
            entries = value if isinstance(value, list) else []
            value = next((e for e in entries if isinstance(e, Mapping) and str(e.get(field)) == wanted), None)
        elif isinstance(value, Mapping):
            value = value.get(key)
        elif isinstance(value, list) and key.lstrip("-").isdigit() and -len(value) <= int(key) < len(value):
            value = value[int(key)]
        else:
            value = None
        if value is None:
            raise Missing(f"{name} has no {path}")
    return value
