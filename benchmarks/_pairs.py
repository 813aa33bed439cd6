"""Real code for the benchmarks of grids: functions of the standard library, each with a broken twin."""

from __future__ import annotations

import ast
import random
import sysconfig
import textwrap
from pathlib import Path


def pairs(count: int) -> list[tuple[str, str]]:
    """(broken, whole) functions of 3 to 64 lines, `count` different ones, one sign or letter cut or doubled."""
    found: dict[str, None] = {}
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        source = path.read_text(encoding="utf-8")
        lines = source.split("\n")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and 2 <= (node.end_lineno or 0) - node.lineno < 64:
                found[textwrap.dedent("\n".join(lines[node.lineno - 1 : node.end_lineno]) + "\n")] = None
    draw = random.Random(0)
    chosen = draw.sample(list(found), min(count, len(found)))
    return [(broken(text, draw), text) for text in chosen]


def broken(text: str, draw: random.Random) -> str:
    """`text` with one sign or letter cut out or doubled."""
    place = draw.randrange(len(text) - 1)
    return text[:place] + draw.choice(("", text[place] * 2)) + text[place + 1 :]
