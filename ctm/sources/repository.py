"""What a repository says about itself at HEAD: the project's name, and its licence as an SPDX id.

The name is the distribution's where the repository builds one, so that its commits share a group with its releases.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from ctm.pairs.splits import project_name
from ctm.sources import git
from ctm.sources.licences import stated_licence

MAX_BYTES = 200_000

_SETUP_NAME = re.compile(
    r"""^\s*["']?name["']?\s*[=:]\s*["']?([A-Za-z0-9][A-Za-z0-9._-]*)["']?,?\s*$""", re.MULTILINE
)
_SETUP_LICENCE = re.compile(
    r"""^\s*["']?licen[cs]e["']?\s*[=:]\s*["']?([^"'\n]+?)["']?,?\s*$""", re.MULTILINE
)
_CLASSIFIER = re.compile(r"License :: [^\"'\n]+")
_TEXTS = (
    (
        "MIT",
        re.compile(
            r"\bMIT License\b|Permission is hereby granted, free of charge, to any person obtaining a copy"
        ),
    ),
    ("Apache-2.0", re.compile(r"Apache License,?\s+Version 2\.0")),
    ("AGPL-3.0-only", re.compile(r"GNU AFFERO GENERAL PUBLIC LICENSE\s+Version 3")),
    ("LGPL-3.0-only", re.compile(r"GNU LESSER GENERAL PUBLIC LICENSE\s+Version 3")),
    ("GPL-3.0-only", re.compile(r"GNU GENERAL PUBLIC LICENSE\s+Version 3")),
    ("GPL-2.0-only", re.compile(r"GNU GENERAL PUBLIC LICENSE\s+Version 2")),
    ("MPL-2.0", re.compile(r"Mozilla Public License,?\s+[Vv]ersion 2\.0")),
    ("ISC", re.compile(r"\bISC License\b|Permission to use, copy, modify, and/or distribute this software")),
    (
        "BSD-3-Clause",
        re.compile(
            r"Redistributions of source code(?s:.*)(?:Neither the name|names? of (?:its|the) contrib)"
        ),
    ),
    ("BSD-2-Clause", re.compile(r"Redistributions of source code")),
)


@dataclass(frozen=True, slots=True)
class About:
    """A repository's project (normalised) and licence; "" where it states none."""

    project: str
    licence: str
    licence_source: str


def about(folder: Path, fallback: str, seconds: float, revision: str = "HEAD") -> About:
    """What the files of `revision` say. `fallback` is the name where no package is built. Raises GitFailed."""
    names = git.top_level(folder, seconds, revision)

    def read(name: str) -> str:
        return (
            git.read_file(folder, name, seconds, MAX_BYTES, revision).decode("utf-8", "replace")
            if name in names
            else ""
        )

    project, licence, source = "", "", ""
    try:
        tables = tomllib.loads(read("pyproject.toml"))
    except tomllib.TOMLDecodeError:
        tables = {}
    tool = tables.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    for metadata in (tables.get("project"), poetry):  # Poetry had tables of its own before the standard's
        if project or not isinstance(metadata, dict):
            continue
        project = str(metadata.get("name") or "")
        stated = metadata.get("license") or ""
        if isinstance(stated, dict):
            stated = stated.get("text") or ""
        classifiers = metadata.get("classifiers")
        licence = _stated(
            str(stated), [str(item) for item in classifiers] if isinstance(classifiers, list) else []
        )
        source = "pyproject.toml" if licence else ""
    for name in ("setup.cfg", "setup.py"):
        text = read(name) if not (project and licence) else ""
        if not project and (match := _SETUP_NAME.search(text)):
            project = match[1]
        if not licence:
            match = _SETUP_LICENCE.search(text)
            licence = _stated(match[1] if match else "", _CLASSIFIER.findall(text))
            source = name if licence else ""
    for name in sorted(names):
        if not licence and re.fullmatch(r"(?i)(?:un)?licen[cs]e(?:[.-]\w+)?|copying(?:\.\w+)?", name):
            text = read(name)
            licence = next((spdx for spdx, pattern in _TEXTS if pattern.search(text)), "")
            source = name if licence else ""
    return About(project_name(project or fallback), licence, source)


def _stated(licence: str, classifiers: list[str]) -> str:
    metadata = Message()
    metadata["License"] = licence.replace("\n", " ").replace("\r", " ")
    for classifier in classifiers:
        metadata["Classifier"] = classifier.replace("\n", " ").replace("\r", " ")
    return stated_licence(metadata)[0]
