"""Reads the first state of a split's pairs, as inputs for the baseline and the model checks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ctm.grid.batching import collate
from ctm.grid.edits import Edit
from ctm.grid.packed import pack
from ctm.grid.store import packed_rows, read_split
from ctm.grid.tokenizer import CodeTokenizer
from ctm.repair.candidates import CodeState


@dataclass(frozen=True, slots=True, eq=False)
class FirstState:
    """A buggy text, the edit that is right first, and what kind of pair it is of."""

    state: CodeState
    edit: Edit
    category: str
    kind: str


def read_first_states(manifest: Path, tokenizer: CodeTokenizer, count: int) -> list[FirstState]:
    """The first `count` pairs of a split (they lie in random order). Raises ValueError if it has none."""
    found: list[FirstState] = []
    for grids, table in read_split(manifest):
        room = count - len(found)
        if room <= 0:
            break
        rows = table.slice(0, room).to_pylist()
        ids, counts = packed_rows(grids[: len(rows), 0])
        texts = np.split(ids, np.cumsum(counts)[:-1])
        for row, text in zip(rows, texts, strict=True):
            cells = [int(index) for index in text]
            edits = row["edits"]
            edit = (
                Edit(edits[0], edits[1], tuple(edits[3 : 3 + edits[2]]))
                if edits
                else Edit(len(cells), len(cells), ())
            )
            cell, kind = row["diagnoses"][:2]
            state = CodeState(tokenizer.decode(cells), cells, pack(cells, tokenizer), (cell, kind))
            found.append(FirstState(state, edit, row["category"], row["kind"]))
    if not found:
        raise ValueError(
            f"{manifest}: lists no pairs; run the rules that build the pairs and grids of this split again"
        )
    return found


def inputs_of(states: list[CodeState]) -> dict[str, Tensor]:
    """tokens, rows, cols int64 [B, N], lengths int64 [B], diagnosis int64 [B, 2]."""
    arrays = collate([state.packed for state in states], [state.diagnosis for state in states])
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
