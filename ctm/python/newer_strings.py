"""Strings that only a newer Python takes: f-strings since 3.12 (PEP 701), t-strings (PEP 750); tree-sitter's nodes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

Version = tuple[int, int]
RUNNING: Version = sys.version_info[:2]


def text_of(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def newer_string(node: Node) -> tuple[str, Version]:
    """Why a string is newer than 3.11 (PEP 701, PEP 750), or ""."""
    start = text_of(node.children[0]) if node.children else ""
    quote = start.lstrip("rRbBuUfFtT")
    prefix = start[: len(start) - len(quote)].lower()
    if "t" in prefix:
        return "t-string", (3, 14)
    if "f" not in prefix:
        return "", (0, 0)
    for part in node.children:
        if part.type != "interpolation":
            continue
        inside = text_of(part)
        expression = part.child_by_field_name("expression")
        if quote in inside:
            return "nested quotes in an f-string", (3, 12)
        if expression is not None and "\\" in text_of(expression):
            return "backslash in an f-string", (3, 12)
        if "#" in inside and _has_comment(part):
            return "comment in an f-string", (3, 12)
        if "\n" in inside and len(quote) == 1:
            return "line end in an f-string", (3, 12)
        if any(map(_has_format, _formats(part))):
            return "format within a format in an f-string", (3, 12)
    return "", (0, 0)


def _has_comment(node: Node) -> bool:
    return node.type == "comment" or any(map(_has_comment, node.children))


def _formats(part: Node) -> list[Node]:
    """The replacement fields within a replacement field's format: `{w}` of `{x:{w}}`."""
    return [item for child in part.children if child.type == "format_specifier" for item in child.children]


def _has_format(part: Node) -> bool:
    return any(child.type == "format_specifier" for child in part.children)


def indexed_by_fields(node: Node) -> str:
    """A string that is indexed by all its replacement fields: an operand as a string is, behind `print` too.

    (A tuple would make a call of `print f"{x["y"]}"`, which no Python takes.)
    """
    values = "".join(f"({_value(expression)}), " for expression in _expressions(node))
    return f"''[{values}()]"


def _expressions(node: Node) -> Iterator[Node]:
    for part in node.children:
        if part.type in ("interpolation", "format_expression"):
            expression = part.child_by_field_name("expression")
            yield part if expression is None else expression
            for child in part.children:
                if child.type == "format_specifier":
                    yield from _expressions(child)
        elif part.type == "string":
            yield from _expressions(part)


def _value(node: Node) -> str:
    """An expression's text with its own newer strings replaced."""
    raw, parts, at = node.text or b"", [], 0
    for inner in _strings_in(node):
        begin, end = inner.start_byte - node.start_byte, inner.end_byte - node.start_byte
        parts += [raw[at:begin], indexed_by_fields(inner).encode()]
        at = end
    return b"".join([*parts, raw[at:]]).decode("utf-8", "replace")


def _strings_in(node: Node) -> Iterator[Node]:
    """The outermost strings with replacement fields in an expression."""
    if node.type in ("string", "concatenated_string"):
        if next(_expressions(node), None) is not None:
            yield node
        return
    for child in node.children:
        yield from _strings_in(child)
