"""Draws who imports whom in ctm/, from the code.

    python docs/assets/packages.py          prints the picture as DOT
    python docs/assets/packages.py --write  writes docs/img/packages.svg (needs graphviz's dot)

An arrow goes from a package to one that it imports anywhere, lazily too. `pipeline`, which may import all, and modules
that are no package are left out: their arrows would hide the others. `tests/docs/test_architecture.py` fails when
the picture no longer shows what the code does.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs/img/packages.svg"
ROLES = {
    "python": "Python source: compiles, messages, tokens",
    "pairs": "what a pair is: categories, splits, duplicates",
    "sources": "code and fixes from outside",
    "bugs": "kinds of bugs, made and checked",
    "grid": "text, tokens, cells, edits",
    "model": "CTM, TRM, controls",
    "training": "stages, batches, checkpoints",
    "repair": "ctm-repair: search, files, measures",
    "evaluation": "suites, metrics, thresholds",
    "analysis": "what the ticks do",
    "export": "ONNX and the bundle",
}
"""The packages that are drawn, and what stands in a box below the name."""


def imports() -> set[tuple[str, str]]:
    """(package, package it imports) of the packages that are drawn."""
    found = set()
    for path in (ROOT / "ctm").rglob("*.py"):
        mine = path.relative_to(ROOT / "ctm").with_suffix("").parts[0]
        if mine not in ROLES:
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if names == ["ctm"]:
                names = [f"ctm.{alias.name}" for alias in node.names]
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            found |= {(mine, name.split(".")[1]) for name in names if name.startswith("ctm.")}
    return {(mine, theirs) for mine, theirs in found if mine != theirs and theirs in ROLES}


def drawn(svg: str) -> set[tuple[str, str]]:
    """The arrows of a picture."""
    return set(re.findall(r"<title>(\w+)&#45;&gt;(\w+)</title>", svg))


def dot(edges: set[tuple[str, str]]) -> str:
    """The picture as DOT."""
    names = sorted({name for edge in edges for name in edge})
    boxes = [f'  {name} [label="{name}\\n{ROLES.get(name, "")}"];' for name in names]
    arrows = [f"  {mine} -> {theirs};" for mine, theirs in sorted(edges)]
    return "\n".join(
        [
            "digraph packages {",
            "  rankdir=TB; ranksep=0.55; nodesep=0.25;",
            '  node [shape=box, style="rounded,filled", fillcolor="#eef0fb", color="#3f51b5"];',
            "  node [fontname=Helvetica, fontsize=11];",
            '  edge [color="#7a7f9a", arrowsize=0.6];',
            *boxes,
            *arrows,
            "}",
            "",
        ]
    )


def main() -> None:
    text = dot(imports())
    if sys.argv[1:] == ["--write"]:
        done = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=True)
        PICTURE.write_text(done.stdout, encoding="utf-8")
        print(PICTURE)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
