"""What the loaders share: items that are kept, drops counted by reason, JSON whose fields are checked."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ctm.bugs.security.rules import security_rule
from ctm.evaluation.published.checksum import files_below
from ctm.pairs.categories import categorize
from ctm.python.compiling import MAX_BYTES, compiles
from ctm.python.lexical import exact_match
from ctm.repair.evaluate import Item

NOT_PYTHON = "not Python"
SAME = "both sides are the same"
BROKEN_FIX = "the fixed side does not parse"
TOO_LARGE = f"more than {MAX_BYTES:,} bytes"
NO_FIX = "no fixed side"
NOT_UTF8 = "not UTF-8"
NO_TEST = "no test that can be run"


class SuiteError(ValueError):
    """A suite that cannot be read; the message names file, line, and what is wrong."""


@dataclass
class Loaded:
    """The items of a suite, and what was not taken."""

    items: list[Item] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    """Items that are none, by reason."""
    notes: Counter[str] = field(default_factory=Counter)
    """Items that are kept and lack something, by what."""

    def add(
        self,
        item_id: str,
        buggy: str,
        fixed: str,
        *,
        category: str = "",
        kind: str = "",
        test: str = "",
        project: str = "",
    ) -> None:
        """Keep a pair, or count why not. Common indentation is taken away; without `category` it is worked out."""
        buggy, fixed = textwrap.dedent(buggy), textwrap.dedent(fixed)
        if reason := reject_reason(buggy, fixed):
            self.dropped[reason] += 1
            return
        category = category or categorize(buggy, fixed, security_rule)
        self.items.append(Item(item_id, buggy, fixed, category, kind, test, project))


def reject_reason(buggy: str, fixed: str) -> str:
    """Why a pair is no item, "" where it is one."""
    if max(len(text.encode("utf-8", "replace")) for text in (buggy, fixed)) > MAX_BYTES:
        return TOO_LARGE
    if not fixed.strip():
        return NO_FIX
    if exact_match(buggy, fixed):
        return SAME
    return "" if compiles(fixed) else BROKEN_FIX


def without_unusable(loaded: Loaded) -> Loaded:
    """Less the items that no layout may have: too large to be looked at, or with signs that no file can hold."""
    kept = Loaded(dropped=loaded.dropped.copy(), notes=loaded.notes)
    for item in loaded.items:
        if reason := _unusable(item):
            kept.dropped[reason] += 1
        else:
            kept.items.append(item)
    return kept


def _unusable(item: Item) -> str:
    try:
        sizes = {name: len(text.encode()) for name, text in dataclasses.asdict(item).items()}
    except UnicodeEncodeError:  # JSON may have half a surrogate pair; neither Parquet nor a page can
        return NOT_UTF8
    return TOO_LARGE if max(sizes["buggy"], sizes["fixed"]) > MAX_BYTES else ""


# --- files ----------------------------------------------------------------------------------------------------------


def read_text(path: Path) -> str:
    """A text of a suite. Raises SuiteError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: cannot be read ({error})") from None


def read_code(path: Path) -> str | None:
    """A program or a patch, None where it is not UTF-8: one of many, which is counted. Raises SuiteError."""
    try:
        return path.read_bytes().decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        return None
    except OSError as error:
        raise SuiteError(f"{path}: cannot be read ({error})") from None


def json_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(place, row) of a file of JSON lines, or of one JSON list of objects. Raises SuiteError with the line."""
    text = read_text(path)
    if text.lstrip()[:1] == "[":
        rows = ((f"{path}, item {number}", row) for number, row in enumerate(parse(text, str(path)), 1))
    else:
        lines = text.split("\n")  # not splitlines: a text may hold other line ends
        rows = (
            (f"{path}:{number}", parse(line, f"{path}:{number}"))
            for number, line in enumerate(lines, 1)
            if line.strip()
        )
    for where, row in rows:
        if not isinstance(row, Mapping):
            raise SuiteError(f"{where}: expected an object, not {type(row).__name__}")
        yield where, row


def parse(text: str, where: str) -> Any:
    """JSON. Raises SuiteError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{where}: not JSON ({error})") from None


def text_of(row: Mapping[str, Any], where: str, *names: str) -> str:
    """The first of some fields that a row has; releases differ in names. Raises SuiteError with the row's keys."""
    found = optional_text(row, where, *names)
    if found is None:
        wanted = " or ".join(f'"{name}"' for name in names)
        raise SuiteError(
            f"{where}: {wanted} is missing; the keys there are {', '.join(map(str, row)) or 'none'}"
        )
    return found


def optional_text(row: Mapping[str, Any], where: str, *names: str) -> str | None:
    """The same, None where the row has none of them. Raises SuiteError where it is no text."""
    for name in names:
        if row.get(name) is not None:
            if not isinstance(row[name], str):
                raise SuiteError(f'{where}: "{name}" must be text, not {type(row[name]).__name__}')
            return str(row[name])
    return None


def files_of(path: Path, pattern: str, layout: str) -> list[Path]:
    """A file itself, or the files of a folder, sorted. Raises SuiteError where there are none."""
    found = [path] if path.is_file() else files_below(path, pattern)
    if not found:
        raise SuiteError(f"{path}: no {pattern} below it; is it a copy of {layout}?")
    return found


def folder_of(path: Path, *names: str) -> Path:
    """The folder with these names below it. Raises SuiteError that says what is missing."""
    for name in names:
        if not (path / name).is_dir():
            there = (
                ", ".join(sorted(child.name for child in path.iterdir())[:12])
                if path.is_dir()
                else "no folder"
            )
            raise SuiteError(f"{path}: no folder {name}/ in it (there: {there or 'nothing'})")
    return path
