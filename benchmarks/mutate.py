"""Mutants checked per second and core at four a snippet, against libcst parsing, transforming and printing.

Ours draws from all kinds by the mix, one bug a mutant; the rival swaps operators and numbers, nothing else.
Both start from the same functions and check each mutant with the same compiler and bytecode comparison. Rounds
alternate; medians are reported, in processor time of one core.
"""

from __future__ import annotations

import ast
import json
import statistics
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import libcst as cst

from ctm.bugs.checks.validity import code_of, quiet, same_code
from ctm.bugs.generation.draw import mutate_text, snippet_rng
from ctm.bugs.generation.mix import BugMix
from ctm.bugs.generation.quotas import drawing_mix, load_mix, quotas_of
from ctm.bugs.settings import MutationSettings, Shares
from ctm.pairs.record import Origin, make_snippet
from ctm.pairs.splits import STDLIB

ROOT = Path(__file__).resolve().parents[1]
PER_SNIPPET = 4
ROUNDS = 5
SETTINGS = MutationSettings(
    shares=Shares(0.7, 0.3, 0.0), two_errors=0, three_errors=0, reshape=0, reshape_logic=0
)
"""One bug each."""


def functions(limit: int) -> list[str]:
    """Functions of 3 to 64 lines of the standard library."""
    found: list[str] = []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        source = path.read_text(encoding="utf-8")
        nodes = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
        texts = [ast.get_source_segment(source, node) or "" for node in nodes]
        found.extend(text for text in texts if 2 <= text.count("\n") < 64)
    return Random(0).sample(found, limit)


def ours(texts: list[str], mix: BugMix) -> int:
    """Mutants that mutate_text keeps."""
    return sum(
        len(mutate_text(text, snippet_rng(0, str(n)), mix, PER_SNIPPET, SETTINGS).kept)
        for n, text in enumerate(texts)
    )


_SWAPS: dict[type, type] = {
    cst.Equal: cst.NotEqual, cst.NotEqual: cst.Equal, cst.LessThan: cst.LessThanEqual, cst.LessThanEqual: cst.LessThan,
    cst.GreaterThan: cst.GreaterThanEqual, cst.GreaterThanEqual: cst.GreaterThan, cst.And: cst.Or, cst.Or: cst.And,
    cst.Add: cst.Subtract, cst.Subtract: cst.Add, cst.Multiply: cst.Divide, cst.In: cst.NotIn, cst.NotIn: cst.In,
    cst.Is: cst.IsNot, cst.IsNot: cst.Is, cst.AddAssign: cst.SubtractAssign, cst.SubtractAssign: cst.AddAssign,
}  # fmt: skip


class _SwapAt(cst.CSTTransformer):
    """Replaces the operator number `at` in order of the visit; `seen` counts them."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at, self.seen = at, 0

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        updated_node = super().on_leave(original_node, updated_node)
        if type(original_node) not in _SWAPS and not isinstance(original_node, cst.Integer):
            return updated_node
        self.seen += 1
        if self.seen - 1 != self.at:
            return updated_node
        if isinstance(original_node, cst.Integer):
            return updated_node.with_changes(value=str(original_node.evaluated_value + 1))
        return _SWAPS[type(original_node)]()


def libcst_texts(texts: list[str]) -> Iterator[tuple[str, str]]:
    """(broken, whole) texts made as a libcst user would: parse, transform, print, compile, compare."""
    with quiet():
        for number, text in enumerate(texts):
            rng, code = Random(number), code_of(text)
            counter = _SwapAt(-1)
            cst.parse_module(text).visit(counter)
            for at in rng.sample(range(counter.seen), min(PER_SNIPPET, counter.seen)):
                broken = cst.parse_module(text).visit(_SwapAt(at)).code
                made = code_of(broken)
                if code is not None and made is not None and not same_code(code, made):
                    yield broken, text


def libcst_mutants(texts: list[str]) -> int:
    """How many a libcst user gets."""
    return sum(1 for _ in libcst_texts(texts))


def _rate(work: Any, *arguments: Any) -> tuple[float, int]:
    start = time.process_time()
    made = work(*arguments)
    return made / (time.process_time() - start), made


def run() -> dict[str, Any]:
    """Medians of five alternating rounds, mutants per second of one core."""
    texts = functions(400)
    snippets = [make_snippet(text, "function", STDLIB, Origin(), "train") for text in texts]
    mix = drawing_mix(quotas_of(snippets, SETTINGS, load_mix(ROOT / "config" / "bug_mix.yaml")))
    ours(texts[:50], mix)
    mine, theirs, made = [], [], 0
    for _ in range(ROUNDS):
        rate, made = _rate(ours, texts, mix)
        mine.append(rate)
        theirs.append(_rate(libcst_mutants, texts[:: len(texts) // 40])[0])
    fast, slow = statistics.median(mine), statistics.median(theirs)
    return {
        "name": "mutate",
        "unit": "mutants/s",
        "ours": fast,
        "rival": slow,
        "rival_name": "libcst parse, transform and print with the same check",
        "ratio": fast / slow,
        "n": made,
        "threads": 1,
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
