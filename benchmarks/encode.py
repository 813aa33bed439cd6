"""Texts to 64x48 grids a second: our tokenizer and layout against ByteLevelBPETokenizer with numpy padding.

Both vocabularies have 8,192 tokens of the same code; the rival encodes a text's lines in one `encode_batch` and pads
them into a dense array, cutting what is longer than a row (ours goes on in the next row and its inverse is exact).
Texts come as pairs that differ in one place, as in the pipeline, and every round starts with empty caches.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from _pairs import pairs
from numpy.typing import NDArray
from tokenizers import ByteLevelBPETokenizer

from ctm.grid.layout import COLS, ROWS, DoesNotFit, from_grid, to_grid
from ctm.grid.tokenizer import CodeTokenizer

VOCABULARY, PAIRS, ROUNDS = 8192, 2000, 5


def ours(texts: list[str], file: Path) -> list[NDArray[np.uint16] | None]:
    """Grids of texts; None for one that does not fit."""
    codec = CodeTokenizer.load(file)
    grids: list[NDArray[np.uint16] | None] = []
    for text in texts:
        try:
            grids.append(to_grid(codec.encode(text)))
        except DoesNotFit:
            grids.append(None)
    return grids


def rival(texts: list[str], tokenizer: ByteLevelBPETokenizer) -> list[NDArray[np.uint16]]:
    """Dense grids of texts, one row a line."""
    grids = []
    for text in texts:
        grid = np.zeros((ROWS, COLS), dtype=np.uint16)
        for row, line in enumerate(tokenizer.encode_batch(text.split("\n")[:ROWS])):
            ids = line.ids[:COLS]
            grid[row, : len(ids)] = ids
        grids.append(grid)
    return grids


def run() -> dict[str, Any]:
    """Texts a second, one thread."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    both = pairs(PAIRS)
    texts = [text for pair in both for text in pair]
    other = ByteLevelBPETokenizer()
    other.train_from_iterator((whole for _, whole in both), vocab_size=VOCABULARY, show_progress=False)
    seconds: tuple[list[float], list[float]] = ([], [])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tokenizer.json"
        CodeTokenizer.train((whole for _, whole in both), VOCABULARY).save(file)
        codec = CodeTokenizer.load(file)
        for text, grid in zip(texts, ours(texts, file), strict=True):
            assert grid is None or codec.decode(from_grid(grid)) == text
        for _ in range(ROUNDS):
            for side, work in enumerate((lambda: ours(texts, file), lambda: rival(texts, other))):
                started = time.perf_counter()
                work()
                seconds[side].append(time.perf_counter() - started)
    fast, slow = (len(texts) / statistics.median(s) for s in seconds)
    return {
        "name": "encode", "unit": "texts/s", "ours": fast, "rival": slow,
        "rival_name": "tokenizers.ByteLevelBPETokenizer.encode_batch and numpy padding",
        "ratio": fast / slow, "n": ROUNDS, "threads": 1,
    }  # fmt: skip


if __name__ == "__main__":
    print(run())
