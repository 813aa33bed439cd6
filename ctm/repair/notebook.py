"""Notebooks (.ipynb, nbformat 4): their code cells, and one cell's code replaced with every other byte as it was.

A notebook is not written anew from what was parsed, which would change indents, escapes, numbers or the order of keys:
the place of each `source` in the JSON's text is found, and only that part is replaced. A list of lines stays one, and
lines that stay keep their spelling.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ctm.repair.source import FileError, PythonFile, lines_of
from ctm.repair.write import write_content

MAX_BYTES = 50_000_000
"""Outputs hold pictures; code is limited cell by cell, as a file is (source.MAX_BYTES)."""
OTHER_LANGUAGE = "notebooks in another language"
OTHER_CELLS = "cells in another language"
CELL_MAGICS = "cells with a cell magic (%%)"

_SPACE = re.compile(r"[ \t\n\r]*")
_CELL_MAGIC = re.compile(r"\s*%%[^\W\d]")
_ESCAPED = re.compile(r"\\u(?!00[0-7])[0-9a-fA-F]{4}")
"""A character beyond ASCII that was written in ASCII."""
_BOM = "\ufeff"
_DECODER = json.JSONDecoder()

Span = tuple[int, int]


class Notebook:
    """A notebook's text and where the code of its cells stands in it."""

    def __init__(self, path: str, text: str, file: tuple[int, int] | None = None) -> None:
        """file: device and inode. Raises FileError for what is no notebook of nbformat 4."""
        self.path = path
        self.file = file
        self.sources: dict[int, Span] = {}
        """By cell number, from 1 over all cells: where the source of a Python cell stands."""
        self.left_out: Counter[str] = Counter()
        """Cells that are not looked at, or the notebook itself, by reason."""
        self._take(text)

    def _take(self, text: str) -> None:
        self.text = text
        self.sources.clear()
        self.left_out.clear()
        try:
            content = json.loads(text.removeprefix(_BOM))
            _check(content)
            if not _is_python(content):
                self.left_out[OTHER_LANGUAGE] += 1
                return
            top = _SPACE.match(text, len(_BOM) * text.startswith(_BOM))
            assert top is not None
            cells = dict(_members(text, top.end()))["cells"]
            spans = list(_items(text, cells[0]))
            for number, (cell, span) in enumerate(zip(content["cells"], spans, strict=True), 1):
                if cell.get("cell_type") == "code" and not self._skips(cell):
                    self.sources[number] = dict(_members(text, span[0]))["source"]
        except json.JSONDecodeError as error:
            raise FileError(f"not a notebook: line {error.lineno}: {error.msg.lower()}") from error
        except FileError:
            raise
        except (RecursionError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise FileError("not a notebook of nbformat 4: its cells are not as they should be") from error

    def _skips(self, cell: dict[str, Any]) -> bool:
        source = _joined(cell["source"])
        language = cell.get("metadata", {}).get("vscode", {}).get("languageId", "python")
        if language != "python":
            self.left_out[OTHER_CELLS] += 1
        elif _CELL_MAGIC.match(source):
            self.left_out[CELL_MAGICS] += 1
        return language != "python" or _CELL_MAGIC.match(source) is not None

    def cell(self, number: int) -> PythonFile:
        """The code of a cell. Raises FileError."""
        begin, end = self.sources[number]
        text = _joined(json.loads(self.text[begin:end]))
        if "\0" in text:
            raise FileError("binary: a null byte")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise FileError("not Unicode: half of a surrogate pair") from error
        return lines_of(text)

    def write(self, number: int, after: PythonFile) -> None:
        """Replace the code of a cell in the file. Raises FileError, and leaves the file as it is, as write_source."""
        content = self.replaced(number, after)
        write_content(Path(self.path), self.file, self.text.encode(), content.encode())
        status = os.stat(self.path)
        self.file = status.st_dev, status.st_ino
        self._take(content)

    def replaced(self, number: int, after: PythonFile) -> str:
        """The notebook's text with other code in a cell."""
        begin, end = self.sources[number]
        lines = [line + line_end for line, line_end in zip(after.lines, after.ends, strict=True)]
        lines = lines[:-1] if lines[-1] == "" else lines
        is_ascii = self.text.isascii() and _ESCAPED.search(self.text) is not None
        if self.text[begin] == "[":
            new = self._list(begin, end, lines, is_ascii)
        else:
            new = json.dumps("".join(lines), ensure_ascii=is_ascii)
        return self.text[:begin] + new + self.text[end:]

    def _list(self, begin: int, end: int, lines: list[str], is_ascii: bool) -> str:
        """A list of lines in the layout of the one at [begin, end)."""
        items = list(_items(self.text, begin))
        if not items:
            return json.dumps(lines, ensure_ascii=is_ascii)
        head = self.text[begin + 1 : items[0][0]]
        tail = self.text[items[-1][1] : end - 1]
        if len(items) > 1:
            between = self.text[items[0][1] : items[1][0]]
        else:
            between = "," + (head or " " * (re.search(r'": ', self.text) is not None))
        known = {json.loads(self.text[a:b]): self.text[a:b] for a, b in items}
        shown = [known.get(line) or json.dumps(line, ensure_ascii=is_ascii) for line in lines]
        return f"[{head}{between.join(shown)}{tail}]"


@dataclass(frozen=True, slots=True)
class Cell:
    notebook: Notebook
    number: int


class CellPath(str):
    """`book.ipynb:cell 3`: what a cell is called, and the cell; a str, so that whatever names a file can name it."""

    cell: Cell

    def __new__(cls, cell: Cell) -> CellPath:
        path = super().__new__(cls, f"{cell.notebook.path}:cell {cell.number}")
        path.cell = cell
        return path


def read_notebook(path: str) -> Notebook:
    """Raises FileError."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise FileError("not a regular file")
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise FileError(f"too large: more than {MAX_BYTES:,} bytes")
        return Notebook(path, raw.decode(), (status.st_dev, status.st_ino))
    except OSError as error:
        raise FileError((error.strerror or str(error)).lower()) from error
    except UnicodeDecodeError as error:
        raise FileError(f"not a notebook: not utf-8: byte {error.object[error.start]:#04x}") from error


def _check(content: Any) -> None:
    if not isinstance(content, dict) or "nbformat" not in content:
        raise FileError("not a notebook: it has no nbformat")
    if content["nbformat"] != 4:
        raise FileError(
            f"a notebook of nbformat {content['nbformat']!r:.20}; 4 is read: jupyter nbconvert --to notebook"
        )
    if not isinstance(content["cells"], list):
        raise TypeError("cells")


def _is_python(content: dict[str, Any]) -> bool:
    """By its metadata; a notebook that does not say is taken for Python."""
    metadata = _section(content, "metadata")
    info, kernel = _section(metadata, "language_info"), _section(metadata, "kernelspec")
    said = [info.get("name"), kernel.get("language"), kernel.get("name")]
    language = next((name for name in said if isinstance(name, str) and name), "python")
    return language.lower().startswith(("python", "ipython"))


def _section(content: dict[str, Any], name: str) -> dict[str, Any]:
    """A part of the notebook, empty where there is none or null; another type raises where it is used."""
    part: dict[str, Any] | None = content.get(name)
    return {} if part is None else part


def _joined(source: Any) -> str:
    if isinstance(source, list):
        return "".join(source)
    if not isinstance(source, str):
        raise TypeError("source")
    return source


# --- places in JSON that is known to be right -----------------------------------------------------------------------


def _members(text: str, at: int) -> Iterator[tuple[str, Span]]:
    """The keys of the object that begins at `at`, and where their values stand."""
    for begin, end in _parts(text, at):
        key, after = _DECODER.raw_decode(text, begin)
        value = _skip(text, _skip(text, after) + 1)
        yield key, (value, end)


def _items(text: str, at: int) -> Iterator[Span]:
    """Where the items of the array that begins at `at` stand."""
    return _parts(text, at)


def _parts(text: str, at: int) -> Iterator[Span]:
    is_object = text[at] == "{"
    at = _skip(text, at + 1)
    while text[at] not in "]}":
        begin = at
        if is_object:
            at = _skip(text, _skip(text, _end(text, at)) + 1)
        at = _end(text, at)
        yield begin, at
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at


def _end(text: str, at: int) -> int:
    return _DECODER.raw_decode(text, at)[1]


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()
