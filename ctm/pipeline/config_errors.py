"""Error messages for configurations, in words: key, what is wrong, value and remedy (given.py adds file and line)."""

from __future__ import annotations

import datetime
import difflib
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ctm.strict_yaml import Place

log = logging.getLogger(__name__)
REFERENCE = "docs/config.md"
MOST_SHOWN = 80
"""Characters of a wrong value that are shown."""
RETIRED = {("trm", "stage", "memory"): "a TRM has no neurons with a memory"}
"""Keys that meant nothing and were asked for once: files that have them go on working, and are told why not to."""
Where = Callable[[Place], str]
"""Says where a key stands."""

_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}
_KINDS = {
    "dataclass_type": "must be a section: keys with values",
    "dict_type": "must be a mapping: keys with values",
    "tuple_type": "must be a list, such as [a, b]",
    "finite_number": "must be a finite number",
    "string_type": "must be text; put it in quotes",
}


class ConfigError(ValueError):
    """A key or value of the configuration that cannot be used; the message names file, key, value and remedy."""


def wrong_values(error: ValidationError, values: Mapping[str, Any], where: Where) -> list[str]:
    """A line for each of the merged `values` that has the wrong type or does not go with the others."""
    return [_wrong(found, values, where) for found in error.errors()]


def unknown_keys(values: Mapping[str, Any], known: Mapping[str, Any], where: Where) -> list[str]:
    """A line for each key of the merged `values` that `known`, the checked configuration, does not have."""
    return [_unknown(path, names, where) for path, names in _surplus(values, known, ())]


def mistaken_truths(values: Any, known: Any, where: Where, place: Place = ()) -> Iterator[str]:
    """A line for each true or false that was taken for the number 1 or 0."""
    if isinstance(values, Mapping) and isinstance(known, Mapping):
        for key, value in values.items():
            yield from mistaken_truths(value, known.get(key), where, (*place, str(key)))
    elif isinstance(values, (list, tuple)) and isinstance(known, (list, tuple)):
        for number, (value, checked) in enumerate(zip(values, known, strict=False)):
            yield from mistaken_truths(value, checked, where, (*place, str(number)))
    elif isinstance(values, bool) and isinstance(known, (int, float)) and not isinstance(known, bool):
        yield (
            f"{where(place)}: {'.'.join(place)}: must be a number (given: {str(values).lower()}, as YAML reads yes, "
            f"no, on and off too); see {REFERENCE}"
        )


def without_retired_keys(values: Mapping[str, Any], where: Where) -> Mapping[str, Any]:
    """The merged `values` less keys that are `RETIRED`; the log says which file has one, and why it goes."""
    for path, why in RETIRED.items():
        if value_at(values, path) is not None:
            log.warning("%s: %s is left out: %s; delete it", where(path), ".".join(path), why)
            values = _less(values, path)
    return values


def value_at(values: Any, path: Place) -> Any:
    """What stands at a path, None where nothing does."""
    for part in path:
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def _less(values: Mapping[str, Any], path: Place) -> dict[str, Any]:
    """A copy without what stands at a path."""
    first, *rest = path
    if not rest:
        return {key: value for key, value in values.items() if key != first}
    return {**values, first: _less(values[first], tuple(rest))}


def _wrong(found: ErrorDetails, values: Mapping[str, Any], where: Where) -> str:
    path: list[str] = []
    at: Any = values
    for part in found["loc"]:  # less the parts that name a branch of a union
        inside = isinstance(at, (list, tuple)) and isinstance(part, int) and part < len(at)
        if not inside and not (isinstance(at, Mapping) and part in at):
            break
        at = at[part]
        path.append(str(part))
    of_key = found["loc"][-1:] == ("[key]",)
    message = _message(found)
    if not path and (key := re.match(r"[a-z_]\w*(?:\.\w+)+", message)):  # what several sections say together
        return f"{where(tuple(key[0].split('.')))}: {message}; see {REFERENCE}"
    name = ".".join(path) or "the configuration"
    given = f" (given: {_shown(at)})" if path and not of_key and not isinstance(at, Mapping) else ""
    return f"{where(tuple(path))}: {name}: {message}{given}{_hint(found, at)}; see {REFERENCE}"


def _message(found: ErrorDetails) -> str:
    """What is wrong; of a key that is not there its name, which pydantic says by the place alone."""
    kind = found["type"]
    if kind == "missing":
        return f"{found['loc'][-1]!r} is missing"
    if kind in _BOUNDS:
        words, name = _BOUNDS[kind]
        bound = found["ctx"][name]
        return f"must be {words} {int(bound) if bound == int(bound) else bound:,}"
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "string_pattern_mismatch":
        return f"does not fit {found['ctx']['pattern']}"
    return re.sub(r"^Input should be (?=a |an |')", "must be ", found["msg"].removeprefix("Value error, "))


def _hint(found: ErrorDetails, at: Any) -> str:
    """How a value that was meant well would be written."""
    if isinstance(at, bool) and found["type"] in ("literal_error", "string_type"):
        return "; YAML reads yes, no, on and off as true and false: put the word in quotes"
    if isinstance(at, str) and found["type"] in ("float_parsing", "int_parsing"):
        if share := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", at):
            return f"; write {float(share[1]) / 100:g} for {at.strip()}"
        if re.fullmatch(r"\d+,\d+", at):
            return "; the decimal sign is a point"
    return ""


def _shown(value: Any) -> str:
    text = value.isoformat() if isinstance(value, datetime.date) else repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _surplus(values: Any, known: Any, path: Place) -> Iterator[tuple[Place, list[str]]]:
    """Paths in `values` that `known` does not have, each with the names it could have been."""
    if not isinstance(values, Mapping) or not isinstance(known, Mapping):
        return
    for key, value in values.items():
        if key not in known:
            yield (*path, str(key)), [str(k) for k in known]
        else:
            yield from _surplus(value, known[key], (*path, str(key)))


def _unknown(path: Place, names: list[str], where: Where) -> str:
    near = difflib.get_close_matches(path[-1], names, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"the keys there are {', '.join(names)}"
    return f"{where(path)}: unknown key {'.'.join(path)!r}; {remedy} (all keys: {REFERENCE})"
