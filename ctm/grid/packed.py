"""Packed cells: a code state as the model sees it, with each cell's grid position and the words in it.

Identifiers are numbered by first appearance, so that "copy the identifier that begins at this cell" is one
class for all its appearances: the loss adds their probabilities up, and the answer does not depend on which is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ctm.grid.layout import COLS, ROWS, layout
from ctm.grid.tokenizer import END, STOP, CodeTokenizer


@dataclass(frozen=True, slots=True, eq=False)
class PackedCells:
    """L cells and one END cell at index L."""

    tokens: NDArray[np.int64]
    """[L+1] ids, END last."""
    rows: NDArray[np.int64]
    """[L+1] source row 0..63 in the grid."""
    cols: NDArray[np.int64]
    """[L+1] column 0..47."""
    word_numbers: NDArray[np.int64]
    """[L+1] number of the word that begins at the cell, -1 where none begins."""
    word_tokens: list[tuple[int, ...]]
    """Token ids of each numbered word."""

    @property
    def cells(self) -> int:
        """L, the number of cells without END."""
        return len(self.tokens) - 1


def pack(ids: Sequence[int], tokenizer: CodeTokenizer) -> PackedCells:
    """Packed cells of a text's ids. Raises DoesNotFit."""
    rows, cols = layout(ids)
    count = len(ids)
    words = np.full(count + 1, -1, dtype=np.int64)
    numbers: dict[tuple[int, ...], int] = {}
    for start, end in word_spans(ids, tokenizer):
        name = tuple(ids[start:end])
        words[start] = numbers.setdefault(name, len(numbers))
    last_row = min(int(rows[-1]), ROWS - 1) if count else 0
    last_col = min(int(cols[-1]) + 1, COLS - 1) if count else 0
    return PackedCells(
        tokens=np.array([*ids, END], dtype=np.int64),
        rows=np.append(rows, last_row),
        cols=np.append(cols, last_col),
        word_numbers=words,
        word_tokens=list(numbers),
    )


def word_spans(ids: Sequence[int], tokenizer: CodeTokenizer) -> list[tuple[int, int]]:
    """[start, end) of every word: a token that starts one and the tokens that continue it."""
    spans: list[tuple[int, int]] = []
    start = -1
    for place, index in enumerate(ids):
        if tokenizer.starts_word(index):
            if start >= 0:
                spans.append((start, place))
            start = place
        elif start >= 0 and not tokenizer.is_word(index):
            spans.append((start, place))
            start = -1
    if start >= 0:
        spans.append((start, len(ids)))
    return spans


def expand_units(units: Sequence[int], packed: PackedCells, vocabulary: int) -> tuple[int, ...]:
    """Token ids of replacement units: u < V is a token (STOP ends), V + p the word that begins at cell p.

    Raises ValueError where no word begins at the cell of a copy.
    """
    ids: list[int] = []
    for unit in units:
        if unit == STOP:
            break
        if unit < vocabulary:
            ids.append(unit)
            continue
        cell = unit - vocabulary
        number = packed.word_numbers[cell] if cell < len(packed.word_numbers) else -1
        if number < 0:
            raise ValueError(f"unit {unit} copies the word at cell {cell}, where none begins")
        ids.extend(packed.word_tokens[number])
    return tuple(ids)


def replacement_units(
    ids: Sequence[int], packed: PackedCells, tokenizer: CodeTokenizer
) -> list[tuple[int, int]]:
    """A replacement as units: (token id or -1, word number or -1) each; both are right where both are given.

    A whole word that the code has already is one unit however many tokens it takes; anything else is its tokens.
    """
    numbers = {name: number for number, name in enumerate(packed.word_tokens)}
    units: list[tuple[int, int]] = []
    place = 0
    for start, end in word_spans(ids, tokenizer):
        units.extend((index, -1) for index in ids[place:start])
        name = tuple(ids[start:end])
        number = numbers.get(name, -1)
        if end - start == 1:
            units.append((name[0], number))
        elif number >= 0:
            units.append((-1, number))
        else:
            units.extend((index, -1) for index in name)
        place = end
    units.extend((index, -1) for index in ids[place:])
    return units
