"""`--select`: whether code that does not compile is repaired, and whether edits of code that compiles are suggested.

Suggestions are not parted into logic and security. The model answers with an edit and a probability, not with what kind
of bug it saw, and the same edit can be either: a name more in a call, a comparison turned round.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SYNTAX, SUGGESTIONS = KINDS = ("syntax", "suggestions")
NOT_SELECTED = "repairs of syntax are not selected"
_PARTS = ("logic", "security")


@dataclass(frozen=True, slots=True)
class Selection:
    syntax: bool = True
    suggestions: bool = False


def parse_kinds(values: Iterable[str]) -> list[str]:
    """ "syntax,suggestions" and the like -> the kinds named. Raises ValueError that says what there is."""
    kinds = [kind.strip() for value in values for kind in value.split(",")]
    for kind in kinds:
        if kind in _PARTS:
            raise ValueError(
                f"{kind!r}: a suggestion cannot be told apart as one of logic or security; select {SUGGESTIONS}"
            )
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")
    return kinds


def select(kinds: Iterable[str] | None, suggesting: bool) -> Selection:
    """What --select (None or empty where it was not given) and --suggest ask for together."""
    chosen = set(kinds or [SYNTAX]) | ({SUGGESTIONS} if suggesting else set())
    return Selection(SYNTAX in chosen, SUGGESTIONS in chosen)
