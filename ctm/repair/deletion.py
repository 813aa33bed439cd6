"""The deletion baseline: the shortest run of one to four lexical tokens without which a text compiles.

It knows nothing of what the code means, and reaches much of the BIFI measure all the same; what a model does
is to be read beside it. It asks nobody but the compiler: no model, no grid, so nothing is out of its scope.
"""

from __future__ import annotations

from collections.abc import Iterator

from ctm.python.compiling import compile_error, compiles, quiet
from ctm.python.lexical import lenient_spans

LONGEST = 4
"""Tokens of a run: as many as the BIFI measure lets differ."""
MAX_RUNS = 40
"""Runs of each length that are tried: all runs, of a long text thousands, would make 0.5 points more of 800 snippets of
Stack Overflow compile."""


def shortest_deletion(text: str) -> str | None:
    """`text` without the shortest run of tokens whose absence makes it compile; None where there is no such run.

    Of runs of one length the one nearest to the parser's error, of two as near the earlier. A text that compiles
    has none.
    """
    error = compile_error(text)
    if error is None or error.lineno is None:
        return None
    spans = lenient_spans(text)
    with quiet():
        for begin, end in _runs(spans, _place(text, error)):
            left = text[:begin] + text[end:]
            if compiles(left):
                return left
    return None


def _place(text: str, error: SyntaxError) -> int:
    """Where the error is, in characters."""
    lines = text.splitlines(keepends=True)
    before = min(max((error.lineno or 1) - 1, 0), len(lines))
    return sum(map(len, lines[:before])) + max((error.offset or 1) - 1, 0)


def _runs(spans: list[tuple[int, int]], error: int) -> Iterator[tuple[int, int]]:
    """Characters [begin, end) of the runs, in the order in which they are tried."""
    for length in range(1, LONGEST + 1):
        runs = [(spans[i][0], spans[i + length - 1][1]) for i in range(len(spans) - length + 1)]
        runs.sort(key=lambda run: max(run[0] - error, error - run[1], 0))
        yield from runs[:MAX_RUNS]
