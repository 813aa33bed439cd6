"""Suggestions for one long file: ours against a parse of the whole file for each edit, both without the model's time.

The rival is what the project did before: each edit is put into the file by itself, and the whole is parsed and its
symbol table searched; then again when all are put together. Every method gets one edit that is taken.
"""

from __future__ import annotations

import ast
import symtable
import time
from collections.abc import Callable, Iterator, Sequence

from ctm.grid.tokenizer import CodeTokenizer
from ctm.repair.candidates import Candidate, CodeState, Proposal
from ctm.repair.passes import Repairer
from ctm.repair.source import PythonFile, parse_source
from ctm.repair.suggest import suggest
from ctm.repair.windows import functions_of

METHODS = (100, 200, 400)


class Appends:
    """Proposes ` + a` at the end of every text, at once."""

    def __init__(self, tokenizer: CodeTokenizer) -> None:
        self.units = tuple(tokenizer.encode("return a + a")[len(tokenizer.encode("return a")) :])

    def propose(self, states: Sequence[CodeState]) -> list[Proposal]:
        return [Proposal((Candidate(len(s.ids), len(s.ids), self.units, -0.1),), 0.9, 1) for s in states]


def rival(source: PythonFile) -> PythonFile:
    """The file after an edit of each method."""

    def unbound(text: str) -> set[str]:
        ast.parse(text)
        read: set[str] = set()
        bound: set[str] = set()
        for scope in _scopes(symtable.symtable(text, "", "exec")):
            for symbol in scope.get_symbols():
                if symbol.is_global():
                    (read if symbol.is_referenced() else bound).add(symbol.get_name())
        return read - bound

    before, after = unbound(source.text), source
    for window in reversed(functions_of(source.text)):
        text = window.text(source.lines) + " + a"
        lines = window.restore(text, source.lines)
        assert lines is not None and unbound(source.splice(window.begin, window.end, lines).text) <= before
        after = after.splice(window.begin, window.end, lines)
        ast.parse(after.text)
        assert unbound(after.text) <= before
    return after


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def _seconds(make: Callable[[], PythonFile]) -> tuple[float, PythonFile]:
    started = time.process_time()
    made = make()
    return time.process_time() - started, made


def run() -> list[dict[str, object]]:
    """A record for each length; the ratio grows with it, since ours is linear."""
    tokenizer = CodeTokenizer.train(["class A:\n    def m1(self, a):\n        return a + a\n"] * 4, 768)
    records = []
    for count in METHODS:
        text = "class A:\n" + "".join(f"    def m{i}(self, a):\n        return a\n" for i in range(count))
        source = parse_source(text.encode())
        ours, made = _seconds(lambda: suggest(source, Repairer(Appends(tokenizer), tokenizer, 0.2)).after)  # noqa: B023
        theirs, same = _seconds(lambda: rival(source))  # noqa: B023
        assert made == same
        records.append(
            {
                "name": f"suggest_{count}", "unit": "methods/s", "ours": count / ours, "rival": count / theirs,
                "rival_name": "a parse of the file for each edit", "ratio": theirs / ours, "n": count, "threads": 1,
            }
        )  # fmt: skip
    return records
