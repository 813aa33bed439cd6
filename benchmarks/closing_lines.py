"""Lines that only close brackets, taken out of real code one at a time: with `bracket by its level`, and without it.

The code is Python's own library: statements and functions of 5 to 56 lines in which such a line, `)` or `},`, stands
deeper than one bracket or at the end of one. Nothing was fitted on it. Counted is who gets the line back as it was.
"""

from __future__ import annotations

import ast
import random
import sysconfig
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ctm.repair.bundle import find_bundle, load_bundle
from ctm.repair.rewrites import registry as rewrites

ITEMS, OF_A_FILE = 300, 2
CLOSING = frozenset([")", "]", "}", "),", "],", "},"])
RULE = "bracket by its level"


def items() -> Iterator[tuple[str, str]]:
    """(without its line, as it was)."""
    files = sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))
    draw = random.Random(0)
    draw.shuffle(files)
    for file in files:
        if "site-packages" in file.parts:
            continue
        try:
            text = file.read_text(encoding="utf-8")
            yield from list(of_file(text, draw))[:OF_A_FILE]
        except (SyntaxError, ValueError):
            continue  # test data of Python's own that no Python reads


def of_file(text: str, draw: random.Random) -> Iterator[tuple[str, str]]:
    """Pairs of one file, one of each statement."""
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.Assign | ast.Expr):
            continue
        if not 5 <= (node.end_lineno or 0) - node.lineno + 1 <= 56:
            continue
        own = textwrap.dedent("\n".join(lines[node.lineno - 1 : node.end_lineno])).split("\n")
        places = [n for n, line in enumerate(own) if n > 1 and line.strip() in CLOSING]
        if not places or not compiles("\n".join(own)):
            continue
        place = draw.choice(places)
        broken = "\n".join(own[:place] + own[place + 1 :])
        if not compiles(broken):
            yield broken, "\n".join(own)


def compiles(text: str) -> bool:
    """By this Python."""
    try:
        compile(text, "item", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def run() -> list[dict[str, Any]]:
    """Two records: repaired exactly, and items a second."""
    pairs = [pair for pair, _ in zip(items(), range(ITEMS), strict=False)]
    bundle = load_bundle(find_bundle())
    repairers = {has_rule: bundle.repairer() for has_rule in (True, False)}  # each keeps what it found
    known = rewrites.registry()
    reached, seconds = {True: 0, False: 0}, {True: 0.0, False: 0.0}
    for number, (broken, fixed) in enumerate(pairs):
        for has_rule in (True, False) if number % 2 else (False, True):
            rules = known if has_rule else {name: rule for name, rule in known.items() if name != RULE}
            rewrites.registry = lambda rules=rules: rules  # type: ignore[assignment]
            began = time.perf_counter()
            (repair,) = repairers[has_rule].repair([broken])
            seconds[has_rule] += time.perf_counter() - began
            reached[has_rule] += repair.text == fixed
    common = {"rival_name": f"without {RULE}", "n": len(pairs), "threads": 1}
    exact = {has_rule: reached[has_rule] / len(pairs) for has_rule in reached}
    speed = {has_rule: len(pairs) / seconds[has_rule] for has_rule in seconds}
    return [
        {"name": name, "unit": unit, "ours": found[True], "rival": found[False], "ratio": found[True] / found[False]}
        | common
        for name, unit, found in (
            ("closing_lines", "share exact", exact), ("closing_lines", "items/s", speed)
        )
    ]  # fmt: skip
