"""Syntax of a newer Python than the one that runs: found, named, and told apart from broken code.

Notable: tree-sitter only *finds* the newer constructs; the running compiler *judges*. Each construct gives way to a
stand-in that older compilers take (`class Box[T]:` becomes `class Box:`), and only if the text then compiles was the
newer syntax all that kept it from compiling. So a slip is never taken for a language, nor a language for a slip.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ctm.pairs.categories import compiles, quiet

if TYPE_CHECKING:
    from tree_sitter import Node, Query, Tree

Version = tuple[int, int]
RUNNING: Version = sys.version_info[:2]
OLDEST: Version = (3, 8)
"""The oldest target: no older Python is in use beside one that runs this."""

_HINT = re.compile(
    r"^[ \t]*(type|lazy)[ \t]+\w"
    r"|\b(class|def)[ \t]+\w+[ \t]*\["
    r"|\bexcept\b[^:\n]*,"
    r"|\b[rR]?[fFtT][rR]?['\"]"
    r"|[\[({][ \t\n]*\*[^,]*\bfor\b",
    re.MULTILINE,
)
"""What every construct below has; a text without it need not be read by tree-sitter."""
_QUERY = """
(type_alias_statement) @alias
(class_definition type_parameters: (_) @parameters)
(function_definition type_parameters: (_) @parameters)
(string) @string
(except_clause) @except
(list_comprehension body: [(list_splat) (dictionary_splat)] @unpack)
(set_comprehension body: [(list_splat) (dictionary_splat)] @unpack)
(generator_expression body: [(list_splat) (dictionary_splat)] @unpack)
(import_statement) @import
(import_from_statement) @import
"""
_PARAMETER = re.compile(
    r"\s*\*{0,2}\s*[^\W\d]\w*\s*(:(?P<bound>[^=]+(?:==[^=]+)*))?(=(?!=)(?P<default>.+))?", re.DOTALL
)
_LAZY = re.compile(rb"(?:^|(?<=[\n;]))[ \t]*(lazy)[ \t]+\Z")
_ONLY_SINCE = re.compile(r"(?P<what>.+?) (?:is|are) only supported in Python 3\.(?P<minor>\d+)")
_TARGETS = ("identifier", "attribute", "subscript", "tuple", "list", "parenthesized_expression")
"""What Python 2 could bind an exception to: `except Kind, name:`."""


@dataclass(frozen=True, slots=True)
class Construct:
    """One place that is syntax from some version of Python on."""

    begin: int
    """Byte offsets in the text as UTF-8."""
    end: int
    older: str
    """What older compilers take in its place, as an expression or statement of the same kind."""
    name: str
    since: Version
    line: int
    rewritable: bool = False
    """Whether other words of an older Python mean the same, such as another kind of quotes."""

    def __str__(self) -> str:
        return f"{self.name}, line {self.line}"


def parse_target(text: str) -> Version:
    """ "3.12" → (3, 12). Raises ValueError that says what would be right."""
    match = re.fullmatch(r"3\.(\d{1,2})", text.strip())
    if match is None or (version := (3, int(match[1]))) < OLDEST:
        raise ValueError(f"--target-version {text!r}: a version such as 3.12, from {spelt(OLDEST)} on")
    return version


def spelt(version: Version) -> str:
    return f"Python {version[0]}.{version[1]}"


def newer_constructs(text: str, since: Version = RUNNING) -> list[Construct]:
    """What is syntax only after version `since`, in reading order; none of them lies in another.

    Two names behind `except` without parentheses are syntax from 3.14 on (PEP 758) and were Python 2's
    `except Kind, name:`; they count only where Python 2 cannot be meant: it would not parse them, or other syntax here
    is newer than it.
    """
    if not _HINT.search(text):
        return []
    raw = text.encode("utf-8", "replace")
    captures = _captures(raw)
    found = [
        *map(_alias, captures.get("alias", ())),
        *_parameters(captures.get("parameters", ())),
        *_strings(captures.get("string", ())),
        *_unpackings(captures.get("unpack", ())),
        *_lazy_imports(raw, captures.get("import", ())),
    ]
    certain = any(not item.rewritable for item in found)
    found += _excepts(captures.get("except", ()), python2=not certain)
    found = [item for item in found if item.since > since]
    return list(_outermost(found))


def in_older_words(text: str, constructs: Iterable[Construct]) -> str:
    """`text` with each construct's stand-in: not the same program, but it compiles if nothing else is wrong."""
    raw, parts, at = text.encode("utf-8", "replace"), [], 0
    for item in constructs:
        parts += [raw[at : item.begin], item.older.encode()]
        at = item.end
    return b"".join([*parts, raw[at:]]).decode("utf-8", "replace")


def is_valid_newer(text: str, constructs: Iterable[Construct]) -> bool:
    """Whether `constructs` are all that keeps the running compiler from taking `text`."""
    return compiles(in_older_words(text, constructs))


def too_new_for(text: str, target: Version) -> str:
    """What of a text that compiles here is too new for `target`: "valid for … (what, line N)", or ""."""
    try:
        with quiet():
            ast.parse(text, feature_version=target)
    except SyntaxError as error:
        match = _ONLY_SINCE.match(error.msg)
        if match:
            return f"valid for Python 3.{match['minor']} and later ({match['what'].lower()}, line {error.lineno})"
        return f"not valid for {spelt(target)} (line {error.lineno}: {error.msg})"
    except (ValueError, MemoryError, RecursionError):
        return ""
    found = newer_constructs(text, since=target)
    return valid_since(found) if found else ""


def valid_since(constructs: Iterable[Construct]) -> str:
    """The one of them that asks for the newest Python, in words."""
    newest = max(constructs, key=lambda item: (item.since, -item.begin))
    return f"valid for {spelt(newest.since)} and later ({newest})"


@cache
def _tools() -> tuple[object, Query]:
    import tree_sitter  # 10 ms, and only for text that does not compile
    import tree_sitter_python

    language = tree_sitter.Language(tree_sitter_python.language())
    return tree_sitter.Parser(language), tree_sitter.Query(language, _QUERY)


def _captures(raw: bytes) -> dict[str, list[Node]]:
    import tree_sitter

    parser, query = _tools()
    tree: Tree = parser.parse(raw)  # type: ignore[attr-defined]
    return tree_sitter.QueryCursor(query).captures(tree.root_node)


def _outermost(found: list[Construct]) -> Iterator[Construct]:
    end = -1
    for item in sorted(found, key=lambda item: (item.begin, -item.end)):
        if item.begin >= end:
            yield item
            end = max(end, item.end)


def _construct(node: Node, older: str, name: str, since: Version, rewritable: bool = False) -> Construct:
    line = node.start_point[0] + 1
    return Construct(node.start_byte, node.end_byte, older, name, since, line, rewritable)


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


# --- type X = ..., class Box[T], def first[T]() -----------------------------------------------------------------


def _alias(node: Node) -> Construct:
    """`type Pair[T] = V` → `Pair = V`: only the head is replaced."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return _construct(node, "!", "type alias", (3, 12))
    name, _, parameters = _text(left).partition("[")
    older = f"{name.strip()} = "
    if parameters and not _are_type_parameters(f"[{parameters}"):
        older = "!"  # not a valid list: the compiler shall refuse it
    return Construct(node.start_byte, right.start_byte, older, "type alias", (3, 12), node.start_point[0] + 1)


def _parameters(nodes: Iterable[Node]) -> Iterator[Construct]:
    for node in nodes:
        text = _text(node)
        has_default = any(match and match["default"] for match in map(_PARAMETER.fullmatch, _items(text)))
        name, since = (
            ("default of a type parameter", (3, 13)) if has_default else ("type parameters", (3, 12))
        )
        yield _construct(node, "" if _are_type_parameters(text) else "!", name, since)


def _are_type_parameters(text: str) -> bool:
    """Whether `[T: bound = default, *Ts, **P]` is a valid list."""
    items = _items(text)
    if items and not items[-1].strip():
        items.pop()
    return bool(items) and all(
        (match := _PARAMETER.fullmatch(item))
        and all(compiles(f"_[{part.strip()}]") for part in match.group("bound", "default") if part)
        for item in items
    )


def _items(text: str) -> list[str]:
    """The parts of a bracketed list between its own commas."""
    items, depth = [""], 0
    for sign in text.strip()[1:-1]:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            items.append("")
        else:
            items[-1] += sign
    return items


# --- f"{d["key"]}", t"{name}" -----------------------------------------------------------------------------------


def _strings(nodes: Iterable[Node]) -> Iterator[Construct]:
    for node in nodes:
        name, since = _newer_string(node)
        if name:
            whole = node.parent if node.parent and node.parent.type == "concatenated_string" else node
            line, rewritable = node.start_point[0] + 1, name != "t-string"
            yield Construct(whole.start_byte, whole.end_byte, _values(whole), name, since, line, rewritable)


def _newer_string(node: Node) -> tuple[str, Version]:
    """Why a string is newer than 3.11 (PEP 701, PEP 750), or ""."""
    start = _text(node.children[0]) if node.children else ""
    quote = start.lstrip("rRbBuUfFtT")
    prefix = start[: len(start) - len(quote)].lower()
    if "t" in prefix:
        return "t-string", (3, 14)
    if "f" not in prefix:
        return "", (0, 0)
    for part in node.children:
        if part.type != "interpolation":
            continue
        inside = _text(part)
        expression = part.child_by_field_name("expression")
        if quote in inside:
            return "nested quotes in an f-string", (3, 12)
        if expression is not None and "\\" in _text(expression):
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


def _values(node: Node) -> str:
    """A string's replacement fields as a tuple, in which strings of the same kind gave way too."""
    values = [_value(expression) for expression in _expressions(node)]
    return "(" + "".join(f"({value}), " for value in values) + "'',)"


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
        parts += [raw[at:begin], _values(inner).encode()]
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


# --- except A, B:, [*x for x in y], lazy import -----------------------------------------------------------------


def _excepts(nodes: Iterable[Node], python2: bool) -> Iterator[Construct]:
    """`except A, B:` → `except (A, B):`; `python2`: whether the text may be Python 2."""
    for node in nodes:
        values = node.children_by_field_name("value")
        if len(values) < 2 or any(value.type == "as_pattern" for value in values):
            continue
        starred = any(child.type in ("*", "except*") for child in node.children)
        if python2 and not starred and len(values) == 2 and values[1].type in _TARGETS:
            continue
        first, last = values[0], values[-1]
        older = f"({', '.join(map(_text, values))})"
        line = first.start_point[0] + 1
        yield Construct(
            first.start_byte, last.end_byte, older, "except without parentheses", (3, 14), line, True
        )


def _unpackings(nodes: Iterable[Node]) -> Iterator[Construct]:
    for node in nodes:
        yield _construct(node, _text(node).lstrip("*"), "unpacking in a comprehension", (3, 15), True)


def _lazy_imports(raw: bytes, nodes: Iterable[Node]) -> Iterator[Construct]:
    for node in nodes:
        head = _LAZY.search(raw, max(0, raw.rfind(b"\n", 0, node.start_byte)), node.start_byte)
        if head:
            line = node.start_point[0] + 1
            yield Construct(head.start(1), node.start_byte, "", "lazy import", (3, 15), line)
