"""YAML that a person wrote, read so that nothing in it is lost or means something else than it looks like.

PyYAML reads YAML 1.1 and keeps silent where that surprises: of two equal keys it takes the last, `010` is 8, `1:30` is
90, `1e-3` is text. Here the first three are refused, with file, line and what to write instead, and the last is the
number that it looks like. `1_000` is 1000, as meant; yes, no, on and off are true and false, as ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MOST_NODES = 200_000
"""Keys and values that a file may stand for; aliases can make a kilobyte stand for gigabytes."""
Place = tuple[str, ...]
"""The keys that lead to a value."""

_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_SEEN_AS = {
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
    "timestamp": "a date",
}
EXPONENT = re.compile(r"[-+]?\d[\d_]*(?:\.\d*)?[eE][-+]?\d+")
_LEADING_ZERO = re.compile(r"[-+]?0[\d_]+")
_SEXAGESIMAL = re.compile(r"[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?")


class YamlError(ValueError):
    """A file that cannot be used; the message names file, line, what stands there, and the remedy."""


@dataclass(frozen=True)
class Document:
    """A mapping read from a file, and where each of its keys stands."""

    path: Path
    values: dict[str, Any]
    lines: dict[Place, int]
    """Line of each key, from 1, by its place."""

    def has(self, place: Place) -> bool:
        """Whether the file itself has this key."""
        return not place or place in self.lines

    def at(self, place: Place) -> str:
        """FILE:LINE of a key; FILE alone for the whole."""
        return f"{self.path}:{self.lines[place]}" if place in self.lines else str(self.path)


class _Loader(yaml.SafeLoader):
    """SafeLoader, for which 1e-3 is a number."""


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", EXPONENT, list("-+0123456789"))


def read_mapping(path: Path, empty: bool = False) -> Document:
    """The mapping of keys that a file holds. empty: whether it may hold nothing. Raises YamlError and OSError."""
    path = Path(path)
    text = _decoded(path)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None and empty:
            return Document(path, {}, {})
        if not isinstance(root, yaml.MappingNode):
            raise YamlError(f"{path}: {_kind(root)}, but keys with values are due, such as `seed: 1`")
        lines: dict[Place, int] = {}
        for place, line in _Check(path).keys(root, (), ()):
            lines.setdefault(place, line)  # what a mapping says itself comes before what it takes over by <<
        return Document(path, loader.construct_document(root), lines)
    except yaml.YAMLError as error:
        raise YamlError(_malformed(path, error)) from None
    except RecursionError:
        raise YamlError(f"{path}: nested too deeply to be read") from None
    except ValueError as error:
        raise error if isinstance(error, YamlError) else YamlError(f"{path}: {error}") from None


def _decoded(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise YamlError(
            f"{path}:{line}: not UTF-8 (byte 0x{raw[error.start]:02x}); save the file as UTF-8"
        ) from None


def _kind(root: yaml.Node | None) -> str:
    if root is None:
        return "empty (all of it may be comments)"
    return "a list" if isinstance(root, yaml.SequenceNode) else "a single value"


def _malformed(path: Path, error: yaml.YAMLError) -> str:
    """PyYAML's message in one line, with the line of the file."""
    if isinstance(error, yaml.reader.ReaderError):
        return f"{path}: no YAML: the character U+{int(error.character):04X} is not allowed; delete it"
    if not isinstance(error, yaml.MarkedYAMLError):
        return f"{path}: no YAML: {' '.join(str(error).split())}"
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    problem = error.problem or str(error.context)
    if "\\t" in problem:
        return f"{where}: a tab where YAML wants spaces; indent with spaces alone"
    if "expected a single document" in str(error.context):
        return f"{where}: a second document begins (---); a file holds one"
    context = f" {error.context}:" if error.context and error.context != problem else ""
    return f"{where}: no YAML:{context} {problem}"


class _Check:
    """Walks the nodes of one file, refuses what would be misread, and yields the place and line of each key."""

    def __init__(self, path: Path) -> None:
        self._path, self._seen = path, 0

    def keys(
        self, node: yaml.Node, place: Place, above: tuple[yaml.Node, ...]
    ) -> Iterator[tuple[Place, int]]:
        self._seen += 1
        if self._seen > MOST_NODES:
            self._refuse(node, f"stands for more than {MOST_NODES:,} values by its aliases; write them out")
        if node in above:
            self._refuse(node, "an alias (*) that leads back to itself; write the values out")
        above = (*above, node)
        if isinstance(node, yaml.ScalarNode):
            self._scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                yield from self.keys(item, (*place, str(number)), above)
        else:
            yield from self._mapping(node, place, above)

    def _mapping(
        self, node: yaml.Node, place: Place, above: tuple[yaml.Node, ...]
    ) -> Iterator[tuple[Place, int]]:
        first: dict[str, int] = {}
        merged = []
        for key, value in node.value:
            if key.tag.endswith(":merge"):
                merged.append(value)
                continue
            name = self._name(key)
            line = _line(key)
            if name in first:
                self._refuse(
                    key,
                    f"key {'.'.join((*place, name))!r} stands here and in line {first[name]} already; of two, YAML "
                    "takes the last and loses the first: put what is below them under one",
                )
            first[name] = line
            yield (*place, name), line
            yield from self.keys(value, (*place, name), above)
        for value in merged:
            for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                yield from self.keys(each, place, above)

    def _name(self, key: yaml.Node) -> str:
        if not isinstance(key, yaml.ScalarNode):
            self._refuse(key, "a list or a mapping cannot be a key")
        kind = key.tag.rpartition(":")[2]
        if kind != "str":
            as_what = _SEEN_AS.get(kind, kind)
            self._refuse(key, f'key {key.value} is read as {as_what}; put it in quotes: "{key.value}"')
        return str(key.value)

    def _scalar(self, node: yaml.ScalarNode) -> None:
        text = node.value
        if node.style is not None:  # quoted, or a block of text
            return
        if _LEADING_ZERO.fullmatch(text) and set(text) & set("123456789"):
            plain = re.sub(r"^([-+]?)0[0_]*", r"\1", text)
            self._refuse(
                node,
                f"{text} is {self._octal(text)} for YAML; write {plain} without the leading zero, or "
                f'"{text}" in quotes for text',
            )
        if _SEXAGESIMAL.fullmatch(text) and node.tag in _NUMBERS:
            self._refuse(node, f'{text} is a number in base 60 for YAML; write "{text}" in quotes for text')

    def _octal(self, text: str) -> str:
        digits = text.replace("_", "")
        return f"{int(digits, 8)} (an octal number)" if not set(digits) & set("89") else "text"

    def _refuse(self, node: yaml.Node, problem: str) -> None:
        raise YamlError(f"{self._path}:{_line(node)}: {problem}")


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1 if node.start_mark else 1
