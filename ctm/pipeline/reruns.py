"""Which rules run again when a key of the config changes: found by changing each key and comparing the lineages.

Nothing here is a list by hand. Each key is given another value that the config accepts (`alternatives`), the lineages
of all steps are computed, and those that differ are the rules that run again. `docs/reruns.md` is made of it
(reruns_page.py).
"""

from __future__ import annotations

import copy
import dataclasses
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union

from ctm.pipeline.code import Code
from ctm.pipeline.config import Config, overlay, parse_config
from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.lineage import Lineage

Place = tuple[str, ...]
"""A key by its parts: ("training", "stages", "stage3", "ticks")."""

STEPS: Mapping[type, Any] = {int: 1, float: 0.01}
"""What one of two shares gives the other, where they have to add up."""
EVERYTHING_ON: Mapping[str, Any] = {
    "sources": {
        "installed": {"enabled": True},
        "stackoverflow": {"enabled": True, "accept_dump_terms": True, "posts": "config/corpus.csv"},
    },
    "resources": {"train_trm": {"threads": 12}},
    "real_suites": {"mine": {"path": "config/corpus.csv", "layout": "json_lines", "sha256": "0" * 64}},
}
"""Laid over the config, so that every step is there. The files need only be there."""


@dataclass(frozen=True)
class Key:
    """A key of the config: where it stands, what it may be, and what it is."""

    place: Place
    annotation: Any
    value: Any

    @property
    def name(self) -> str:
        """As it is written on pages: "training.stages.stage3.ticks"."""
        return ".".join(self.place)


@dataclass(frozen=True)
class Difference:
    """Another value of a key, and which rules run again by it; None: no value but this one is accepted alone."""

    key: Key
    values: Mapping[str, Any] | None
    """The whole config with it."""
    rules: frozenset[str] | None


def walk(values: Mapping[str, Any], root: Path, only: str = "") -> Iterator[Difference]:
    """Change each key of a config, one at a time. values: merged, as its files have them. root: the checkout.

    only: the keys whose names begin with it. Raises ConfigError where `values` are no config.
    """
    code = Code(root)
    config = parse_config(values)
    before = _lineages(config, root, code)
    for key in keys(config, values):
        if key.name.startswith(only):
            yield _change(key, values, before, root, code)


def _change(
    key: Key, values: Mapping[str, Any], before: Mapping[str, str], root: Path, code: Code
) -> Difference:
    for changed in _changed(key, values, root):
        try:
            after = _lineages(parse_config(changed), root, code)
        except (
            ConfigError,
            KeyError,
        ):  # a value that does not go; KeyError: a stage that training.order names
            continue
        rules = frozenset(step for step in after if after[step] != before.get(step))
        return Difference(key, changed, rules)
    return Difference(key, None, None)


def _lineages(config: Config, root: Path, code: Code) -> dict[str, str]:
    lineage = Lineage(config, root, code)
    return {step: lineage.of(step) for step in lineage.steps}


def keys(config: Config, values: Mapping[str, Any]) -> Iterator[Key]:
    """All keys of a config that are no sections, in its order; of `resources` those that `values` name."""
    named = values.get("resources", {})
    shown = {rule: demand for rule, demand in config.resources.items() if rule in named}
    yield from _keys(dataclasses.replace(config, resources=shown), ())


def _keys(section: Any, place: Place) -> Iterator[Key]:
    for name, annotation in typing.get_type_hints(type(section)).items():
        value = getattr(section, name)
        if dataclasses.is_dataclass(value):
            yield from _keys(value, (*place, name))
        elif isinstance(value, Mapping) and any(map(dataclasses.is_dataclass, value.values())):
            for inner, one in value.items():
                yield from _keys(one, (*place, name, inner))
        else:
            yield Key((*place, name), annotation, value)


def _changed(key: Key, values: Mapping[str, Any], root: Path) -> Iterator[dict[str, Any]]:
    """The config with other values of a key: alone, then with a neighbor that makes up for it (shares of a whole)."""
    for other in alternatives(key.value, key.annotation, root):
        if other != (list(key.value) if isinstance(key.value, tuple) else key.value):
            yield _with(values, {key.place: other})
    section: Any = parse_config(values)
    for part in key.place[:-1]:
        section = section[part] if isinstance(section, Mapping) else getattr(section, part)
    for name, other in vars(section).items():
        neighbor = (*key.place[:-1], name)
        if neighbor != key.place and type(other) is type(key.value) and type(other) in STEPS:
            step = STEPS[type(other)]
            for less, more in ((-step, step), (step, -step)):
                yield _with(values, {key.place: key.value + less, neighbor: other + more})


def _with(values: Mapping[str, Any], changes: Mapping[Place, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = copy.deepcopy(dict(values))
    for place, value in changes.items():
        if isinstance(value, Mapping):  # it takes the place of the other, and is not merged with it
            overlay(changed, _nested(place, None))
        overlay(changed, _nested(place, value))
    return changed


def _nested(place: Place, value: Any) -> dict[str, Any]:
    nested = {place[-1]: value}
    for part in reversed(place[:-1]):
        nested = {part: nested}
    return nested


def alternatives(value: Any, annotation: Any, root: Path) -> Iterator[Any]:
    """Other values than `value` that a key of this type may have, likelier ones first."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, UnionType):
        for arg in args:
            if arg is not NoneType:
                yield from alternatives(_empty(arg) if value is None else value, arg, root)
    elif origin is Literal:
        yield from (arg for arg in args if arg != value)
    elif origin is dict:
        yield from _other_mappings(value, args[1], root)
    elif origin in (tuple, list):
        yield from _other_lists(value, args[0], root)
    elif annotation is bool:
        yield not value
    elif annotation is int:
        yield from (value + 1, value - 1, value + 2, 2 * value, value // 2)
    elif annotation is float:
        yield from (value * 0.9, value * 1.1, value / 2, value + 0.01, 0.5)
    elif annotation is str:
        yield from _other_texts(value, root)


def _empty(annotation: Any) -> Any:
    """A value to start from where there is none."""
    return {int: 1, float: 1.0, str: "", bool: False}.get(annotation)


def _other_texts(value: str, root: Path) -> Iterator[str]:
    """Another file of the same kind where it is one; another day; another text."""
    if value == "auto":  # a device
        yield "cpu"
    path = root / value
    if value and path.is_file():
        for other in sorted(path.parent.glob(f"*{path.suffix}")):
            if other != path:
                yield str(other.relative_to(root))
    yield from ("cpu", "2021-01-01", f"{value}x", "0" * 63 + "1", "config/releases.csv")


def _other_lists(value: Any, kind: Any, root: Path) -> Iterator[list[Any]]:
    """One less, one more."""
    if value:
        yield list(value[:-1])
    for other in alternatives(value[-1] if value else _empty(kind), kind, root):
        yield [*value, other]


def _other_mappings(value: Mapping[str, Any], kind: Any, root: Path) -> Iterator[dict[str, Any]]:
    """Another value of its last key; one key more."""
    if len(value) > 1 and all(isinstance(one, float) for one in value.values()):
        first, second, *_ = value  # shares that have to add up
        yield {**value, first: value[first] - STEPS[float], second: value[second] + STEPS[float]}
    if value:
        last = list(value)[-1]
        for other in alternatives(value[last], kind, root):
            yield {**value, last: other}
        first = next(iter(value))  # shares of a whole
        yield {**value, first: value[last], last: value[first]}
    else:
        yield {"syntax": 0.5, "clean": 0.5}
        for name in ("mine", "syntax", "100%"):
            for other in ({"loss": 1.0}, 1.0, ["mine"], "config/corpus.csv"):
                yield {name: other}
