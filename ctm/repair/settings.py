"""Settings of a project: `[tool.ctm-repair]` in pyproject.toml, or `ctm-repair.toml` / `.ctm-repair.toml`.

As ruff does it, the nearest file above the first path counts, and the command line wins. A cloned repository brings
such a file, so there are keys only for what to look at and what to propose: none names a bundle, an output file or a
place to write to, and none writes. A file that is not ours is neither parsed nor an error.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ctm.repair.reports.base import FORMATS
from ctm.repair.selection import KINDS
from ctm.repair.versions import OLDEST, parse_target

PYPROJECT = "pyproject.toml"
OWN_NAMES = (".ctm-repair.toml", "ctm-repair.toml")
"""In one folder the first of them counts, and both before pyproject.toml, as with ruff's files."""
TABLE = "ctm-repair"
MAX_BYTES = 1_000_000
MAX_WORK = 30_000_000
"""Steps of the parser (_parsing_work): six seconds where they are the slowest."""
MAX_PATTERNS = 1_000
MAX_PATTERN = 1_000
"""Characters of a pattern."""

_BOUND = re.compile(r"\s*(>=|~=|==|!=|<=|<|>)\s*(\d{1,9}(?:\.\d{1,9})*(?:\.\*)?)\s*")


class SettingsError(ValueError):
    """A file of settings cannot be used; the message names file, key, value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a file says, checked."""

    path: Path | None = None
    """The file; None where there is none."""
    folder: Path = Path()
    """What its patterns are relative to."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """By key."""


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: what is allowed, in words and as a test."""

    allowed: str
    allows: Callable[[Any], bool]


def _is_patterns(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MAX_PATTERNS
        and all(isinstance(item, str) and 0 < len(item) <= MAX_PATTERN for item in value)
    )


def _is_version(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(parse_target(value))
    except ValueError:
        return False


def _is_probability(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


_FLAG = Key("true or false", lambda value: isinstance(value, bool))
_PATTERNS = Key(
    f'a list of at most {MAX_PATTERNS:,} patterns as in .gitignore, such as ["gen/", "*_pb2.py"]',
    _is_patterns,
)
KEYS: dict[str, Key] = {
    "exclude": _PATTERNS,
    "extend-exclude": _PATTERNS,
    "force-exclude": _FLAG,
    "target-version": Key(f'a version as text, such as "3.12", from 3.{OLDEST[1]} on', _is_version),
    "confidence": Key("a number from 0 to 1", _is_probability),
    "select": Key(
        f"a list of {' and '.join(KINDS)}",
        lambda value: isinstance(value, list) and bool(value) and all(item in KINDS for item in value),
    ),
    "suggest": _FLAG,
    "output-format": Key(f"one of {', '.join(FORMATS)}", lambda value: value in FORMATS),
    "allow-deletions": _FLAG,
}
"""Every key that a file may have. A new one must do no harm in the hands of a stranger."""


def find_settings(first: str) -> Settings:
    """The settings that hold for a path (a file, a folder, `-` for the working folder). Raises SettingsError."""
    place = os.path.abspath("." if first == "-" else first)
    folder = Path(place if os.path.isdir(place) else os.path.dirname(place))
    for above in (folder, *folder.parents):
        for name in (*OWN_NAMES, PYPROJECT):
            path = above / name
            if name == PYPROJECT and not path.is_file():
                continue  # a folder or a link that leads nowhere is none of ours
            if (raw := _read(path)) is not None and (name in OWN_NAMES or TABLE.encode() in raw):
                values = _table(path, _parse(path, raw))
                if values is not None:
                    return _settings(path, above, values)
    return Settings()


def load_settings(path: Path) -> Settings:
    """A file that the user named; its patterns are relative to the working folder. Raises SettingsError."""
    raw = _read(path)
    if raw is None:
        raise SettingsError(f"{path}: no such file of settings")
    values = _table(path, _parse(path, raw))
    if values is None:
        raise SettingsError(f"{path}: it has no table [tool.{TABLE}]")
    return _settings(path, Path.cwd(), values)


def _read(path: Path) -> bytes | None:
    """Its bytes; None where nothing is. Raises SettingsError."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise SettingsError(f"{path}: not a regular file; --isolated looks for no settings")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    if len(raw) > MAX_BYTES:
        raise SettingsError(f"{path}: more than {MAX_BYTES:,} bytes; --isolated looks for no settings")
    return raw


def _parse(path: Path, raw: bytes) -> dict[str, Any]:
    import tomllib  # 10 ms, and most projects have no file of ours

    if _parsing_work(raw) > MAX_WORK:
        raise SettingsError(f"{path}: too many dots; --isolated looks for no settings")
    try:
        return tomllib.loads(raw.decode())
    except (
        ValueError,
        RecursionError,
    ) as error:  # ValueError: not TOML, not UTF-8, a number of over 4,300 digits
        raise SettingsError(f"{path}: not TOML: {error}") from error


def _parsing_work(raw: bytes) -> int:
    """Steps that tomllib takes for dotted keys, at most: it goes through all parts of a key for each of its parts."""
    work = deepest = 0
    for line in raw.split(b"\n"):
        dots = line.count(b".")
        if line.lstrip().startswith(b"["):
            deepest = max(deepest, dots)
        work += (dots + 1) * (deepest + dots + 1)
    return work


def _table(path: Path, content: dict[str, Any]) -> dict[str, Any] | None:
    """Our table of a file; None where a pyproject.toml has none. Raises SettingsError."""
    if path.name != PYPROJECT:
        return content
    tools = content.get("tool")
    if not isinstance(tools, dict) or TABLE not in tools:
        return None
    if not isinstance(table := tools[TABLE], dict):
        raise SettingsError(f"{path}: tool.{TABLE} = {_short(table)}: allowed is a table, [tool.{TABLE}]")
    return {**_implied(content.get("project")), **table}


def _implied(project: Any) -> dict[str, Any]:
    """The target version that `requires-python` gives, where it is clear."""
    needs = project.get("requires-python") if isinstance(project, dict) else None
    oldest = oldest_python(needs) if isinstance(needs, str) else None
    return {} if oldest is None else {"target-version": oldest}


def oldest_python(requires: str) -> str | None:
    """ ">=3.9,<4" -> "3.9": the oldest Python that `requires-python` allows; None where that is not clear.

    Clear is one lower bound (`>=`, `~=`, `== 3.9.*`) of a Python 3; of upper bounds and exceptions it does not matter
    what they say. What is older than our oldest target counts as that one: it takes no newer syntax either.
    """
    lower: list[str] = []
    for part in requires.split(","):
        match = _BOUND.fullmatch(part)
        if match is None or match[1] == ">":
            return None
        if match[1] in (">=", "~=", "=="):
            lower.append(match[2].removesuffix(".*"))
    numbers = lower[0].split(".") if len(lower) == 1 else []
    if len(numbers) < 2 or numbers[0] != "3":
        return None
    return f"3.{max(int(numbers[1]), OLDEST[1])}"


def _settings(path: Path, folder: Path, values: Mapping[str, Any]) -> Settings:
    for name, value in values.items():
        key = KEYS.get(name)
        where = f"{path}: {f'tool.{TABLE}.' * (path.name == PYPROJECT)}{name[:80]} = {_short(value)}"
        if key is None:
            raise SettingsError(f"{where}: no such key; there are {', '.join(KEYS)}")
        if not key.allows(value):
            raise SettingsError(f"{where}: allowed is {key.allowed}")
    return Settings(path, folder, dict(values))


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return "(a number too long, or a value nested too deeply, to be shown)"
    return text if len(text) <= 80 else f"{text[:80]}…"
