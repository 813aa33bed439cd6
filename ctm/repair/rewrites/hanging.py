"""Brackets that hang at the end of a line, with items on lines of their own: where they end is seen by the levels."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ctm.repair.rewrites.broken import CLOSING, OPENING, Broken, Splice, begins_value, indentation, width
from ctm.repair.rewrites.registry import rewrite

_GOES_ON = frozenset({"and", "async", "else", "for", "if", "in", "is", "or"})
"""Words that continue an expression."""
_LAST_COMMA = re.compile(r",[ \t]*\n\s*[)\]}]")
"""A comma behind the last item, whose bracket is closed on another line."""


@rewrite(
    -0.3,
    "f({\n    'a': {\n        'b': 1,\n    'c': 2,\n})",
    "f({\n    'a': {\n        'b': 1,\n    },\n    'c': 2,\n})",
    "does not match opening|was never closed|unexpected EOF|expected an? |invalid syntax|forgot a comma",
)
def bracket_by_its_level(broken: Broken) -> Iterator[str]:
    """A bracket whose items have lines of their own is closed where the text comes back to its level, or ends."""
    levels = _Levels(broken)
    found = []
    for first, hanging, outer in levels.hanging():
        end, still_open = levels.left_open(first, hanging)
        if still_open:
            comma = "," if outer is not None and levels.is_item(outer, end) else ""
            text = broken.spliced(levels.closing(still_open, end, comma))
            found.append((end == len(levels.tokens), -hanging, text))
    # where the text ends last, and the latest, which lies within the others, first
    yield from (text for _, _, text in sorted(found))


class _Levels:
    """Tokens of a text, line ends left out, by number: their lines, and how far those are indented."""

    def __init__(self, broken: Broken) -> None:
        self.broken = broken
        self.tokens = [token for token in broken.tokens if not token.is_newline]
        self.lines = [broken.line_of(token.start) for token in self.tokens]
        self.with_comma: set[int] = set()
        """Brackets that have a comma of their own, as far as `hanging` has come."""

    def level(self, number: int) -> int:
        """Columns of the indentation of a token's line."""
        return width(self.broken.lines[self.lines[number]])

    def is_last(self, number: int) -> bool:
        """Whether a token ends its line."""
        return self.lines[number + 1 : number + 2] != [self.lines[number]]

    def hanging(self) -> Iterator[tuple[int, int, int | None]]:
        """Brackets that end a line and have something below.

        Of each the first bracket that its line opens and leaves open, itself, and the one around them.
        """
        is_open: list[int] = []
        for number, token in enumerate(self.tokens[:-1]):
            if token.text in OPENING:
                is_open.append(number)
                if self.is_last(number):
                    outer = [one for one in is_open if self.lines[one] < self.lines[number]]
                    yield is_open[len(outer)], number, outer[-1] if outer else None
            elif token.text in CLOSING:
                is_open = is_open[:-1]
            elif token.text == "," and is_open:
                self.with_comma.add(is_open[-1])

    def left_open(self, first: int, hanging: int) -> tuple[int, list[int]]:
        """Where the text behind a bracket that hangs comes back to its level, or below, or ends.

        The number of the token that comes back, and brackets from `first` on that are open there: none where all are
        closed as they should be, or nothing is in them.
        """
        own, is_open = self.level(first), []  # type: int, list[int]
        for number in range(first, len(self.tokens)):
            text, is_closing = self.tokens[number].text, self.tokens[number].text in CLOSING
            if number > hanging and self.is_last(number - 1):
                level = self.level(number)
                if level < own or (level == own and not is_closing):
                    return number, is_open if number > hanging + 1 else []
            if text in OPENING:
                is_open.append(number)
            elif is_closing and OPENING[self.tokens[is_open[-1]].text] == text:
                is_open.pop()
            if not is_open:
                return number, []
        return len(self.tokens), is_open

    def is_item(self, outer: int, end: int) -> bool:
        """Whether a comma is due before the token `end`, in the bracket `outer`."""
        if end == len(self.tokens):
            return False
        following = self.tokens[end]
        if following.text in CLOSING:
            return outer in self.with_comma and bool(_LAST_COMMA.search(self.broken.text))
        return begins_value(following) and following.text not in _GOES_ON

    def closing(self, still_open: list[int], end: int, comma: str) -> list[Splice]:
        """Closes brackets before the token `end`, innermost first, with a comma behind them all.

        Those that do not hang are closed behind the last token; each other on a line of its own, at its level.
        """
        behind, below = "", ""
        for number in reversed(still_open):
            text = OPENING[self.tokens[number].text]
            if self.is_last(number):
                below += f"\n{indentation(self.broken.lines[self.lines[number]])}{text}"
            elif below:
                below += text
            else:
                behind += text
        last = self.tokens[end - 1].end
        line = self.broken.line_of(last - 1)
        line_end = self.broken.starts[line] + len(self.broken.lines[line].rstrip())
        comment = self.broken.text[last:line_end]
        return [(last, line_end, f"{behind}{comment}{below}{comma}")]
