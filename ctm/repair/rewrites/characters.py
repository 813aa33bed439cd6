"""Rewrites of look-alike characters from chats, word processors and other keyboards."""

from __future__ import annotations

from collections.abc import Iterator

from ctm.repair.rewrites.broken import Broken, Splice
from ctm.repair.rewrites.registry import rewrite

_GONE = [
    0x00AD,
    0xFEFF,
    0x180E,
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2065),
    *range(0x2066, 0x206A),
]
_SPACES = [0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000]
_SAME = {
    "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"', "＂": '"',
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "´": "'", "＇": "'",
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",
    "×": "*", "∗": "*", "÷": "/", "∕": "/", "≤": "<=", "≥": ">=", "≠": "!=", "→": "->", "…": "...",
    "、": ",", "。": ".", "【": "[", "】": "]", "《": "<", "》": ">",
}  # fmt: skip
LOOKALIKES: dict[int, str] = {
    **dict.fromkeys(_GONE, ""),
    **dict.fromkeys(_SPACES, " "),
    # full-width ASCII, letters and digits left out: Python reads those as they are
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if not chr(code).isalnum()},
    **{ord(sign): ascii_ for sign, ascii_ in _SAME.items()},
}


def _odd(broken: Broken) -> Iterator[int]:
    """Places of look-alikes outside of strings and comments."""
    at = 0
    for token in broken.tokens:
        gap = broken.text[at : token.start]
        if "#" not in gap:
            yield from (at + place for place, sign in enumerate(gap) if ord(sign) in LOOKALIKES)
        if not token.is_string:
            yield from (
                token.start + place for place, sign in enumerate(token.text) if ord(sign) in LOOKALIKES
            )
        at = token.end


@rewrite(-0.05, "a = [1， 2]", "a = [1, 2]")
def odd_characters(broken: Broken) -> Iterator[str]:
    """Look-alikes of Python's signs and spaces become those; invisible ones go."""
    if broken.text.isascii():
        return
    splices: list[Splice] = [
        (place, place + 1, LOOKALIKES[ord(broken.text[place])]) for place in _odd(broken)
    ]
    if not splices:
        return
    yield broken.spliced(splices)
    other = {'"': "'", "'": '"'}
    if any(new in other for _, _, new in splices):
        yield broken.spliced((start, end, other.get(new, new)) for start, end, new in splices)
