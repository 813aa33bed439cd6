"""One bracket taken out of real code: with the rewrite that looks for it, and without.

The code is Python's own library: statements and functions of 5 to 56 lines. Taken out is a line that only closes
brackets, `)` or `},`, or a bracket that opens one. Counted is what comes back as it was. While the rewrites were
written, another draw was looked at (`Random(0)`).
"""

from __future__ import annotations

import ast
import random
import re
import sysconfig
import textwrap
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ctm.repair.bundle import find_bundle, load_bundle
from ctm.repair.rewrites import registry as rewrites

ITEMS, OF_A_FILE = 300, 2
Shape = Callable[[list[str], random.Random], str | None]


def closing_line(lines: list[str], draw: random.Random) -> str | None:
    """Without a line that only closes brackets; None where there is none."""
    closing = {")", "]", "}", "),", "],", "},"}
    places = [n for n, line in enumerate(lines) if n > 1 and line.strip() in closing]
    if not places:
        return None
    place = draw.choice(places)
    return "\n".join(lines[:place] + lines[place + 1 :])


def opening_bracket(lines: list[str], draw: random.Random) -> str | None:
    """Without an opening bracket; None where there is none."""
    text = "\n".join(lines)
    places = [match.start() for match in re.finditer(r"[(\[{]", text)]
    if not places:
        return None
    place = draw.choice(places)
    return text[:place] + text[place + 1 :]


def items(shape: Shape) -> Iterator[tuple[str, str]]:
    """(broken, as it was), at most two of a file."""
    files = sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))
    draw = random.Random(1)
    draw.shuffle(files)
    for file in files:
        if "site-packages" in file.parts:
            continue
        try:
            yield from islice(_of_file(file.read_text(encoding="utf-8"), shape, draw), OF_A_FILE)
        except (SyntaxError, ValueError):
            continue  # test data of Python's own that no Python reads


def _of_file(text: str, shape: Shape, draw: random.Random) -> Iterator[tuple[str, str]]:
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.Assign | ast.Expr):
            continue
        if not 5 <= (node.end_lineno or 0) - node.lineno + 1 <= 56:
            continue
        fixed = textwrap.dedent("\n".join(lines[node.lineno - 1 : node.end_lineno]))
        broken = shape(fixed.split("\n"), draw) if _compiles(fixed) else None
        if broken is not None and not _compiles(broken):
            yield broken, fixed


def _compiles(text: str) -> bool:
    try:
        compile(text, "item", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def compared(shape: Shape, rule: str) -> list[dict[str, Any]]:
    """Two records: the share repaired exactly, and items a second."""
    pairs = list(islice(items(shape), ITEMS))
    bundle = load_bundle(find_bundle())
    repairers = {has_rule: bundle.repairer() for has_rule in (True, False)}  # each keeps what it found
    known = rewrites.registry()
    rules = {True: known, False: {name: item for name, item in known.items() if name != rule}}
    reached, seconds = {True: 0, False: 0}, {True: 0.0, False: 0.0}
    for number, (broken, fixed) in enumerate(pairs):
        for has_rule in (True, False) if number % 2 else (False, True):
            rewrites.registry = partial(rules.__getitem__, has_rule)  # type: ignore[assignment]
            began = time.perf_counter()
            (repair,) = repairers[has_rule].repair([broken])
            seconds[has_rule] += time.perf_counter() - began
            reached[has_rule] += repair.text == fixed
    rewrites.registry = lambda: known  # type: ignore[assignment]
    name = shape.__name__
    common = {"rival_name": f"without {rule!r}", "n": len(pairs), "threads": 1}
    return [
        {"name": name, "unit": unit, "ours": ours, "rival": rival, "ratio": ours / rival, **common}
        for unit, ours, rival in (
            ("share exact", reached[True] / len(pairs), reached[False] / len(pairs)),
            ("items/s", len(pairs) / seconds[True], len(pairs) / seconds[False]),
        )
    ]


def run() -> list[dict[str, Any]]:
    """Four records."""
    return [
        *compared(closing_line, "bracket by its level"),
        *compared(opening_bracket, "bracket between names"),
    ]
