"""Files and folders that the configuration names: are they there? Asked before anything is planned.

A job finds out too, but hours later, or not at all: a folder of installed packages that is not there has no packages
and gives no snippet.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ctm.bugs.generation.mix import load_mix
from ctm.evaluation.published.figures import read_published
from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.real_suites import PUBLISHED, check_suites
from ctm.pipeline.sections import Config


def check_named_files(config: Config, root: Path) -> None:
    """Refuse what is not there, and lists in YAML that cannot be used. root: the checkout. Raises ConfigError."""
    for key, path in _files(config):
        if not (root / path).is_file():
            raise ConfigError(f"{key}: {path}: no such file in {root}; correct the path")
    for folder in config.sources.installed.paths if config.sources.installed.enabled else ():
        _check_installed(Path(folder))
    try:
        load_mix(root / config.bugs.mix)
        read_published(root / PUBLISHED)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    check_suites(config, root)


def _files(config: Config) -> Iterator[tuple[str, str]]:
    """Key and path of each file that a step which is on would read; relative to the checkout."""
    sources = config.sources
    yield "bugs.mix", config.bugs.mix
    for name, on, keys in (
        ("packages", sources.packages.enabled, ("pins",)),
        ("releases", sources.releases.enabled, ("pins",)),
        ("github", sources.github.enabled and sources.commits.enabled, ("listed",)),
        ("stackoverflow", sources.stackoverflow.enabled, ("posts", "history", "users")),
    ):
        for key in keys if on else ():
            if path := getattr(getattr(sources, name), key):
                yield f"sources.{name}.{key}", path
    for name, path in config.quality.decontamination.suites.items():
        yield f"quality.decontamination.suites.{name}", path


def _check_installed(folder: Path) -> None:
    key = "sources.installed.paths"
    if not folder.is_absolute():
        raise ConfigError(
            f"{key}: {str(folder)!r} is relative, but jobs run in the folder of the run; write the whole path, such as "
            f"{folder.absolute()}"
        )
    if not folder.is_dir():
        raise ConfigError(f"{key}: {folder}: no such folder; correct the path, or take it out")
    if not any(folder.glob("*.dist-info")) and not any(folder.glob("*.egg-info")):
        raise ConfigError(
            f"{key}: {folder} has no installed package (no *.dist-info in it); name a folder such as "
            ".venv/lib/python3.11/site-packages"
        )
