"""The checkout: where it is, and which code it has, by its commit, or the version where it is none of git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import typer

import ctm

ROOT = Path(ctm.__file__).resolve().parents[1]


def find_checkout() -> Path:
    """The checkout to work in, with Snakefile and config/: the folder one is in, or the one that this package is of.

    Raises typer.BadParameter where neither is one.
    """
    for folder in (Path.cwd(), *Path.cwd().parents, ROOT):
        if (folder / "Snakefile").is_file() and (folder / "config" / "config.yaml").is_file():
            return folder
    raise typer.BadParameter(
        "no checkout found (a folder with Snakefile and config/config.yaml); run it inside one"
    )


def code_version(root: Path = ROOT) -> str:
    """The commit, its day, and whether files of git differ from it; the version of the package without git."""
    commit = git(root, "log", "-1", "--format=%h of %cs")
    if not commit or git(root, "rev-parse", "--show-prefix"):  # a folder of somebody else's repository
        return f"unknown, as this is no checkout of git (version {ctm.__version__})"
    changed = git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}, {'with changes that are in no commit' if changed else 'nothing changed since'}"


def git(root: Path, *arguments: str) -> str | None:
    """What git prints of a checkout; None where there is no git, or it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
