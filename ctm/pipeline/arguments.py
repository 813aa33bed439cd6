"""What `ctm-pipeline run` reads before Snakemake does: configuration files and profiles, and whether there is a target.

Snakemake reads these files before any of our code runs, and says of a damaged one that there is a traceback, or not
which file it is. And where no target is named, it builds the default one without a word.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ctm.pipeline.given import Given
from ctm.pipeline.profiles import check_profiles, profiles_of

DEFAULT = "results/final/ctm.onnx"
NO_BUILD = (
    "unlock", "lint", "list_rules", "list_target_rules", "cleanup_metadata", "list_input_changes", "archive",
    "list_changes", "summary", "detailed_summary", "report", "print_compilation", "conda_list_envs",
)  # fmt: skip
"""What Snakemake does in place of building anything, as its parser calls it."""


def check_files(arguments: Sequence[str], parser: argparse.ArgumentParser) -> None:
    """Refuse configuration files and profiles that cannot be used. parser: Snakemake's. Raises ConfigError."""
    known, _ = parser.parse_known_args(list(arguments))
    Given(known.configfile or ())
    check_profiles(profiles_of(arguments))


def without_target(arguments: Sequence[str], parser: argparse.ArgumentParser) -> str:
    """What is built where no target is named, in a sentence; "" where one is, or where nothing is built."""
    known, _ = parser.parse_known_args(list(arguments))
    if known.targets or any(getattr(known, name, None) for name in NO_BUILD):
        return ""
    return f"no target named, so {DEFAULT} is built; `ctm-pipeline run all …` makes report, data card and plots too"
