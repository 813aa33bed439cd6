"""What `ctm-pipeline run` looks at before it hands its arguments to Snakemake.

Snakemake reads configuration files and profiles before any of our code runs, and says of a damaged one that there is a
traceback, or not which file it is. And where no target is named, it builds the default one without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ctm.pipeline.given import Given
from ctm.pipeline.profiles import check_profiles, profiles_of

DEFAULT = "results/final/ctm.onnx"
NO_BUILD = (
    "unlock", "lint", "list_rules", "list_target_rules", "cleanup_metadata", "list_input_changes", "archive",
    "list_changes", "summary", "detailed_summary", "report", "print_compilation", "conda_list_envs",
)  # fmt: skip
"""What Snakemake does in place of building anything, as its parser calls it."""


def check_arguments(arguments: Sequence[str]) -> str:
    """What has to be said before Snakemake starts; mostly nothing. Raises ConfigError for files that cannot be used."""
    from snakemake.cli import get_argument_parser

    known, _ = get_argument_parser().parse_known_args(list(arguments))
    for file in known.configfile or ():
        Given([Path(file)])
    check_profiles(profiles_of(arguments))
    if known.targets or any(getattr(known, name, None) for name in NO_BUILD):
        return ""
    return f"no target named, so {DEFAULT} is built; `ctm-pipeline run all …` makes report, data card and plots too"
