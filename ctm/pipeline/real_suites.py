"""The suites of real bugs that the configuration names: are they there, and where?

Their checksums are compared when the rule starts: to read them takes too long for every plan.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from ctm.evaluation.published.figures import read_published
from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.sections import Config

PUBLISHED = "config/published.yaml"
"""What others report, by suite; relative to the checkout."""


def check_suites(config: Config, root: Path) -> None:
    """Refuse suites that are not there, and published figures that nobody has. Raises ConfigError."""
    known = read_published(root / PUBLISHED) if config.real_suites else {}
    for name, suite in config.real_suites.items():
        if not (root / suite.path).exists():
            raise ConfigError(
                f"real_suites.{name}.path: {root / suite.path}: no such file or folder; correct the path, or take the "
                "suite out (none ships with the project: docs/suites.md)"
            )
        if suite.published and suite.published not in known:
            raise ConfigError(
                f"real_suites.{name}.published: {PUBLISHED} has no entry {suite.published!r} (it has "
                f"{', '.join(known)}); correct it, or add the entry"
            )


def suites_json(config: Config, root: Path) -> str:
    """Settings of each suite by name, as JSON, with absolute paths."""
    suites = {
        name: dataclasses.asdict(dataclasses.replace(suite, path=str(root / suite.path)))
        for name, suite in config.real_suites.items()
    }
    return json.dumps(suites, sort_keys=True)
