"""A broken text as the rewrites see it: its error, lines, and code tokens with their places."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ctm.python.lexical import lenient_matches

OPENING = {"(": ")", "[": "]", "{": "}"}
CLOSING = {closing: opening for opening, closing in OPENING.items()}
STARTERS = frozenset(
    {"assert", "break", "class", "continue", "def", "del", "elif", "except", "finally", "global", "import", "nonlocal",
     "pass", "raise", "return", "try", "while", "with"}
)  # fmt: skip
"""Keywords that stand at the head of a line in no brackets; `if`, `for`, `else` and the like may stand in them."""


@dataclass(frozen=True, slots=True)
class CodeToken:
    """A token of code, of a string or of a line end; comments and space are none."""

    start: int
    end: int
    text: str

    @property
    def is_newline(self) -> bool:
        """Whether it ends a physical line."""
        return self.text == "\n"

    @property
    def is_name(self) -> bool:
        """Whether it is a word, a keyword among them."""
        return self.text.isidentifier()

    @property
    def is_string(self) -> bool:
        """Whether it is a whole string literal."""
        return len(self.text) > 1 and self.text[-1] in "\"'" and self.text not in ('"""', "'''")

    @property
    def is_operand(self) -> bool:
        """Whether an expression may end with it, as far as one token tells."""
        return self.is_name or self.is_string or self.text[:1].isdigit() or self.text in (")", "]", "}")


Splice = tuple[int, int, str]
"""(start, end, text): characters [start, end) become `text`."""


@dataclass(frozen=True)
class Broken:
    """A text that does not compile, and the compiler's error."""

    text: str
    error: SyntaxError

    @property
    def message(self) -> str:
        """What the compiler says."""
        return self.error.msg or ""

    @cached_property
    def lines(self) -> list[str]:
        """Without their ends."""
        return self.text.split("\n")

    @cached_property
    def starts(self) -> list[int]:
        """Where each line begins."""
        starts = [0]
        for line in self.lines[:-1]:
            starts.append(starts[-1] + len(line) + 1)
        return starts

    @cached_property
    def line(self) -> int:
        """0-based line of the error."""
        return min(max((self.error.lineno or 1) - 1, 0), len(self.lines) - 1)

    @cached_property
    def place(self) -> int:
        """Offset of the error in the text."""
        column = max((self.error.offset or 1) - 1, 0)
        return self.starts[self.line] + min(column, len(self.lines[self.line]))

    @cached_property
    def tokens(self) -> list[CodeToken]:
        """Its tokens, line ends among them."""
        return [
            CodeToken(match.start(), match.end(), match.group())
            for match in lenient_matches(self.text)
            if match.lastgroup != "space"
        ]

    @cached_property
    def string_lines(self) -> dict[int, int]:
        """0-based lines that begin inside a string literal -> the line where that begins."""
        found: dict[int, int] = {}
        for token in self.tokens:
            if token.is_string and "\n" in token.text:
                first = self.line_of(token.start)
                found.update(dict.fromkeys(range(first + 1, self.line_of(token.end) + 1), first))
        return found

    @cached_property
    def closings(self) -> dict[int, int]:
        """Number of each bracket that is closed among the tokens -> number of the one that closes it."""
        found: dict[int, int] = {}
        stack: list[int] = []
        for number, token in enumerate(self.tokens):
            if token.text in OPENING:
                stack.append(number)
            elif token.text in CLOSING and stack:
                found[stack.pop()] = number
        return found

    def line_of(self, place: int) -> int:
        """0-based line of an offset."""
        return bisect_right(self.starts, place) - 1

    def token_at(self, place: int) -> int:
        """Number of the first token that ends behind an offset."""
        return next(
            (number for number, token in enumerate(self.tokens) if token.end > place), len(self.tokens)
        )

    def statements(self) -> Iterator[list[CodeToken]]:
        """Logical lines: tokens up to a line end outside of brackets, the line end left out.

        A line that begins with a keyword of statements ends the brackets before it, which were never closed.
        """
        depth = 0
        statement: list[CodeToken] = []
        begins_line = True
        for token in self.tokens:
            if token.is_newline:
                begins_line = True
                if statement and depth == 0:
                    yield statement
                    statement = []
                continue
            if begins_line and depth and token.text in STARTERS:
                yield statement
                statement, depth = [], 0
            begins_line = False
            depth = max(0, depth + (token.text in OPENING) - (token.text in CLOSING))
            statement.append(token)
        if statement:
            yield statement

    def spliced(self, splices: Iterable[Splice]) -> str:
        """The text after splices that do not overlap."""
        parts, at = [], 0
        for start, end, text in sorted(splices):
            if start < at:
                continue
            parts += [self.text[at:start], text]
            at = end
        return "".join([*parts, self.text[at:]])

    def with_lines(self, changed: dict[int, str | None]) -> str:
        """The text with some lines changed, or left out where None."""
        return "\n".join(
            line
            for line in (changed.get(number, line) for number, line in enumerate(self.lines))
            if line is not None
        )


def inside(tokens: list[CodeToken], opening: int) -> tuple[list[list[CodeToken]], int] | None:
    """Items between the bracket `tokens[opening]` and its closing one, split at commas, and the closing one's number.

    None where it is never closed.
    """
    depth, items = 0, [[]]  # type: tuple[int, list[list[CodeToken]]]
    for number in range(opening, len(tokens)):
        text = tokens[number].text
        if text in CLOSING:
            depth -= 1
            if depth == 0:
                return [item for item in items if item], number
        if depth == 1 and text == ",":
            items.append([])
        elif depth >= 1 and not tokens[number].is_newline:
            items[-1].append(tokens[number])
        if text in OPENING:
            depth += 1
            if depth == 1:
                items[-1] = []
    return None


def begins_value(token: CodeToken) -> bool:
    """Whether a value may begin with a token, as far as one token tells; keywords count."""
    return token.text in OPENING or (token.is_operand and token.text not in CLOSING)


def indentation(line: str) -> str:
    """White space at the head of a line."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def width(line: str) -> int:
    """Columns of the indentation, tabs to 8."""
    return len(indentation(line).expandtabs(8))
