"""The checksum of a suite: of a file its sha256, of a folder one over the sums of its files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ctm.files import sha256_of


def checksum(path: Path) -> str:
    """sha256 of a file or a folder, hexadecimal. Raises OSError.

    Of a folder: sha256 of the lines `HEX  ./RELATIVE/PATH`, sorted by path, one for each of `files_below`. It is what
    the shell prints by
    `find . -type f -not -path './.git/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum`.
    """
    if not path.is_dir():
        return sha256_of(path)
    names = {os.fsencode(f"./{file.relative_to(path).as_posix()}"): file for file in files_below(path)}
    lines = (b"%s  %s\n" % (sha256_of(names[name]).encode(), name) for name in sorted(names))
    return hashlib.sha256(b"".join(lines)).hexdigest()


def files_below(path: Path, pattern: str = "*") -> list[Path]:
    """Regular files of a folder whose names match, sorted: those of its checksum.

    No links, and nothing of `.git`, which differs between two checkouts of the same commit.
    """
    found = sorted(path.rglob(pattern))
    return [file for file in found if file.is_file() and not file.is_symlink() and not _in_git(file, path)]


def links_below(path: Path) -> list[Path]:
    """Links of a folder, to files and to folders, sorted; what they lead to is in no checksum."""
    return [link for link in sorted(path.rglob("*")) if link.is_symlink() and not _in_git(link, path)]


def _in_git(file: Path, root: Path) -> bool:
    first, *rest = file.relative_to(root).parts
    return first == ".git" and bool(rest)  # of a worktree `.git` is a file
