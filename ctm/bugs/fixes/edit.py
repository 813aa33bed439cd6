"""The one place where two texts of a function differ, in lexical tokens; comments and docstrings do not count."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from ctm.python.lexical import DEDENT, INDENT, NEWLINE, QUOTES

LEVELS = 40
"""Most tokens of an edit: those between the old and the new end of a block."""
BORDERS = frozenset((NEWLINE, INDENT, DEDENT))
"""Tokens between which a logical line stands."""
_IGNORED = {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER, tokenize.ENCODING, tokenize.TYPE_COMMENT}
_STRUCTURE = {tokenize.NEWLINE: NEWLINE, tokenize.INDENT: INDENT, tokenize.DEDENT: DEDENT}
_OPENS = {getattr(tokenize, name, -1) for name in ("FSTRING_START", "TSTRING_START")}
_CLOSES = {getattr(tokenize, name, -1) for name in ("FSTRING_END", "TSTRING_END")}
"""Parts of an f-string since Python 3.12; it is one token here as in 3.11, so that all of them build the same suite."""


@dataclass(frozen=True, slots=True)
class FixToken:
    text: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class FixEdit:
    """The one place where two lists of tokens differ: [at, stop) of `before` became [at, new_stop) of `after`."""

    before: list[FixToken]
    after: list[FixToken]
    at: int
    stop: int
    new_stop: int

    @property
    def old(self) -> tuple[str, ...]:
        return tuple(token.text for token in self.before[self.at : self.stop])

    @property
    def new(self) -> tuple[str, ...]:
        return tuple(token.text for token in self.after[self.at : self.new_stop])

    @property
    def previous(self) -> str:
        return self.before[self.at - 1].text if self.at else NEWLINE

    @property
    def following(self) -> str:
        return self.before[self.stop].text if self.stop < len(self.before) else NEWLINE

    def is_bracketed(self) -> bool:
        """Whether the edit stands in brackets that are open on its line."""
        depth, place = 0, self.at
        while place and self.before[place - 1].text not in BORDERS:
            place -= 1
            depth += self.before[place].text in ("(", "[", "{")
            depth -= self.before[place].text in (")", "]", "}")
        return depth > 0

    def line(self) -> list[str]:
        """Tokens of the logical line of `after` in which the edit begins."""
        texts = [token.text for token in self.after]
        begin = self.at
        while begin and texts[begin - 1] not in BORDERS:
            begin -= 1
        end = max(self.at, self.new_stop - 1)
        while end < len(texts) and texts[end] not in BORDERS:
            end += 1
        return texts[begin:end]


def only_edit(before: str, after: str) -> FixEdit | None:
    """The edit, of any size up to `LEVELS` tokens; None where the texts differ in more or cannot be tokenized."""
    old, new = tokens_of(before), tokens_of(after)
    if old is None or new is None:
        return None
    first, last, shorter = 0, 0, min(len(old), len(new))
    while first < shorter and old[first].text == new[first].text:
        first += 1
    while last < shorter - first and old[-1 - last].text == new[-1 - last].text:
        last += 1
    edit = FixEdit(old, new, first, len(old) - last, len(new) - last)
    return edit if max(edit.stop, edit.new_stop) - first <= LEVELS else None


def tokens_of(text: str) -> list[FixToken] | None:
    """Lexical tokens without comments and texts that stand by themselves, with their places in `text`."""
    starts = [0]
    for line in io.StringIO(text):
        starts.append(starts[-1] + len(line))
    found: list[FixToken] = []
    opened = outermost = 0  # f-strings that are open, and where the outermost begins
    try:
        for item in tokenize.generate_tokens(io.StringIO(text).readline):
            if item.type in _IGNORED:
                continue
            begin = min(starts[item.start[0] - 1] + item.start[1], len(text))
            end = min(starts[min(item.end[0], len(starts)) - 1] + item.end[1], len(text))
            opened += item.type in _OPENS
            if not opened:
                found.append(FixToken(_STRUCTURE.get(item.type, item.string), begin, max(begin, end)))
            elif opened == 1 and item.type in _OPENS:
                outermost = begin
            elif opened == 1 and item.type in _CLOSES:
                found.append(FixToken(text[outermost:end], outermost, end))
            opened -= item.type in _CLOSES
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return None
    return list(_without_documentation(found))


def _without_documentation(tokens: list[FixToken]) -> Iterator[FixToken]:
    """All but the text that a function begins with, unless it is the whole of it."""
    texts = [token.text for token in tokens]
    skip = 0
    for place, token in enumerate(tokens):
        begins = token.text[-1] in QUOTES and texts[place - 2 : place] == [NEWLINE, INDENT]
        if begins and texts[place + 1 : place + 2] == [NEWLINE] and texts[place + 2 : place + 3] != [DEDENT]:
            skip = 2
        if not skip:
            yield token
        skip = max(0, skip - 1)


def made(before: str, after: str, edit: FixEdit) -> str:
    """`before` with the edit; `after` itself where blocks moved, or where the edit alone makes something else."""
    if not BORDERS.isdisjoint(edit.old + edit.new):
        return after
    begin, new_begin = (tokens[edit.at - 1].end if edit.at else 0 for tokens in (edit.before, edit.after))
    end, new_end = edit.before[edit.stop].begin, edit.after[edit.new_stop].begin
    made = before[:begin] + after[new_begin:new_end] + before[end:]
    tokens = tokens_of(made)
    return made if tokens and [t.text for t in tokens] == [t.text for t in edit.after] else after


def rotations(edit: FixEdit) -> Iterator[FixEdit]:
    """The edit, and where tokens only come or only go the same one seen further to the left: `self.a and` + `self.`."""
    yield edit
    if edit.old and edit.new:
        return
    longer, at = (edit.old or edit.new), edit.at
    for shift in range(1, len(longer)):
        at -= 1
        if at < 0 or edit.before[at].text != longer[-shift]:
            return
        yield FixEdit(edit.before, edit.after, at, edit.stop - shift, edit.new_stop - shift)


def is_name(token: str) -> bool:
    """Whether a token is a name and no keyword."""
    return token.isidentifier() and not keyword.iskeyword(token)
