"""Packed cells and the 64x48 grid are inverse; what does not fit is refused with its reason."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ctm.grid.batching import by_length, collate
from ctm.grid.layout import (
    COLS,
    ROWS,
    DoesNotFit,
    cell_positions,
    check_fits,
    from_grid,
    layout,
    to_grid,
    to_grids,
)
from ctm.grid.packed import expand_units, pack, replacement_units
from ctm.grid.store import packed_rows
from ctm.grid.tokenizer import CONT, END, EOL, PAD, STOP, CodeTokenizer


def test_grids_are_exact(tokenizer: CodeTokenizer, texts: list[str]) -> None:
    """Every text that fits comes back from its grid; every other has a reason."""
    fitted = 0
    for text in texts:
        ids = tokenizer.encode(text)
        try:
            grid = to_grid(ids)
        except DoesNotFit as error:
            assert error.reason == "more than 64 rows"
            assert text.count("\n") >= ROWS or max(map(len, text.split("\n"))) > COLS, f"{text!r} should fit"
            continue
        fitted += 1
        assert grid.shape == (ROWS, COLS) and grid.dtype == np.uint16
        assert from_grid(grid) == ids
        rows, cols = layout(ids)
        assert (grid[rows, cols] == ids).all()
        filled = (grid != PAD).sum()
        assert filled - (grid == CONT).sum() == len(ids), "a cell of the text is overwritten"
    assert fitted > 10_000


def test_a_row_is_a_source_line(tokenizer: CodeTokenizer, functions: list[str]) -> None:
    for text in functions[:100]:
        lines = text.split("\n")
        if len(lines) > 40 or max(map(len, lines)) > COLS - 2:
            continue
        grid = to_grid(tokenizer.encode(text))
        for number, line in enumerate(lines):
            assert tokenizer.decode(from_grid(grid[number])).rstrip("\n") == line
            assert grid[number, 0] != PAD or not line, "the first cell is the line's indentation"


def test_a_long_line_goes_on_behind_cont(tokenizer: CodeTokenizer) -> None:
    text = "x = [" + ", ".join("y" * 60) + "]\nz = 1\n"
    ids = tokenizer.encode(text)
    grid = to_grid(ids)
    long = ids.index(EOL) + 1
    rows = 1 + -(-(long - COLS) // (COLS - 1))
    assert [int(c) for c in grid[1:rows, 0]] == [CONT] * (rows - 1)
    assert grid[rows, 0] not in (CONT, PAD), "the next source line begins a row of its own"
    assert (grid == CONT).sum() == rows - 1
    assert from_grid(grid) == ids


@pytest.mark.parametrize("cells", [COLS - 1, COLS, COLS + 1, 2 * COLS - 1, 2 * COLS])
def test_lines_that_just_fill_a_row(cells: int) -> None:
    """An EOL in the last column needs no row of its own, and an empty continuation row never appears."""
    line = [*range(100, 100 + cells - 1), EOL]
    ids = [*line, *line]
    rows, cols = layout(ids)
    assert from_grid(to_grid(ids)) == ids
    assert rows[cells] == rows[cells - 1] + 1 and cols[cells] == 0
    assert rows[cells - 1] == (0 if cells <= COLS else 1 + (cells - COLS - 1) // (COLS - 1))


def test_65_rows_are_refused_with_the_reason(tokenizer: CodeTokenizer) -> None:
    assert from_grid(to_grid(tokenizer.encode("x\n" * 64))) == tokenizer.encode("x\n" * 64)
    for text in ("x\n" * 65, "x\n" * 64 + "x", "x\n" * 63 + "y = [" + "1, " * 60 + "]\n"):
        with pytest.raises(DoesNotFit, match="more than 64 rows: the text needs 6") as caught:
            to_grid(tokenizer.encode(text))
        assert caught.value.reason == "more than 64 rows"
        with pytest.raises(DoesNotFit):
            pack(tokenizer.encode(text), tokenizer)


def test_packing_adds_end_and_numbers_words(tokenizer: CodeTokenizer) -> None:
    ids = tokenizer.encode("self = other\nother = self\n")
    packed = pack(ids, tokenizer)
    assert packed.tokens.tolist() == [*ids, END] and packed.cells == len(ids)
    assert len(packed.word_tokens) == 2
    assert [n for n in packed.word_numbers.tolist() if n >= 0] == [0, 1, 1, 0]
    assert packed.word_numbers[-1] == -1
    empty = pack([], tokenizer)
    assert empty.tokens.tolist() == [END] and (empty.rows[0], empty.cols[0]) == (0, 0)


def test_places_stay_inside_the_grid(tokenizer: CodeTokenizer, texts: list[str]) -> None:
    for text in texts[::7]:
        try:
            packed = pack(tokenizer.encode(text), tokenizer)
        except DoesNotFit:
            continue
        assert packed.rows.max() < ROWS and packed.cols.max() < COLS and packed.rows.min() >= 0
        assert len({len(packed.tokens), len(packed.rows), len(packed.cols), len(packed.word_numbers)}) == 1


def test_units_expand_to_what_they_were_made_of(tokenizer: CodeTokenizer, functions: list[str]) -> None:
    """Copies where there are words to copy, tokens elsewhere; the tokens come back either way."""
    vocabulary = tokenizer.vocab_size
    copies = 0
    for text, other in itertools.pairwise(functions[:150]):
        packed = pack(tokenizer.encode(text), tokenizer) if text.count("\n") < 40 else pack([], tokenizer)
        ids = tokenizer.encode(other)
        cells = {int(n): p for p, n in reversed(list(enumerate(packed.word_numbers))) if n >= 0}
        units = replacement_units(ids, packed, tokenizer)
        copies += sum(word >= 0 for _, word in units)
        assert expand_units(
            [vocabulary + cells[w] if w >= 0 else t for t, w in units], packed, vocabulary
        ) == tuple(ids)
        single = [t if t >= 0 else vocabulary + cells[w] for t, w in units]
        assert expand_units([*single, STOP, 77], packed, vocabulary) == tuple(ids), "STOP ends a replacement"
    assert copies > 1000


def test_a_copy_from_where_no_word_begins_is_refused(tokenizer: CodeTokenizer) -> None:
    packed = pack(tokenizer.encode("x = 1\n"), tokenizer)
    for cell in (0, 2, packed.cells, 999):
        with pytest.raises(ValueError, match=f"copies the word at cell {cell}, where none begins"):
            expand_units([tokenizer.vocab_size + cell], packed, tokenizer.vocab_size)


def test_batches_pad_behind_end(tokenizer: CodeTokenizer) -> None:
    states = [pack(tokenizer.encode(t), tokenizer) for t in ("x = 1\n", "", "def f(a, b):\n    return a\n")]
    batch = collate(states, [(-1, 0), (0, 3), (2, 4)], multiple=16)
    assert {k: v.dtype.name for k, v in batch.items()} == dict.fromkeys(batch, "int64")
    assert batch["tokens"].shape[1] % 16 == 0 and batch["diagnosis"].tolist() == [[-1, 0], [0, 3], [2, 4]]
    for number, state in enumerate(states):
        length = int(batch["lengths"][number])
        assert length == state.cells + 1 and batch["tokens"][number, length - 1] == END
        assert (batch["tokens"][number, length:] == PAD).all()
        assert batch["rows"][number, :length].tolist() == state.rows.tolist()


def test_batches_by_length_hold_every_item_once() -> None:
    lengths = [int(n) for n in np.random.default_rng(0).integers(1, 400, 300)] + [5000]
    batches = by_length(lengths, max_cells=4096, max_size=32)
    assert sorted(i for b in batches for i in b) == list(range(301))
    for batch in batches:
        assert len(batch) <= 32
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= 4096
    assert by_length([], 10, 10) == []


def test_rows_of_a_store_are_packed_at_once(tokenizer: CodeTokenizer, functions: list[str]) -> None:
    ids = [tokenizer.encode(f) for f in functions[:60] if f.count("\n") < 30]
    flat, counts = packed_rows(np.stack([to_grid(i) for i in ids]))
    assert counts.tolist() == [len(i) for i in ids]
    assert flat.tolist() == [index for i in ids for index in i]


def test_texts_together_are_laid_out_as_each_alone(texts: list[str], tokenizer: CodeTokenizer) -> None:
    ids = [found for text in [*texts[:600], "", *texts[-600:], ""] if fits(found := tokenizer.encode(text))]
    assert [] in ids and len(ids) > 1000
    places = cell_positions(
        np.concatenate([np.array(i, np.int64) for i in ids]), np.array([len(i) for i in ids])
    )
    alone = [layout(i) for i in ids]
    for together, which in zip(places, (0, 1), strict=True):
        assert (together == np.concatenate([place[which] for place in alone])).all()
    assert all((a == to_grid(i)).all() for a, i in zip(to_grids(ids), ids, strict=True))


def fits(ids: list[int]) -> bool:
    try:
        layout(ids)
    except DoesNotFit:
        with pytest.raises(DoesNotFit):
            check_fits(ids)
        return False
    check_fits(ids)
    return True
