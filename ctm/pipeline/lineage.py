"""Lineage: a hash of all that a rule's result depends on; it decides whether the rule runs again.

    lineage[step] = sha256(own config sections, digests of the code it runs, files it reads, lineage of its parents)

Keys that change no result are left out (idle_keys.py), files count by content, wherever they lie. Threads count where
they decide bits.

Snakemake compares parameters of a rule's last run with today's. Folding the parents in cures its issue 3808: a stage
that failed once after a change would otherwise leave everything after it looking up to date. Resources are in no
section that is hashed, and digests are taken of syntax trees (code.py), so that a comment, a docstring or a touched
file reruns nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import yaml

from ctm.pipeline.code import Code
from ctm.pipeline.config import plain, section_of
from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.idle_keys import counted
from ctm.pipeline.sections import Config
from ctm.pipeline.steps import check_resources, steps

ENDS = 1_000_000
"""Bytes at each end of a large file that count."""


class Lineage:
    """Lineages of all steps of one configuration.

    `root` is the checkout: it has ctm/ and workflow/scripts/. `code` are its modules, where they were read before.
    """

    def __init__(self, config: Config, root: Path, code: Code | None = None) -> None:
        check_resources(config)
        self.config, self.root, self.steps = config, root, steps(config)
        self._code, self._values = code or Code(root), plain(config)
        self._known: dict[str, str] = {}

    def of(self, step: str) -> str:
        """Lineage of a step, 64 hex characters. Raises KeyError for a step that the configuration switches off."""
        if step not in self._known:
            entry, parts = self.steps[step], self.parts(step)
            # by what a file is for: an equal one elsewhere is the same
            for kind, paths in (("files", entry.files), ("large_files", entry.large_files)):
                parts[kind] = {name: parts[kind][path] for name, path in paths.items()}
            self._known[step] = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return self._known[step]

    def keep(self) -> None:
        """Keep what was found in modules for the next plan."""
        self._code.keep()

    def parts(self, step: str) -> dict[str, Mapping[str, object]]:
        """What is hashed: config sections, digests of modules, of files, lineages of parents, and threads, by name.

        Files are named by their paths here.
        """
        entry = self.steps[step]
        script = self.root / "workflow" / "scripts" / f"{entry.program}.py"
        return {
            "config": {
                path: counted(path, section_of(self._values, path))
                for path in (*entry.settings, *entry.sections)
            },
            "code": self._code.digests(script),
            "files": {path: _file_digest(self.root / path) for path in entry.files.values()},
            "large_files": {path: _ends_digest(self.root / path) for path in entry.large_files.values()},
            "parents": {name: self.of(name) for name in entry.parents},
            "threads": {step: self.config.resources[step].threads} if entry.counts_threads else {},
        }


def _file_digest(path: Path) -> str:
    with _named(path):
        content = path.read_bytes()
    return _content_digest(content, path.suffix in (".yaml", ".yml"))


@cache
def _content_digest(content: bytes, is_yaml: bool) -> str:
    if is_yaml:
        content = json.dumps(yaml.safe_load(content), sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()


def _ends_digest(path: Path) -> str:
    """Of a file's size, its first and its last MB: to read a dump of 100 GB takes too long for every plan."""
    with _named(path), path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        digest = hashlib.sha256(f"{size}:".encode())
        for place in (0, max(0, size - ENDS)):
            file.seek(place)
            digest.update(file.read(ENDS))
    return digest.hexdigest()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Where the file cannot be read, ConfigError names it."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); the configuration names it. Correct the path"
        ) from None
