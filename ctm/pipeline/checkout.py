"""Which code made a page: the commit of the checkout, or the version where it is none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import ctm

ROOT = Path(ctm.__file__).resolve().parents[1]


def code_version(root: Path = ROOT) -> str:
    """The commit, its day, and whether files of git differ from it; the version of the package without git."""
    commit = _git(root, "log", "-1", "--format=%h of %cs")
    if not commit or _git(root, "rev-parse", "--show-prefix"):  # a folder of somebody else's repository
        return f"unknown, as this is no checkout of git (version {ctm.__version__})"
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}, {'with changes that are in no commit' if changed else 'nothing changed since'}"


def _git(root: Path, *arguments: str) -> str:
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
        return ""
    return done.stdout.strip()
