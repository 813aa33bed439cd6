"""The GitHub-Python data of BIFI: code that does not parse, without anybody's fix, and code that does.

`orig.bad.json`, or a folder that has it at any depth: an object (or list) of entries with code_string. Nobody knows the
right repair, so only the BIFI measure and coverage are told. Where `orig.good.json` is there, its snippets are clean
code: an edit of one is a false alarm. The published figures are of two of the five chunks of the bad code; this is all
of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ctm.evaluation.published.checksum import files_below
from ctm.evaluation.published.loading import (
    TOO_LARGE,
    Loaded,
    SuiteError,
    files_of,
    parse,
    read_text,
    text_of,
)
from ctm.python.compiling import MAX_BYTES, compiles
from ctm.repair.evaluate import Item

BAD, GOOD = "orig.bad.json", "orig.good.json"
PARSES = "the bad side parses in this Python"
BROKEN = "the good side does not parse in this Python"
UNKNOWN = ""
"""The fixed side of an item that has none."""


def load(path: Path) -> Loaded:
    """All bad entries, category syntax, and all good ones, category clean. Raises SuiteError."""
    loaded = Loaded()
    for file in files_of(path, BAD, "BIFI's GitHub-Python"):
        for name, code in _entries(file):
            if reason := _reject_reason(code, wants_broken=True):
                loaded.dropped[reason] += 1
            else:
                loaded.items.append(Item(f"bad/{name}", code, UNKNOWN, "syntax"))
    for file in files_below(path, GOOD) if path.is_dir() else []:
        for name, code in _entries(file):
            if reason := _reject_reason(code, wants_broken=False):
                loaded.dropped[reason] += 1
            else:
                loaded.items.append(Item(f"good/{name}", code, code, "clean"))
    return loaded


def _entries(file: Path) -> Iterator[tuple[str, str]]:
    content = parse(read_text(file), str(file))
    if not isinstance(content, (Mapping, list)):
        raise SuiteError(f"{file}: expected an object or a list of entries, not {type(content).__name__}")
    for name, row in content.items() if isinstance(content, Mapping) else enumerate(content):
        where = f"{file}, entry {name}"
        if not isinstance(row, Mapping):
            raise SuiteError(f"{where}: expected an object, not {type(row).__name__}")
        yield str(name), text_of(row, where, "code_string")


def _reject_reason(code: str, wants_broken: bool) -> str:
    if len(code.encode("utf-8", "replace")) > MAX_BYTES:
        return TOO_LARGE
    if compiles(code) == wants_broken:
        return PARSES if wants_broken else BROKEN
    return ""
