"""Files that exist are whole: written under another name beside the target, synced to the disk, then renamed.

All that the pipeline leaves on a disk is written through `replacing`. Files of a user are not: ctm.repair.write keeps
their owner, mode and links, and looks for changes that somebody made meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SUMS = "SHA256SUMS"
"""Name of the file with the checksums of a folder."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to; the file takes the name `path` when the block ends well, and goes when it does not.

    It lies in a new folder of its own beside `path`, so that two writers of one file never meet. Folders above `path`
    are made. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".", suffix=".part", dir=path.parent) as folder:
        # always the same name: `torch.save` writes it into the file
        temporary = Path(folder) / f"{path.name}.tmp"
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8), whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any, *, end: str = "\n", **layout: Any) -> None:
    """Write a report. Raises ValueError for NaN and infinity, which other readers of JSON do not take.

    end, layout (options of `json.dumps`): of formats that are pinned otherwise.
    """
    write_text(path, json.dumps(content, **{"indent": 1, "allow_nan": False, **layout}) + end)


def sha256_of(path: Path) -> str:
    """Of a file's content, hexadecimal; 20 ms for 30 MB."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path) -> None:
    """Write `SHA256SUMS` of all files of a folder, as `sha256sum -c` reads it."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name != SUMS)
    write_text(folder / SUMS, "".join(f"{sha256_of(folder / name)}  {name}\n" for name in names))


def is_as_summed(path: Path) -> bool:
    """Whether a file is what `SHA256SUMS` beside it says; where there is none, or it does not name the file, it is."""
    try:
        lines = (path.parent / SUMS).read_bytes().splitlines()
    except FileNotFoundError:
        return True
    said = [line.split()[0] for line in lines if line.split()[1:] == [path.name.encode()]]
    return not said or said == [sha256_of(path).encode()]
