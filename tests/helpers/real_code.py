"""Real code that every machine has: functions of the standard library, whole and broken."""

from __future__ import annotations

import ast
import json
import textwrap
from collections.abc import Iterable
from pathlib import Path

LIBRARY = Path(json.__file__).parents[1]
MODULES = (
    "argparse", "heapq", "shlex", "csv", "tarfile", "tokenize", "random", "ftplib", "textwrap", "calendar",
)  # fmt: skip


def functions(
    modules: Iterable[str] = MODULES, shorter_than: int | None = None, classes: bool = False
) -> list[str]:
    """Functions (and classes) of modules of the standard library, each once, dedented.

    shorter_than: lines below the first one; None: of any length.
    """
    kinds = (ast.FunctionDef, ast.ClassDef) if classes else ast.FunctionDef
    texts: dict[str, None] = {}
    for name in modules:
        source = LIBRARY.joinpath(name).with_suffix(".py").read_text(encoding="utf-8")
        lines = source.splitlines(keepends=True)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, kinds) and (
                shorter_than is None or node.end_lineno - node.lineno < shorter_than
            ):
                texts[textwrap.dedent("".join(lines[node.lineno - 1 : node.end_lineno]))] = None
    return list(texts)


def broken(text: str, number: int) -> tuple[str, str, str]:
    """(text, category, kind): a lost colon, a lost one and a doubled bracket (two edits), a negation, or clean."""
    match number % 4:
        case 0:
            return text.replace("):", ")", 1), "syntax", "lost_colon"
        case 1:
            return text.replace("):", ")", 1).replace("(", "((", 1), "syntax", "two_errors"
        case 2 if "return " in text:
            return text.replace("return ", "return not ", 1), "logic", "negated"
    return text, "clean", "clean"
