"""What wheels and source distributions contain, read as data: nothing is unpacked, built, imported or run."""

from __future__ import annotations

import email.parser
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path, PurePosixPath

SUFFIXES = (".whl", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
MOST_BYTES = 2**30
"""Unpacked size beyond which an archive is refused: it would be a trap, not a package."""

MOST_METADATA = 2**20
"""Bytes of a METADATA or PKG-INFO that are read: it begins with the fields, and may end with a whole handbook."""
MOST_PYTHON = 200 * 2**20
"""Bytes of Python files that are held of one archive."""
_FAULTS = (
    tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, NotImplementedError, RuntimeError,
    ValueError,
)  # fmt: skip


class PackageArchiveError(ValueError):
    """An archive that cannot be read; the message says why."""


@dataclass(frozen=True)
class Archive:
    """A distribution as it lies in its archive."""

    metadata: Message
    """METADATA of a wheel, PKG-INFO of a source distribution; empty where there is none."""
    files: dict[str, bytes]
    """Python files by path; without the folder that a source distribution wraps all others in."""


def read_archive(path: Path, name: str, max_bytes: int) -> Archive:
    """Python files and metadata of a wheel or source distribution. Raises PackageArchiveError, OSError.

    name: the file's own name, which says what it is. max_bytes: larger Python files are cut to one byte more than that,
    so that whoever reads them sees that they are too large.
    """
    is_wheel = name.endswith(".whl")
    files: dict[str, bytes] = {}
    metadata, held = b"", 0
    try:
        for member, data in _members(path, name.endswith((".whl", ".zip")), max_bytes + 1):
            inside = PurePosixPath(member) if is_wheel else _unwrapped(member)
            if inside is None or inside.is_absolute() or ".." in inside.parts:
                continue
            if inside.suffix == ".py":
                files[inside.as_posix()] = data
                held += len(data)
                if held > MOST_PYTHON:
                    raise PackageArchiveError(f"more than {MOST_PYTHON // 2**20} MB of Python files")
            elif not metadata and _is_metadata(inside, is_wheel):
                metadata = data
    except _FAULTS as error:
        raise PackageArchiveError(f"{name}: {error}") from error
    return Archive(email.parser.Parser().parsestr(metadata.decode("utf-8", "replace"), True), files)


def _is_metadata(inside: PurePosixPath, is_wheel: bool) -> bool:
    """Whether it is the distribution's own: a copy of another one inside has its own, deeper down."""
    if is_wheel:
        return len(inside.parts) == 2 and inside.match("*.dist-info/METADATA")
    return inside.as_posix() == "PKG-INFO"


def _unwrapped(member: str) -> PurePosixPath | None:
    parts = PurePosixPath(member).parts
    return PurePosixPath(*parts[1:]) if len(parts) > 1 else None


def _members(path: Path, is_zip: bool, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the Python files, up to `max_bytes` bytes, and metadata in an archive, links left out."""
    unpacked = 0
    if is_zip:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                unpacked = _grown(unpacked, info.file_size)
                is_link = stat.S_ISLNK(info.external_attr >> 16)
                if _is_wanted(_named(info.filename)) and not is_link:
                    with archive.open(info) as member:
                        yield _named(info.filename), member.read(_max_bytes(info.filename, max_bytes))
        return
    with tarfile.open(path, "r:*") as archive:
        for item in archive:
            unpacked = _grown(unpacked, item.size)
            content = archive.extractfile(item) if item.isreg() and _is_wanted(_named(item.name)) else None
            if content:
                yield _named(item.name), content.read(_max_bytes(item.name, max_bytes))


def _named(name: str) -> str:
    """A member's name with forward slashes, in characters that can be written."""
    return name.replace("\\", "/").encode("utf-8", "replace").decode()


def _is_wanted(name: str) -> bool:
    return name.endswith((".py", "/METADATA", "/PKG-INFO"))


def _max_bytes(name: str, python: int) -> int:
    return python if name.endswith(".py") else MOST_METADATA


def _grown(unpacked: int, size: int) -> int:
    if unpacked + size > MOST_BYTES:
        raise PackageArchiveError(f"more than {MOST_BYTES // 2**20} MB unpacked")
    return unpacked + size
