"""What a configuration was put together from: files, laid over each other, and the command line's `--config`.

Snakemake hands over the merged values alone. The files are read again, strictly (ctm/strict_yaml.py), to refuse what
is lost or misread on the way, and to say file and line of a key that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ctm.pipeline.config_errors import ConfigError, value_at
from ctm.strict_yaml import Document, Place, YamlError, read_mapping

_LEADING_KEY = re.compile(r"[A-Za-z_]\w*(?:\.[\w%-]+)+")


class Given:
    """Files of a configuration, the later ones laid over the earlier ones, and what `--config` says."""

    def __init__(self, files: Sequence[Path] = (), arguments: Mapping[str, Any] | None = None) -> None:
        """Read the files. Raises ConfigError for one that cannot be used."""
        self.arguments = arguments or {}
        self.documents = [_read(Path(file)) for file in dict.fromkeys(files)]

    def where(self, place: Place) -> str:
        """FILE:LINE where a key got its value; of a key that stands nowhere, where the section around it does."""
        for length in range(len(place), 0, -1):
            if value_at(self.arguments, place[:length]) is not None:
                return "--config"
            for document in reversed(self.documents):
                if document.has(place[:length]):
                    return document.at(place[:length])
        return str(self.documents[-1].path) if self.documents else "configuration"

    def located(self, message: str) -> str:
        """A message that begins with a key, such as "bugs.mix: …", with the place of that key before it."""
        found = _LEADING_KEY.match(message)
        return f"{self.where(tuple(found[0].split('.')))}: {message}" if found else message


def given_to(workflow: Any, main: Path) -> Given:
    """What a Snakemake workflow was given. main: the file that its Snakefile names, with all defaults.

    `workflow.configfiles` has the command line's files first, though they are laid over the Snakefile's own. Raises
    ConfigError for a file that cannot be used, and where `main` is laid over another one.
    """
    overlays = [Path(file) for file in workflow.overwrite_configfiles]
    if workflow.is_main_process:
        check_order(overlays, main)
    own = [Path(file) for file in workflow.configfiles[len(overlays) :]]
    return Given(
        [*own, *(file for file in overlays if not _same(file, main))], workflow.config_settings.config
    )


def check_order(overlays: Sequence[Path], main: Path) -> None:
    """Refuse `main` behind an overlay: it says everything, and so takes back all that the overlay says."""
    for number, file in enumerate(overlays):
        if number and _same(file, main):
            names = ", ".join(str(overlay) for overlay in overlays[:number])
            raise ConfigError(
                f"--configfile: {file} comes after {names}; files are laid over each other in the order given, and "
                "this one has a value for every key, so nothing would be left of what came before. Name it first, or "
                "leave it out: it is read in any case"
            )


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _read(path: Path) -> Document:
    try:
        return read_mapping(path)
    except YamlError as error:
        raise ConfigError(str(error)) from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; correct the path") from None
