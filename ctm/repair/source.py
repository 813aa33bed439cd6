"""A Python file as lines with their ends, and back to the very same bytes.

Notable: encodings follow PEP 263 (cookie or byte order mark); line ends are kept line by line; what cannot be a Python
file (binary, too large, undecodable) is refused here with one line that says why.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import re
import stat
import tempfile
import tokenize
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 2_000_000
"""The largest file of the standard library has 0.9 MB; generated tables beyond this are nobody's bug."""
BOM = b"\xef\xbb\xbf"
_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|\Z)")


class FileError(ValueError):
    """The file cannot be handled; the message says why, without the path."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text as lines without their ends, and what is needed to write it again."""

    lines: tuple[str, ...]
    """Without line ends; the last is "" where the text ends in a line end."""
    ends: tuple[str, ...]
    """One per line, "" for the last."""
    encoding: str = "utf-8"
    has_bom: bool = False

    @property
    def text(self) -> str:
        """The text with "\\n" for every line end."""
        return "\n".join(self.lines)

    @property
    def new_end(self) -> str:
        """The most frequent line end, for lines that a repair adds."""
        counts = Counter(end for end in self.ends if end)
        return counts.most_common(1)[0][0] if counts else "\n"

    def splice(self, begin: int, end: int, lines: list[str]) -> Source:
        """Lines [begin, end) replaced; lines that stay keep their own ends."""
        ends = list(self.ends[begin:end][: len(lines)])
        ends = [item or self.new_end for item in ends] + [self.new_end] * (len(lines) - len(ends))
        all_ends = [*self.ends[:begin], *ends, *self.ends[end:]]
        all_lines = (*self.lines[:begin], *lines, *self.lines[end:])
        all_ends[-1] = ""
        return Source(all_lines, tuple(all_ends), self.encoding, self.has_bom)

    def encode(self) -> bytes:
        """The bytes of the file. Raises FileError where the encoding lacks a character."""
        text = "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))
        try:
            return BOM * self.has_bom + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            wrong = error.object[error.start]
            raise FileError(f"the repair has {wrong!a}, which {self.encoding} cannot write") from error


def read_source(path: Path) -> Source:
    """A file's lines. Raises FileError."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileError("not a regular file")
        with path.open("rb") as file:
            return parse_source(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise FileError((error.strerror or str(error)).lower()) from error


def parse_source(raw: bytes) -> Source:
    """Lines of a file's bytes. Raises FileError for what is too large, binary, or not in its own encoding."""
    if len(raw) > MAX_BYTES:
        raise FileError(f"too large: more than {MAX_BYTES:,} bytes")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # UTF-32's little-endian mark begins alike
        raise FileError(
            "UTF-16 or UTF-32 by its byte order mark, which Python does not read: save it as UTF-8"
        )
    if (place := raw.find(b"\0")) >= 0:
        raise FileError(f"binary: a null byte at offset {place}")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        has_bom = encoding == "utf-8-sig"
        encoding = "utf-8" if has_bom else encoding
        text = raw[len(BOM) * has_bom :].decode(encoding)
    except SyntaxError as error:  # an unknown or contradictory cookie, or not UTF-8 in the first two lines
        raise FileError(f"cannot be decoded: {error.msg or error}") from error
    except UnicodeDecodeError as error:
        raise FileError(f"binary, or not {error.encoding}: byte {raw[error.start]:#04x}") from error
    except LookupError as error:
        raise FileError(f"cannot be decoded: {error}") from error
    lines: list[str] = []
    ends: list[str] = []
    for match in _LINE.finditer(text):
        lines.append(match[1])
        ends.append(match[2])
        if not match[2]:
            break
    return Source(tuple(lines), tuple(ends), encoding, has_bom)


def write_source(path: Path, source: Source) -> None:
    """Replace a file in one rename, keeping its mode; a link stays a link. Raises FileError."""
    content = source.encode()
    target = path.resolve()
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(mode)
            Path(temporary).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise FileError(f"cannot be written: {(error.strerror or str(error)).lower()}") from error
