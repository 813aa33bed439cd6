"""Arguments and parameters in an order that Python refuses, keywords twice, `global` too late."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ctm.python.compiling import quiet
from ctm.repair.rewrites.broken import Broken, CodeToken, indentation, inside
from ctm.repair.rewrites.registry import rewrite

_GLOBAL = re.compile(
    r"name '(\w+)' is (?:used|assigned to) (?:prior to|before) (global|nonlocal) declaration"
)
NESTED = 8
"""Open brackets around an error that are looked at, the innermost: who never closes one opens thousands in a file."""


@rewrite(
    -0.3,
    "def f(a=1, b):\n    pass",
    "def f(b, a=1):\n    pass",
    "non-default (?:argument|parameter)|without a default follows",
)
def parameters_with_defaults_last(broken: Broken) -> Iterator[str]:
    """Parameters with a default go behind those without."""
    for opening in _brackets_before(broken, "def"):
        found = inside(broken.tokens, opening)
        if found is None:
            continue
        items, closing = found
        stars = next((n for n, item in enumerate(items) if item[0].text in ("*", "**", "/")), len(items))
        plain = [item for item in items[:stars] if not _has_equals(item)]
        given = [item for item in items[:stars] if _has_equals(item)]
        ordered = [*plain, *given, *items[stars:]]
        if ordered != items:
            yield _with_items(broken, opening, closing, ordered)
            return


@rewrite(-0.6, "f(a=1, b)", "f(b, a=1)", "positional argument follows keyword")
def positional_arguments_first(broken: Broken) -> Iterator[str]:
    """Positional arguments go in front of keywords, in the call that holds the error."""
    for opening in reversed(_brackets_around(broken)):
        found = inside(broken.tokens, opening)
        if found is None:
            continue
        items, closing = found
        plain = [item for item in items if not _has_equals(item) and item[0].text != "**"]
        given = [item for item in items if _has_equals(item) or item[0].text == "**"]
        if [*plain, *given] != items:
            yield _with_items(broken, opening, closing, [*plain, *given])
            return


@rewrite(-0.2, "f(a=1, b=2, a=1)", "f(a=1, b=2)", "keyword argument repeated")
def keyword_once(broken: Broken) -> Iterator[str]:
    """A keyword argument that is given twice is given once: the later one goes, or the earlier one."""
    name = broken.message.rpartition(": ")[2]
    for opening in reversed(_brackets_around(broken)):
        found = inside(broken.tokens, opening)
        if found is None:
            continue
        items, closing = found
        twice = [n for n, item in enumerate(items) if item[0].text == name and _has_equals(item)]
        if len(twice) > 1:
            for gone in (twice[-1], twice[0]):
                yield _without_item(broken, items, gone, broken.tokens[closing].start)
            return


@rewrite(-0.3, "d = dict(1='a', 2='b')", "d = {1: 'a', 2: 'b'}", "cannot contain assignment")
def dict_of_literals(broken: Broken) -> Iterator[str]:
    """`dict(1=…)` becomes braces: only names can be keywords."""
    tokens = broken.tokens
    for opening in reversed(_brackets_around(broken)):
        found = inside(tokens, opening)
        if opening == 0 or tokens[opening - 1].text != "dict" or found is None:
            continue
        items, closing = found
        if not all(len(item) > 1 and item[1].text == "=" for item in items):
            continue
        splices = [
            (tokens[opening - 1].start, tokens[opening].end, "{"),
            (tokens[closing].start, tokens[closing].end, "}"),
        ]
        for item in items:
            key = f'"{item[0].text}"' if item[0].is_name else item[0].text
            splices.append((item[0].start, item[2].start if len(item) > 2 else item[1].end, f"{key}: "))
        yield broken.spliced(splices)
        return


@rewrite(
    -0.2,
    "def f():\n    a = x\n    global x\n    x = 2",
    "def f():\n    global x\n    a = x\n    x = 2",
    _GLOBAL.pattern,
)
def global_first(broken: Broken) -> Iterator[str]:
    """A `global` that comes too late goes to the head of its function."""
    match = _GLOBAL.search(broken.message)
    if match is None or "\r" in broken.text:  # which ends a line for the parser
        return
    try:
        with quiet():
            tree = ast.parse(broken.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        late = [
            statement
            for statement in ast.walk(node)
            if isinstance(statement, (ast.Global, ast.Nonlocal)) and match[1] in statement.names
        ]
        alone = [item for item in late if broken.lines[item.lineno - 1].strip().startswith((match[2],))]
        if not alone or broken.line not in range(node.lineno - 1, node.end_lineno or node.lineno):
            continue
        body = node.body
        first = body[1] if len(body) > 1 and ast.get_docstring(node, clean=False) is not None else body[0]
        head = indentation(broken.lines[first.lineno - 1])
        gone = dict.fromkeys(item.lineno - 1 for item in alone)
        moved = [f"{head}{broken.lines[n].strip()}" for n in gone]
        if first.lineno - 1 in gone:
            continue
        changed: dict[int, str | None] = dict.fromkeys(gone)
        changed[first.lineno - 1] = "\n".join([*dict.fromkeys(moved), broken.lines[first.lineno - 1]])
        yield broken.with_lines(changed)


def _has_equals(item: list[CodeToken]) -> bool:
    depth = 0
    for token in item:
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if token.text == "=" and depth == 0:
            return True
        if token.text == "lambda":
            return False
    return False


def _brackets_before(broken: Broken, word: str) -> list[int]:
    """Numbers of the brackets that open a definition's parameters, those near the error first."""
    tokens = broken.tokens
    found = [
        n
        for n in range(2, len(tokens))
        if tokens[n].text == "(" and tokens[n - 2].text == word and tokens[n - 1].is_name
    ]
    return sorted(found, key=lambda n: abs(tokens[n].start - broken.place))


def _brackets_around(broken: Broken) -> list[int]:
    """Numbers of the innermost brackets that are open at the error, outer first, and of one that begins right there."""
    stack: list[int] = []
    for number, token in enumerate(broken.tokens):
        if token.start > broken.place:
            break
        if token.text in ("(", "[", "{"):
            stack.append(number)
        elif token.text in (")", "]", "}") and stack:
            if token.start >= broken.place:
                break
            stack.pop()
    around = list(stack)
    for number in range(broken.token_at(broken.place), len(broken.tokens)):
        if broken.tokens[number].text == "(":
            around.append(number)
            break
        if broken.tokens[number].is_newline:
            break
    return list(dict.fromkeys(around[-NESTED:]))


def _with_items(broken: Broken, opening: int, closing: int, items: list[list[CodeToken]]) -> str:
    """The items in a new order, each with its own text; what stands between them stays where it is."""
    old = sorted(items, key=lambda item: item[0].start)
    splices = [
        (slot[0].start, slot[-1].end, broken.text[item[0].start : item[-1].end])
        for slot, item in zip(old, items, strict=True)
    ]
    return broken.spliced(splices)


def _without_item(broken: Broken, items: list[list[CodeToken]], gone: int, closing: int) -> str:
    item = items[gone]
    start, end = item[0].start, item[-1].end
    line = broken.line_of(start)
    if gone + 1 < len(items):
        return broken.spliced([(start, items[gone + 1][0].start, "")])
    behind = broken.text[end:closing]
    if gone and "," in behind and broken.lines[line].strip().startswith(item[0].text):  # a line of its own
        return broken.with_lines({line: None})
    return broken.spliced([(items[gone - 1][-1].end if gone else start, end, "")])
