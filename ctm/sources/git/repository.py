"""Reads a repository's project name and license (SPDX) from its files at HEAD.

The name is the distribution's where the repository builds one, so that its commits share a group with its releases.
Metadata is read and never run; where it hides the name, the address of the remote says it, and only then the folder.
"""

from __future__ import annotations

import ast
import re
import tomllib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from ctm.pairs.splits import project_name
from ctm.sources.git import plumbing
from ctm.sources.pypi.licenses import stated_license

MAX_BYTES = 200_000

_CFG_NAME = re.compile(r"""^\s*name\s*=\s*["']?([A-Za-z0-9][A-Za-z0-9._-]*)["']?,?\s*$""", re.MULTILINE)
_SETUP_NAME = re.compile(
    r"""^[ \t]*(?:name[ \t]*=|["']name["'][ \t]*:)[ \t]*["']([A-Za-z0-9][\w.-]*)["']""", re.MULTILINE
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SETUP_LICENSE = re.compile(r"""^\s*licen[cs]e\s*=\s*["']?([^"'\n]+?)["']?,?\s*$""", re.MULTILINE)
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
    """A repository's project (normalized) and license; "" where it states none."""

    project: str
    license: str
    license_source: str


def about(folder: Path, fallback: str, seconds: float, revision: str = "HEAD") -> About:
    """What the files of `revision` say. `fallback` names the project where they do not. Raises GitError."""
    names = plumbing.top_level(folder, seconds, revision)

    def read(name: str) -> str:
        return (
            plumbing.read_file(folder, name, seconds, MAX_BYTES, revision).decode("utf-8", "replace")
            if name in names
            else ""
        )

    project, license, source = "", "", ""
    try:
        tables = tomllib.loads(read("pyproject.toml"))
    except tomllib.TOMLDecodeError:
        tables = {}
    tool = _table(tables, "tool")
    flit = _table(_table(tool, "flit"), "metadata")
    flit = {**flit, "name": flit.get("dist-name") or flit.get("module")} if flit else flit
    # Poetry and Flit had tables of their own before the standard's
    for metadata in (tables.get("project"), _table(tool, "poetry"), flit):
        if project or not isinstance(metadata, dict):
            continue
        project = str(metadata.get("name") or "")
        stated = metadata.get("license") or ""
        if isinstance(stated, dict):
            stated = stated.get("text") or ""
        classifiers = metadata.get("classifiers")
        license = _stated(
            str(stated), [str(item) for item in classifiers] if isinstance(classifiers, list) else []
        )
        source = "pyproject.toml" if license else ""
    for name in ("setup.cfg", "setup.py"):
        text = read(name) if not (project and license) else ""
        if not project:
            project = setup_name(text) if name == "setup.py" else _first(_CFG_NAME, text)
        if not license:
            match = _SETUP_LICENSE.search(text)
            license = _stated(match[1] if match else "", _CLASSIFIER.findall(text))
            source = name if license else ""
    for name in sorted(names):
        if not license and re.fullmatch(r"(?i)(?:un)?licen[cs]e(?:[.-]\w+)?|copying(?:\.\w+)?", name):
            text = read(name)
            license = next((spdx for spdx, pattern in _TEXTS if pattern.search(text)), "")
            source = name if license else ""
    return About(project_name(project or fallback), license, source)


def remote_name(repository: str, seconds: float) -> str:
    """Name of a repository by its address: that of its remote `origin` where it is a mirror with one.

    Mirrors stand in folders of any name (`repo`, `mirror`, `clone`).
    """
    origin = "" if plumbing.is_url(repository) else plumbing.origin_url(Path(repository), seconds)
    return project_name(origin) or project_name(repository)


def setup_name(text: str) -> str:
    """The name that a setup.py gives to `setup`, "" where it is not written there: nothing of it is run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _first(_SETUP_NAME, text)  # Python 2
    constants: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            constants |= {item.id: node.value for item in node.targets if isinstance(item, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            constants[node.target.id] = node.value
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _called(call) == "setup":
            given = {item.arg or "": item.value for item in call.keywords}
            if name := _name_in(given.get("name"), constants) or _name_in_table(given.get(""), constants):
                return name
    return ""


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _name_in(value: ast.expr | None, constants: Mapping[str, ast.expr]) -> str:
    """A name that is written as text, there or in a variable of the module."""
    if isinstance(value, ast.Name):
        value = constants.get(value.id)
    text = value.value if isinstance(value, ast.Constant) else None
    return text if isinstance(text, str) and _NAME.fullmatch(text) else ""


def _name_in_table(value: ast.expr | None, constants: Mapping[str, ast.expr]) -> str:
    """The entry "name" of what is given as `**table`."""
    if isinstance(value, ast.Name):
        value = constants.get(value.id)
    if isinstance(value, ast.Dict):
        for key, entry in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "name":
                return _name_in(entry, constants)
    if isinstance(value, ast.Call) and _called(value) == "dict":
        return _name_in({item.arg: item.value for item in value.keywords}.get("name"), constants)
    return ""


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


def _table(tables: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = tables.get(name)
    return found if isinstance(found, dict) else {}


def _stated(license: str, classifiers: list[str]) -> str:
    metadata = Message()
    metadata["License"] = license.replace("\n", " ").replace("\r", " ")
    for classifier in classifiers:
        metadata["Classifier"] = classifier.replace("\n", " ").replace("\r", " ")
    return stated_license(metadata)[0]
