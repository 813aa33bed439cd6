"""The configuration as Snakefile and commands use it: read, checked, and the files that it names looked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ctm.pipeline.config import merged, parse_config
from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.given import Given, check_order, given_to
from ctm.pipeline.named_files import check_named_files
from ctm.pipeline.profiles import check_profiles, profiles_of
from ctm.pipeline.sections import Config
from ctm.pipeline.steps import check_resources

MAIN = Path("config/config.yaml")
"""What the Snakefile reads in any case, below all overlays; relative to the checkout."""


def checked_config(workflow: Any, values: Mapping[str, Any], root: Path) -> Config:
    """The configuration of a Snakemake workflow: its merged `values`, checked. root: the checkout.

    Raises ConfigError.
    """
    if workflow.is_main_process:
        check_profiles(profiles_of(sys.argv[1:]))
    given = given_to(workflow, root / MAIN)
    return _checked(parse_config(values, given), given, root)


def config_of(overlays: Sequence[Path], root: Path) -> Config:
    """The configuration of a checkout with files laid over it, checked. Raises ConfigError."""
    check_order(overlays, root / MAIN)
    given = Given([root / MAIN, *(file for file in overlays if file.absolute() != (root / MAIN).absolute())])
    return _checked(parse_config(merged(given), given), given, root)


def _checked(config: Config, given: Given, root: Path) -> Config:
    try:
        check_named_files(config, root)
        check_resources(config)
    except ConfigError as error:
        raise ConfigError(given.located(str(error))) from None
    return config
