"""Rows of a Stack Exchange dump, one at a time: Posts.xml and its neighbors, plain or inside a .7z.

A dump is a hostile hundred gigabytes: libxml2's limits stay on (no `huge_tree`), entities are not resolved, a document
type is refused, and each element is freed when the next one comes. py7zr pushes what it unpacks, the parser pulls: a
thread and a pipe of 64 kB stand between them, so an archive is never unpacked whole, neither on disk nor in memory.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lxml import etree

MAX_ELEMENT = 10_000_000
"""Most bytes of one element; the longest posts have some ten thousand."""


class DumpError(ValueError):
    """A dump that cannot be read (on); the message names file, line and remedy."""


def rows(path: Path, member: str) -> Iterator[etree._Element]:
    """The `row` elements of `path`, or of the file named `member` (such as "Posts.xml") in it if it is a .7z.

    An element holds its attributes until the next one is asked for. Raises DumpError where the file cannot be read
    on; the rows before that place have come by then.
    """
    with _opened(path, member) as file:
        metered = _Metered(file)
        events = etree.iterparse(
            metered,
            events=("end",),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        checked = False
        try:
            for _, element in events:
                metered.since = 0
                if not checked:
                    if element.getroottree().docinfo.internalDTD is not None:
                        raise DumpError(
                            f"{path}: refused, because it declares a document type; the dump's files have none. "
                            "Download it again"
                        )
                    checked = True
                if element.tag == "row":
                    yield element
                _free(element)
        except _TooLongError:
            what = f"more than {MAX_ELEMENT // 1_000_000} MB without the end of an element"
            raise DumpError(
                f"{path}: near line {metered.line}: {what}. A valid {member} does not contain this; download it again"
            ) from None
        except etree.XMLSyntaxError as error:
            what = (error.msg or "").partition(", line ")[0].rstrip(".")
            raise DumpError(
                f"{path}:{error.lineno}: {what}; the file is incomplete or was edited, download {member} again"
            ) from None


class _TooLongError(Exception):
    """Too many bytes were read since the last element ended."""


class _Metered:
    """A file that is read on only as long as elements come.

    libxml2's own limits are checked once an element is whole: until then it buffers, three times the size in memory.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.since = 0  # bytes since the last element ended; set to 0 by who sees it end
        self.line = 1  # about where that was: lines that had been read by then
        self._lines = 1

    def read(self, size: int) -> bytes:
        if self.since > MAX_ELEMENT:
            raise _TooLongError
        data = self._file.read(size)
        self._lines += data.count(b"\n")
        if not self.since:
            self.line = self._lines
        self.since += len(data)
        return data


def _free(element: etree._Element) -> None:
    """Drop what an element holds, and the siblings before it: the tree holds what the parser read ahead, no more."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


@contextlib.contextmanager
def _opened(path: Path, member: str) -> Iterator[BinaryIO]:
    try:
        if path.suffix == ".7z":
            with _unpacking(path, member) as packed:
                yield packed
        else:
            with path.open("rb") as plain:
                yield plain
    except OSError as error:
        raise DumpError(
            f"{path}: {error.strerror or error}; expected {member} of a Stack Exchange dump, as XML or inside a .7z "
            "archive"
        ) from None


@contextlib.contextmanager
def _unpacking(path: Path, member: str) -> Iterator[BinaryIO]:
    """The unpacked bytes of one file of an archive, while a thread unpacks it."""
    import py7zr
    from py7zr.io import Py7zIO, WriterFactory

    class Pipe(Py7zIO, WriterFactory):
        """Both the factory and the one thing it makes: the writing end of the pipe."""

        def __init__(self, end: BinaryIO) -> None:
            self.end, self.written = end, 0

        def create(self, filename: str) -> Pipe:
            return self

        def write(self, s: bytes | bytearray) -> int:
            self.written += len(s)
            return self.end.write(s)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def flush(self) -> None:
            self.end.flush()

        def size(self) -> int:
            return self.written

    try:
        archive = py7zr.SevenZipFile(path, "r")
    except (py7zr.exceptions.ArchiveError, EOFError, ValueError, TypeError) as error:
        raise DumpError(
            f"{path}: cannot be opened as a .7z archive ({_error_text(error)}); download it again"
        ) from None
    with archive:
        inside = archive.getnames()
        found = [name for name in inside if name.rsplit("/", 1)[-1] == member]
        if len(found) != 1:
            raise DumpError(
                f"{path}: expected exactly one {member} in the archive, found {', '.join(inside[:9]) or 'nothing'}"
            )
        failed: list[BaseException] = []
        reading, writing = os.pipe()

        def unpack() -> None:
            try:
                with open(writing, "wb") as end:
                    archive.extract(targets=found, factory=Pipe(end))
            except BaseException as error:  # every end of the thread is told below
                failed.append(error)

        thread = threading.Thread(target=unpack, name=f"unpack {path.name}", daemon=True)
        thread.start()
        asked: BaseException | None = None
        try:
            with open(reading, "rb") as file:
                yield file
        except DumpError as error:
            asked = error
        finally:
            thread.join()  # the reading end is closed: a thread that still writes ends with a BrokenPipeError
        broken = [error for error in failed if not isinstance(error, BrokenPipeError)]
        if broken:
            raise DumpError(
                f"{path}: cannot be unpacked ({_error_text(broken[0])}); the archive is incomplete or damaged, "
                "download it again"
            ) from None
        if asked is not None:
            raise asked


def _error_text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
