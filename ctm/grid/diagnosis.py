"""The parser's diagnosis of code that does not compile: the cell of the error and the class of its message.

The classes come from a table of message patterns, and the cell is found by walking the tokens of the line that
the error names. It is a feature of the encoder, never an answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from ctm.grid.tokenizer import EOL, CodeTokenizer
from ctm.python.messages import NO_MESSAGE, complaint

NO_DIAGNOSIS = (-1, NO_MESSAGE)
"""Of code that compiles: no cell, no message."""


def diagnose(text: str, tokenizer: CodeTokenizer, ids: Sequence[int] | None = None) -> tuple[int, int]:
    """(cell, kind) of the parser's first complaint; (-1, 0) for code that compiles.

    The cell is L (the END cell) for an error behind the last line. `ids` saves encoding the text again.
    """
    found = complaint(text)
    if found is None:
        return NO_DIAGNOSIS
    kind, line, column = found
    return _cell(tokenizer.encode(text) if ids is None else ids, line, column, tokenizer), kind


def _cell(ids: Sequence[int], line: int, column: int, tokenizer: CodeTokenizer) -> int:
    """The cell that holds 1-based `column` (in characters) of 1-based `line`."""
    place = 0
    for _ in range(line - 1):
        try:
            place = ids.index(EOL, place) + 1
        except ValueError:
            return len(ids)
    if place == len(ids):
        return place
    width = 0
    after_word = False
    for cell in range(place, len(ids)):
        index = ids[cell]
        if index == EOL:
            return cell
        width += after_word and tokenizer.starts_word(index)
        width += tokenizer.characters_of(index)
        if width >= column and not (cell == place and column == width == 0):
            return cell
        after_word = tokenizer.is_word(index)
    return len(ids)
