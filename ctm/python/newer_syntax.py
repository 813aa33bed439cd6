"""Syntax of a newer Python than the one that runs: found, named, and told apart from broken code.

Tree-sitter only *finds* the newer constructs; the running compiler *judges*. Each construct gives way to a
stand-in that older compilers take (`class Box[T]:` becomes `class Box:`), and only if the text then compiles was the
newer syntax all that kept it from compiling. So a slip is never taken for a language, nor a language for a slip.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ctm.python.compiling import compiles
from ctm.python.newer_strings import RUNNING, Version, indexed_by_fields, newer_string, text_of

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

OLDEST: Version = (3, 11)
"""The oldest Python that this project runs on (pyproject.toml: requires-python)."""
TOO_NEW = "newer than Python 3.11"
"""Why code is no source of data: other Pythons of ours would not compile it, and have other data."""

_HINT = re.compile(
    r"^[ \t]*(type|lazy)[ \t]+\w"
    r"|\b(class|def)[ \t]+\w+[ \t]*\["
    r"|\bexcept\b[^:\n]*,"
    r"|\b[rR]?[fFtT][rR]?['\"]"
    r"|[\[({][ \t\n]*\*[^,]*\bfor\b",
    re.MULTILINE,
)
"""What every construct below has; a text without it need not be read by tree-sitter."""
_COMPREHENSIONS = ("list_comprehension", "set_comprehension", "generator_expression")
_WANTED = {
    *_COMPREHENSIONS,
    "type_alias_statement",
    "class_definition",
    "function_definition",
    "string",
    "except_clause",
    "import_statement",
    "import_from_statement",
}
_PARAMETER = re.compile(
    r"\s*\*{0,2}\s*[^\W\d]\w*\s*(:(?P<bound>[^=]+(?:==[^=]+)*))?(=(?!=)(?P<default>.+))?", re.DOTALL
)
_LAZY = re.compile(rb"(?:^|(?<=[\n;]))[ \t]*(lazy)[ \t]+\Z")
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


def newer_constructs(text: str, since: Version = RUNNING) -> list[Construct]:
    """What is syntax only after version `since`, in reading order; none of them lies in another.

    Two names behind `except` without parentheses are syntax from 3.14 on (PEP 758) and were Python 2's
    `except Kind, name:`; they count only where Python 2 cannot be meant: it would not parse them, or other syntax here
    is newer than it.
    """
    if not _HINT.search(text):
        return []
    raw = text.encode("utf-8", "replace")
    try:
        found = _found(raw, _nodes(raw))
    except RecursionError:  # an expression of thousands of terms, which the compiler refuses too
        return []
    return list(_outermost([item for item in found if item.since > since]))


def too_new(text: str) -> str:
    """What of a text only a newer Python than OLDEST takes ("nested quotes in an f-string, line 3"), or "".

    The same under every Python, as no compiler is asked: what is read as data must not depend on the one that reads it.
    """
    return next(map(str, newer_constructs(text, OLDEST)), "")


def in_older_words(text: str, constructs: Iterable[Construct]) -> str:
    """`text` with each construct's stand-in: not the same program, but it compiles if nothing else is wrong."""
    raw, parts, at = text.encode("utf-8", "replace"), [], 0
    for item in constructs:
        parts += [raw[at : item.begin], item.older.encode()]
        at = item.end
    return b"".join([*parts, raw[at:]]).decode("utf-8", "replace")


def _found(raw: bytes, nodes: dict[str, list[Node]]) -> list[Construct]:
    found = [
        *_aliases(nodes["type_alias_statement"]),
        *_parameters(nodes["class_definition"] + nodes["function_definition"]),
        *_strings(nodes["string"]),
        *_unpackings(node for kind in _COMPREHENSIONS for node in nodes[kind]),
        *_lazy_imports(raw, nodes["import_statement"] + nodes["import_from_statement"]),
    ]
    certain = any(not item.rewritable for item in found)
    found += _excepts(nodes["except_clause"], python2=not certain)
    return found


@cache
def _parser() -> Parser:
    import tree_sitter  # 10 ms, which the command spends only on text that does not compile
    import tree_sitter_python

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))


def _nodes(raw: bytes) -> dict[str, list[Node]]:
    """The nodes of each type that is looked at, in reading order.

    Walked, not queried: a query is quadratic in the children of one node (100,000 open brackets: minutes).
    """
    nodes: dict[str, list[Node]] = {name: [] for name in _WANTED}
    cursor = _parser().parse(raw).walk()
    while True:
        node = cursor.node
        if node is not None and node.type in _WANTED and node.is_named:
            nodes[node.type].append(node)
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return nodes


def _outermost(found: list[Construct]) -> Iterator[Construct]:
    end = -1
    for item in sorted(found, key=lambda item: (item.begin, -item.end)):
        if item.begin >= end:
            yield item
            end = max(end, item.end)


def _construct(node: Node, older: str, name: str, since: Version, rewritable: bool = False) -> Construct:
    line = node.start_point[0] + 1
    return Construct(node.start_byte, node.end_byte, older, name, since, line, rewritable)


# --- type X = ..., class Box[T], def first[T]() -----------------------------------------------------------------


def _aliases(nodes: Iterable[Node]) -> Iterator[Construct]:
    """`type Pair[T] = V` → `Pair = V`: only the head is replaced."""
    for node in nodes:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            yield _construct(node, "!", "type alias", (3, 12))
            continue
        name, _, parameters = text_of(left).partition("[")
        if name.startswith("("):
            continue  # `type(a).b = c`, of any Python, which tree-sitter reads as an alias
        older = f"{name.strip()} = "
        if parameters and not _are_type_parameters(f"[{parameters}"):
            older = "!"  # not a valid list: the compiler shall refuse it
        yield Construct(
            node.start_byte, right.start_byte, older, "type alias", (3, 12), node.start_point[0] + 1
        )


def _parameters(nodes: Iterable[Node]) -> Iterator[Construct]:
    for owner in nodes:
        node = owner.child_by_field_name("type_parameters")
        if node is None:
            continue
        text = text_of(node)
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
        name, since = newer_string(node)
        if name:
            whole = node.parent if node.parent and node.parent.type == "concatenated_string" else node
            line, rewritable = node.start_point[0] + 1, name != "t-string"
            yield Construct(
                whole.start_byte, whole.end_byte, indexed_by_fields(whole), name, since, line, rewritable
            )


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
        older = f"({', '.join(map(text_of, values))})"
        line = first.start_point[0] + 1
        yield Construct(
            first.start_byte, last.end_byte, older, "except without parentheses", (3, 14), line, True
        )


def _unpackings(nodes: Iterable[Node]) -> Iterator[Construct]:
    for owner in nodes:
        node = owner.child_by_field_name("body")
        if node is not None and node.type in ("list_splat", "dictionary_splat"):
            yield _construct(node, text_of(node).lstrip("*"), "unpacking in a comprehension", (3, 15), True)


def _lazy_imports(raw: bytes, nodes: Iterable[Node]) -> Iterator[Construct]:
    for node in nodes:
        head = _LAZY.search(raw, max(0, raw.rfind(b"\n", 0, node.start_byte)), node.start_byte)
        if head:
            line = node.start_point[0] + 1
            yield Construct(head.start(1), node.start_byte, "", "lazy import", (3, 15), line)
