"""Error messages for configurations: file, key, value and remedy.

A configuration arrives merged, so the files are read once more, newest first, to say where a key stands.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

log = logging.getLogger(__name__)
REFERENCE = "docs/config.md"
RETIRED = {("trm", "stage", "memory"): "a TRM has no neurons with a memory"}
"""Keys that meant nothing and were asked for once: files that have them go on working, and are told why not to."""


class ConfigError(ValueError):
    """A key or value of the configuration that cannot be used; the message names file, key, value and remedy."""


def wrong_values(error: ValidationError, values: Mapping[str, Any], files: Sequence[Path]) -> list[str]:
    """A line for each of the merged `values` that has the wrong type or does not go with the others."""
    return [_wrong(found["loc"], _message(found), values, files) for found in error.errors()]


def unknown_keys(values: Mapping[str, Any], known: Mapping[str, Any], files: Sequence[Path]) -> list[str]:
    """A line for each key of the merged `values` that `known`, the checked configuration, does not have."""
    return [_unknown(path, names, files) for path, names in _surplus(values, known, ())]


def without_retired_keys(values: Mapping[str, Any], files: Sequence[Path]) -> Mapping[str, Any]:
    """The merged `values` less keys that are `RETIRED`; the log says which file has one, and why it goes."""
    for path, why in RETIRED.items():
        if _at(values, path) is not None:
            log.warning("%s: %s is left out: %s; delete it", _where(path, files), ".".join(path), why)
            values = _less(values, path)
    return values


def _at(values: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path, None where nothing does."""
    for part in path:
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def _less(values: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """A copy without what stands at a path."""
    first, *rest = path
    if not rest:
        return {key: value for key, value in values.items() if key != first}
    return {**values, first: _less(values[first], tuple(rest))}


def _message(found: ErrorDetails) -> str:
    """What is wrong; of a key that is not there its name, which pydantic says by the place alone."""
    return f"{found['loc'][-1]!r} is missing" if found["type"] == "missing" else found["msg"]


def _wrong(
    place: tuple[int | str, ...], message: str, values: Mapping[str, Any], files: Sequence[Path]
) -> str:
    path: list[str] = []
    at: Any = values
    for part in place:  # less the parts that name a branch of a union
        inside = isinstance(at, (list, tuple)) and isinstance(part, int) and part < len(at)
        if not inside and not (isinstance(at, Mapping) and part in at):
            break
        at = at[part]
        path.append(str(part))
    name = ".".join(path) or "the configuration"
    of_key = place[-1:] == ("[key]",)
    given = f" (given: {at!r})" if path and not of_key and not isinstance(at, Mapping) else ""
    message = message.removeprefix("Value error, ")
    return f"{_where(tuple(path), files)}: {name}: {message}{given}; see {REFERENCE}"


def _surplus(values: Any, known: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Paths in `values` that `known` does not have, each with the names it could have been."""
    if not isinstance(values, Mapping) or not isinstance(known, Mapping):
        return
    for key, value in values.items():
        if key not in known:
            yield (*path, str(key)), [str(k) for k in known]
        else:
            yield from _surplus(value, known[key], (*path, str(key)))


def _unknown(path: tuple[str, ...], names: list[str], files: Sequence[Path]) -> str:
    near = difflib.get_close_matches(path[-1], names, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"the keys there are {', '.join(names)}"
    return f"{_where(path, files)}: unknown key {'.'.join(path)!r}; {remedy} (all keys: {REFERENCE})"


def _where(path: tuple[str, ...], files: Sequence[Path]) -> str:
    """The last file that has this path, or how else it can have come in."""
    for file in reversed(files):
        at: Any = yaml.safe_load(Path(file).read_text(encoding="utf-8")) or {}
        for part in path:
            if not isinstance(at, Mapping) or part not in at:
                break
            at = at[part]
        else:
            return str(file)
    return "--config" if files else "configuration"
