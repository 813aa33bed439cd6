"""Lineage: a hash of all that a rule's result depends on; it decides whether the rule runs again.

    lineage[step] = sha256(own config sections, digests of the code it runs, files it reads, lineage of its parents)

Snakemake compares parameters of a rule's last run with today's. Folding the parents in cures its issue 3808: a stage
that failed once after a change would otherwise leave everything after it looking up to date. Resources are in no
section that is hashed, and digests are taken of syntax trees (code.py), so that a comment, a docstring or a touched
file reruns nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from ctm.pipeline.code import Code
from ctm.pipeline.config import plain, section_of
from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.sections import Config
from ctm.pipeline.steps import check_resources, steps


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
            parts = self.parts(step)
            self._known[step] = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return self._known[step]

    def parts(self, step: str) -> dict[str, Mapping[str, object]]:
        """What is hashed: config sections, digests of modules, digests of files, lineages of parents, each by name."""
        entry = self.steps[step]
        script = self.root / "workflow" / "scripts" / f"{entry.program}.py"
        return {
            "config": {path: section_of(self._values, path) for path in (*entry.settings, *entry.sections)},
            "code": self._code.digests(script),
            "files": {name: _file_digest(self.root / name) for name in entry.files.values()},
            "parents": {name: self.of(name) for name in entry.parents},
        }


def _file_digest(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); the configuration names it. Correct the path"
        ) from None
    return _content_digest(content, path.suffix in (".yaml", ".yml"))


@cache
def _content_digest(content: bytes, is_yaml: bool) -> str:
    if is_yaml:
        content = json.dumps(yaml.safe_load(content), sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()
