"""Single-token edits near the parser's error that make a text compile, where the search finds nothing.

The model judges them: how sure it is that nothing is wrong with what an edit leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ctm.repair.rewrites.broken import Broken
from ctm.repair.text_loss import text_loss

REACH = 5
"""Tokens on either side of the error that are looked at."""
MAX_TEXTS = 16
"""Texts that compile and are given to the model."""
COMPILED = 800
"""Texts that the compiler is asked about."""
INSERTED = (
    ")",
    "]",
    "}",
    ":",
    ",",
    "(",
    "[",
    "{",
    " = ",
    " in ",
    ".",
    " + ",
    " as ",
    " and ",
    " else ",
    "pass",
)
SCORE = -8.0
"""Log-probability of such an edit, before the model's judgment; nats."""


def nearby(
    text: str, error: SyntaxError, is_valid: Callable[[str], bool], most: int = MAX_TEXTS
) -> list[str]:
    """Up to `most` texts that compile, one deleted, inserted or replaced token away, the nearest to the error first.

    Those that lose more of the author's words than the budget are left out.
    """
    found: dict[str, None] = {}
    for number, new in enumerate(_edits(Broken(text, error))):
        if len(found) == most or number == COMPILED:
            break
        if new not in found and is_valid(new) and text_loss(text, new).is_within_budget:
            found[new] = None
    return list(found)


def _edits(broken: Broken) -> Iterator[str]:
    tokens = [token for token in broken.tokens if not token.is_newline]
    if not tokens:
        return
    at = next((n for n, token in enumerate(tokens) if token.end > broken.place), len(tokens) - 1)
    near = sorted(range(max(0, at - REACH), min(len(tokens), at + REACH + 1)), key=lambda n: abs(n - at))
    ends = [
        n
        for n, token in enumerate(tokens)
        if n + 1 == len(tokens) or broken.line_of(tokens[n + 1].start) > broken.line_of(token.start)
    ]
    later = [n for n in ends if n >= at][:3]
    places = dict.fromkeys(
        [*(tokens[n].start for n in near), *(tokens[n].end for n in [*near, *later, len(tokens) - 1])]
    )
    for place in places:
        for sign in INSERTED:
            yield broken.spliced([(place, place, sign)])
    for n in near:
        yield broken.spliced([(tokens[n].start, tokens[n].end, "")])
    for n in near:
        for sign in INSERTED:
            yield broken.spliced([(tokens[n].start, tokens[n].end, sign)])
