"""A git repository with ten broken files, and what the hook and the Action of this repository would run on it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
BROKEN, FIXED = "def add(a, b)\n    return a + b\n", "def add(a, b):\n    return a + b\n"
FILES = [
    "a.py",
    "with space.py",
    "src/-dash.py",
    "é.py",
    "types.pyi",
    "book.ipynb",
    "src/b.py",
    "src/deep/c.py",
    "src/build/d.py",
    "tests/e.py",
]
"""All broken; `src/build/` is what a named path would bring in again."""


def content_of(name: str, code: str = BROKEN) -> str:
    """The text of a file, a notebook or not."""
    if not name.endswith(".ipynb"):
        return code
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": code.splitlines(keepends=True)}
    content = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1) + "\n"


def make_project(folder: Path) -> Path:
    """A repository in which the broken files are staged beside a right one."""
    folder.mkdir()
    git(folder, "init", "-q")
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content_of(name), encoding="utf-8")
    (folder / "right.py").write_text(FIXED)
    (folder / "notes.txt").write_text(BROKEN)
    git(folder, "add", "-A")
    return folder


def git(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run git there, as a user of its own."""
    who = ["-c", "user.name=n", "-c", "user.email=n@localhost", "-c", "commit.gpgsign=false"]
    options = {"check": True, "capture_output": True, "text": True, **options}
    return subprocess.run(["git", *who, *arguments], cwd=folder, **options)


def hook() -> dict[str, Any]:
    """The hook that `.pre-commit-hooks.yaml` offers."""
    (only,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    return only


def action() -> dict[str, Any]:
    """`action.yml`."""
    return yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def run_step(
    step: str, folder: Path, environment: dict[str, str], inputs: dict[str, str], **outputs: str
) -> subprocess.CompletedProcess[str]:
    """Run a step of the Action as GitHub's runner does: its script in a file, its expressions in variables."""
    (found,) = [item for item in action()["runs"]["steps"] if item.get("id") == step]
    given = {name: item.get("default", "") for name, item in action()["inputs"].items()} | inputs
    values = {f"inputs.{name}": value for name, value in given.items()} | outputs
    variables = {
        name: re.sub(r"\$\{\{ *(.*?) *\}\}", lambda match: values[match[1]], text)
        for name, text in found["env"].items()
    }
    script = folder.parent / f"{step}.sh"
    script.write_text(found["run"], encoding="utf-8")
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
    )
