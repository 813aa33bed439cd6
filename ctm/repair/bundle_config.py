"""`final_config.yaml` of a bundle, read as what it is: a file that somebody else may have written.

Nothing in it can cost more than its size. YAML's aliases let a kilobyte stand for gigabytes, and deep nesting
exhausts the stack, so both are refused from the stream of events, before anything is built.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 1 << 16
"""The one of a full run has 5 kB; what takes a second of a processor (numbers in base 60) needs a megabyte."""
MAX_DEPTH = 20
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BundleConfigError(ValueError):
    """The file cannot be used; the message names it and the reason."""


class BundleConfig:
    """The sections of the file; values are asked for by their keys and checked as they are given out."""

    def __init__(self, path: Path) -> None:
        """Read the file. Raises ConfigError."""
        self.path = path
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise BundleConfigError(f"{path}: {(error.strerror or str(error)).lower()}") from error
        if len(raw) > MAX_BYTES:
            raise BundleConfigError(f"{path}: larger than {MAX_BYTES:,} bytes")
        try:
            _refuse_bombs(raw, path)
            content = yaml.load(raw, _LOADER)
        except BundleConfigError:
            raise
        except Exception as error:  # YAML's own, and what the parts of its values raise (dates, 5,000 digits)
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise BundleConfigError(f"{path}: cannot be read ({first[:200]})") from error
        if not isinstance(content, dict):
            raise BundleConfigError(f"{path}: not a mapping of sections")
        self._content: dict[Any, Any] = content

    def number(self, *keys: str, low: float, high: float, default: float | None = None) -> float:
        """The number at `keys`, within [low, high]; `default` where there is none. Raises ConfigError."""
        value = self._find(keys)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise BundleConfigError(f"{self.path}: {'.'.join(keys)} must be a number, not {_shown(value)}")
        if not low <= value <= high:  # NaN is not either
            raise BundleConfigError(
                f"{self.path}: {'.'.join(keys)} must be from {low:g} to {high:g}, not {_shown(value)}"
            )
        return float(value)

    def whole(self, *keys: str, low: int, high: int) -> int:
        """The whole number at `keys`, within [low, high]. Raises ConfigError."""
        value = self.number(*keys, low=low, high=high)
        if not math.floor(value) == value:
            raise BundleConfigError(f"{self.path}: {'.'.join(keys)} must be a whole number, not {value:g}")
        return int(value)

    def text(self, *keys: str) -> str | None:
        """The text at `keys`, None where there is none. Raises ConfigError for anything else."""
        value = self._find(keys)
        if value is not None and not isinstance(value, str):
            raise BundleConfigError(f"{self.path}: {'.'.join(keys)} must be text, not {_shown(value)}")
        return value

    def section(self, name: str) -> Any:
        """The section as it stands, None where there is none; its reader checks it."""
        return self._content.get(name)

    def _find(self, keys: tuple[str, ...]) -> Any:
        value: Any = self._content
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value


def _refuse_bombs(raw: bytes, path: Path) -> None:
    depth = 0
    for event in yaml.parse(raw, _LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise BundleConfigError(
                f"{path}: has a YAML alias (*{event.anchor or '':.40}); write the value itself"
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise BundleConfigError(f"{path}: nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _shown(value: Any) -> str:
    """A value for a message: short, and never in decimal where it may have a million digits."""
    if isinstance(value, int) and value.bit_length() > 64:
        return f"a number of {value.bit_length()} bits"
    if value is not None and not isinstance(value, (bool, int, float, str)):
        return f"a {type(value).__name__}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
