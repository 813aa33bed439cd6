"""A Python file as lines with their ends, and back to the very same bytes.

Encodings follow PEP 263 (cookie or byte order mark); line ends are kept line by line, and nothing else ends
a line (no form feed, NEL or U+2028); what cannot be a Python file (binary, too large, undecodable) and what would not
come back as the same bytes is refused here with one line that says why.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
import tokenize
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path

MAX_BYTES = 2_000_000
"""The largest file of the standard library has 0.9 MB; generated tables beyond this are nobody's bug."""
BOM = b"\xef\xbb\xbf"
_ASCII = bytes([*b"\t\n\f\r", *range(0x20, 0x7F)])
_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|\Z)")


class FileError(ValueError):
    """The file cannot be handled; the message says why, without the path."""


@dataclass(frozen=True, slots=True)
class PythonFile:
    """A file's text as lines without their ends, and what is needed to write it again."""

    lines: tuple[str, ...]
    """Without line ends; the last is "" where the text ends in a line end."""
    ends: tuple[str, ...]
    """One per line, "" for the last."""
    encoding: str = "utf-8"
    has_bom: bool = False
    file: tuple[int, int] | None = None
    """Device and inode of the file it was read from."""

    @property
    def text(self) -> str:
        """The text with "\\n" for every line end."""
        return "\n".join(self.lines)

    @property
    def exact_text(self) -> str:
        """The text with its own line ends and its byte order mark."""
        text = "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))
        return "\ufeff" * self.has_bom + text

    @property
    def new_end(self) -> str:
        """The most frequent line end, for lines that a repair adds."""
        counts = Counter(end for end in self.ends if end)
        return counts.most_common(1)[0][0] if counts else "\n"

    def splice(self, begin: int, end: int, lines: list[str]) -> PythonFile:
        """Lines [begin, end) replaced; lines that stay keep their own ends."""
        ends = list(self.ends[begin:end][: len(lines)])
        ends = [item or self.new_end for item in ends] + [self.new_end] * (len(lines) - len(ends))
        all_ends = [*self.ends[:begin], *ends, *self.ends[end:]]
        all_lines = (*self.lines[:begin], *lines, *self.lines[end:])
        all_ends[-1] = ""
        return replace(self, lines=all_lines, ends=tuple(all_ends))

    def with_lines(self, lines: Sequence[str]) -> PythonFile:
        """The same file with other lines: those that stay keep their own ends."""
        from ctm.repair.windows import common  # 4 ms, and only of text that is changed

        first = common(self.lines, lines)
        last = common(self.lines[first:][::-1], lines[first:][::-1])
        old, new = self.lines[first : len(self.lines) - last], lines[first : len(lines) - last]
        changed = self
        if len(old) == len(new):
            return self.splice(first, first + len(old), list(new))
        steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        for tag, a, b, c, d in reversed(steps):
            if tag != "equal":
                changed = changed.splice(first + a, first + b, list(new[c:d]))
        return changed

    def encode(self) -> bytes:
        """The bytes of the file. Raises FileError where its encoding cannot hold the text."""
        text = "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))
        try:
            raw = text.encode(self.encoding)
            held = self.encoding == "utf-8" or raw.decode(self.encoding) == text
        except UnicodeEncodeError as error:
            wrong = error.object[error.start]
            raise FileError(
                f"the repair contains {wrong!a}, which {self.encoding} cannot encode; save the file as UTF-8"
            ) from error
        except UnicodeError as error:
            raise FileError(f"the repair cannot be written in {self.encoding}: {error}") from error
        if not held:
            raise FileError(
                f"the repair would be read as another text in {self.encoding}; save the file as UTF-8"
            )
        return BOM * self.has_bom + raw


def read_source(path: Path) -> PythonFile:
    """A file's lines. Raises FileError."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileError("not a regular file")
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            return replace(parse_source(file.read(MAX_BYTES + 1)), file=(status.st_dev, status.st_ino))
    except OSError as error:
        raise FileError((error.strerror or str(error)).lower()) from error


def parse_source(raw: bytes) -> PythonFile:
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
        text = _decode(raw[len(BOM) * has_bom :], encoding)
    except SyntaxError as error:  # an unknown or contradictory cookie, or not UTF-8 in the first two lines
        raise FileError(f"cannot be decoded: {error.msg or error}") from error
    return replace(lines_of(text), encoding=encoding, has_bom=has_bom)


def lines_of(text: str) -> PythonFile:
    """The lines of a text."""
    lines: list[str] = []
    ends: list[str] = []
    for match in _LINE.finditer(text):
        lines.append(match[1])
        ends.append(match[2])
        if not match[2]:
            break
    return PythonFile(tuple(lines), tuple(ends))


def _decode(raw: bytes, encoding: str) -> str:
    """The text of bytes, in which each line is that of the bytes. Raises FileError where that is not so.

    A cookie may name any codec of Python: of some (utf-7, unicode_escape, punycode) the text has other lines than the
    bytes, or does not become the same bytes again.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes
            text = raw.decode(encoding) if _has_ascii(encoding) else ""
            same = text.encode(encoding) == raw
    except UnicodeDecodeError as error:
        raise FileError(f"binary, or not {error.encoding}: byte {error.object[error.start]:#04x}") from error
    except Exception as error:  # a codec may raise anything
        raise FileError(f"cannot be decoded: {error}") from error
    if not same or any(text.count(end) != raw.count(end.encode()) for end in "\r\n"):
        raise FileError(
            f"not supported: text in {encoding} cannot be written back as the same bytes; save the file as UTF-8"
        )
    return text


def _has_ascii(encoding: str) -> bool:
    """Whether the bytes of ASCII text mean the same in an encoding. Raises LookupError for one that is none."""
    try:
        return _ASCII.decode(encoding) == _ASCII.decode("ascii")
    except UnicodeError:
        return False
