"""Snakemake profiles as this project reads them: to check what a person wrote, and for the budgets of a machine.

Snakemake reads them itself, before any of our code runs; of two equal keys it takes the last in silence. So the files
are read once more, strictly, when the workflow is planned.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctm.pipeline.config_errors import ConfigError
from ctm.strict_yaml import YamlError, read_mapping


@dataclass(frozen=True)
class Profile:
    """Budgets and demands of a profile."""

    path: Path
    """Its file."""
    budgets: Mapping[str, int]
    """What all running jobs may ask for together (`resources`)."""
    demands: Mapping[str, Mapping[str, Any]]
    """What a job asks for, by rule (`set-resources`)."""


def read_profile(given: Path) -> Profile:
    """A profile, by its folder or file. Raises ConfigError."""
    path = profile_file(given)
    if path is None:
        raise ConfigError(f"{given}: no Snakemake profile (a folder with config.yaml, or that file)")
    values = _values(path)
    return Profile(path, dict(_budgets(path, values.get("resources"))), dict(_demands(path, values)))


def check_profiles(names: Sequence[str]) -> None:
    """Refuse profiles with keys that stand twice or values that are misread. Raises ConfigError.

    What is not found is left to Snakemake, which looks in more places and says so.
    """
    for name in names:
        if (path := profile_file(Path(name))) is not None:
            _values(path)


def profiles_of(arguments: Sequence[str]) -> list[str]:
    """The profiles that arguments of Snakemake name, and its environment variable."""
    found = os.environ.get("SNAKEMAKE_PROFILE", "").split(",")
    for option in ("--profile", "--workflow-profile"):
        found += values_of(option, arguments)
    return [name for name in found if name and name != "none"]


def values_of(option: str, arguments: Sequence[str]) -> Iterator[str]:
    """Values of an option, given as `--option value` or `--option=value`, any number of times; up to `--`."""
    for at, argument in enumerate(arguments):
        if argument == "--":
            return
        if argument == option and at + 1 < len(arguments):
            yield arguments[at + 1]
        elif argument.startswith(f"{option}="):
            yield argument.partition("=")[2]


def profile_file(given: Path) -> Path | None:
    """The file of a profile named by its folder, its file, or its name below profiles/; None where there is none."""
    for base in (given, Path("profiles") / given):
        if base.is_file():
            return base
        for name in ("config.yaml", "profile.yaml"):
            if (base / name).is_file():
                return base / name
    return None


def _values(path: Path) -> dict[str, Any]:
    try:
        return read_mapping(path).values
    except YamlError as error:
        raise ConfigError(str(error)) from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None


def _budgets(path: Path, given: Any) -> Iterator[tuple[str, int]]:
    if isinstance(given, Mapping):
        pairs: list[tuple[Any, ...]] = list(given.items())
    elif given is None or isinstance(given, list):
        pairs = [tuple(str(entry).split("=", 1)) for entry in given or []]
    else:
        raise ConfigError(f"{path}: resources: must be a list such as [mem_gb=128, vram=96], not {given!r}")
    for pair in pairs:
        if len(pair) != 2:
            raise ConfigError(
                f"{path}: resources: {pair[0]!r} has no value; write NAME=NUMBER, such as mem_gb=128"
            )
        name, value = pair
        try:
            yield str(name), int(value)
        except (TypeError, ValueError):
            raise ConfigError(f"{path}: resources: {name} must be a whole number, not {value!r}") from None


def _demands(path: Path, values: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """By rule; entries may also be texts such as "mutate:mem_gb=8"."""
    given = values.get("set-resources") or {}
    if isinstance(given, list):
        whole: dict[str, dict[str, Any]] = {}
        for entry in given:
            rule, _, rest = str(entry).partition(":")
            name, _, value = rest.partition("=")
            whole.setdefault(rule, {})[name] = int(value) if value.isdigit() else value
        given = whole
    if not isinstance(given, Mapping) or not all(isinstance(value, Mapping) for value in given.values()):
        raise ConfigError(
            f"{path}: set-resources: must be a mapping such as {{mutate: {{mem_gb: 8}}}}, not {given!r}"
        )
    yield from given.items()
