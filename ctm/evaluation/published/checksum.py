"""The checksum of a suite: of a file its sha256, of a folder one over the sums of its files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ctm.files import sha256_of


def checksum(path: Path) -> str:
    """sha256 of a file or a folder, hexadecimal. Raises OSError.

    Of a folder: sha256 of the lines `HEX  ./RELATIVE/PATH`, sorted by path, one for each regular file but those of
    `.git`, which differ between two checkouts of the same commit. It is what the shell prints by
    `find . -type f -not -path './.git/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum`.
    """
    if not path.is_dir():
        return sha256_of(path)
    files = {
        f"./{file.relative_to(path).as_posix()}": file
        for file in path.rglob("*")
        if file.is_file() and not file.is_symlink() and file.relative_to(path).parts[0] != ".git"
    }
    lines = (f"{sha256_of(files[name])}  {name}\n" for name in sorted(files, key=str.encode))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
