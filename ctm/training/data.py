"""Loads a split as packed ids, and plans the order of a stage's visits in batches of similar length.

The order is a pure function of settings and seed, so the position in it is one number, and a resumed stage
sees what an uninterrupted one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctm.grid.edits import Edit, apply_edit
from ctm.grid.store import packed_rows, read_split
from ctm.training.settings import StageSettings, TrainingSettings

POOL = 32  # batches sorted by length together: similar lengths inside a batch, varied ones across


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """A split as it lies in memory: n pairs."""

    ids: NDArray[np.uint16]
    """Packed ids of all buggy texts, one after the other."""
    offsets: NDArray[np.int64]
    """[n+1], where each begins."""
    edits: RaggedArray
    """start, end, count, ids ... of each edit of each pair, one after the other."""
    diagnoses: RaggedArray
    """cell, kind of each state of each pair; one state more than edits."""
    category: NDArray[np.str_]
    """[n]."""
    kind: NDArray[np.int16]
    """[n], the same number for pairs of the same kind."""
    source: NDArray[np.str_]
    """[n]."""

    def __len__(self) -> int:
        return len(self.category)

    def ids_of(self, pair: int) -> list[int]:
        """Packed ids of the buggy text."""
        return self.ids[self.offsets[pair] : self.offsets[pair + 1]].tolist()

    def edits_of(self, pair: int) -> list[Edit]:
        """The edits that repair a pair, in reading order."""
        flat = self.edits[pair]
        edits, place = [], 0
        while place < len(flat):
            start, end, count = flat[place : place + 3]
            edits.append(Edit(start, end, tuple(flat[place + 3 : place + 3 + count])))
            place += 3 + count
        return edits

    def edit_counts(self) -> NDArray[np.int64]:
        """Number of edits of every pair, [n]."""
        return np.diff(self.diagnoses.offsets) // 2 - 1

    def visit(self, pair: int, made: int) -> tuple[list[int], Edit, tuple[int, int]]:
        """The state after `made` edits: its ids, the edit that is right next ('no edit' last), its diagnosis."""
        ids, edits = self.ids_of(pair), self.edits_of(pair)
        for edit in edits[:made]:
            ids = apply_edit(ids, edit)
        answer = edits[made] if made < len(edits) else Edit(len(ids), len(ids), ())
        cell, kind = self.diagnoses[pair][2 * made : 2 * made + 2]
        return ids, answer, (cell, kind)


@dataclass(frozen=True, eq=False)
class RaggedArray:
    """Lists of different lengths in two arrays."""

    values: NDArray[np.int32]
    """All of them, one after the other."""
    offsets: NDArray[np.int64]
    """[n+1], where each begins."""

    def __getitem__(self, row: int) -> list[int]:
        return self.values[self.offsets[row] : self.offsets[row + 1]].tolist()

    @staticmethod
    def join(columns: list[pa.ChunkedArray]) -> RaggedArray:
        """From list columns of Parquet tables."""
        arrays = [column.combine_chunks() for column in columns]
        values = [a.flatten().to_numpy() for a in arrays]
        counts = [pc.list_value_length(a).to_numpy() for a in arrays]
        return RaggedArray(
            np.concatenate(values).astype(np.int32), np.concatenate([[0], np.cumsum(np.concatenate(counts))])
        )


def load_split(manifest: Path) -> TrainingSet:
    """Read a split's shards, verified against its manifest."""
    ids, counts, edits, diagnoses, category, kind, source = [], [], [], [], [], [], []
    kinds: dict[str, int] = {}
    for grids, table in read_split(manifest):
        block_ids, block_counts = packed_rows(grids[:, 0])
        ids.append(block_ids)
        counts.append(block_counts)
        edits.append(table["edits"])
        diagnoses.append(table["diagnoses"])
        category += table["category"].to_pylist()
        kind += [kinds.setdefault(name, len(kinds)) for name in table["kind"].to_pylist()]
        source += table["source"].to_pylist()
    if not category:
        raise ValueError(
            f"{manifest}: lists no pairs; run the rules that build the pairs and grids of this split again"
        )
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    return TrainingSet(
        np.concatenate(ids),
        offsets,
        RaggedArray.join(edits),
        RaggedArray.join(diagnoses),
        np.array(category),
        np.array(kind, dtype=np.int16),
        np.array(source),
    )


@dataclass(frozen=True)
class Plan:
    """The visits of a stage in order: pair and state of each, already cut into micro-batches."""

    pair: NDArray[np.int32]
    """[visits]."""
    state: NDArray[np.int8]
    """[visits], edits made before the visit."""
    batch: int
    """Visits of a micro-batch."""
    left_out: dict[str, int]
    """Pairs that the stage does not use, by reason."""
    unique: int
    """Pairs it uses at least once."""

    def __len__(self) -> int:
        """Number of micro-batches."""
        return len(self.pair) // self.batch


def plan_visits(data: TrainingSet, stage: StageSettings, training: TrainingSettings, seed: int) -> Plan:
    """Draw a stage's visits: its mix of categories, real pairs by their weight, epochs, batches of similar length.

    Raises ValueError if the mix names a category that the split has no pair of.
    """
    rng = np.random.default_rng([seed, training.seed])
    lengths = np.diff(data.offsets)
    limit = stage.max_cells or training.max_cells
    usable = lengths < limit
    left_out = {f"longer than {limit} cells": int((~usable).sum())}
    real = data.source != "mutation"
    if stage.real_weight == 0:
        left_out["real pair, not in this stage"] = int((usable & real).sum())
        usable &= ~real
    mix = stage.mix or {name: float((data.category[usable] == name).sum()) for name in set(data.category)}
    visits = []
    epoch_visits = min(stage.samples, int(usable.sum()))
    for name, share in sorted(mix.items()):
        if share == 0:
            continue
        pool = np.flatnonzero(usable & (data.category == name))
        if len(pool) == 0:
            raise ValueError(
                f"the stage's mix asks for {name!r}, but the training split has no usable pair of it; "
                "remove it from mix, or raise max_cells or real_weight"
            )
        wanted = round(epoch_visits * stage.epochs * share / sum(mix.values()))
        weight = np.where(real[pool], max(1.0, stage.real_weight), 1.0)
        visits.append(_draw(pool, weight, wanted, rng))
    absent = sorted(name for name in set(data.category[usable].tolist()) if mix.get(name, 0) == 0)
    for name in absent:
        left_out[f"category {name}, not in this stage"] = int((usable & (data.category == name)).sum())
    order = rng.permutation(np.concatenate(visits))
    whole = stage.batch * stage.accumulation
    order = order[: max(1, len(order) // whole) * whole]
    order = np.resize(order, -(-len(order) // whole) * whole)
    unique = len(np.unique(order))
    count = data.edit_counts()[order]
    final = (rng.random(len(order)) < training.final_state_share) | (count == 0)
    state = np.where(final, count, np.floor(rng.random(len(order)) * count)).astype(np.int8)
    order, state = _by_length(order, state, lengths, stage.batch, rng)
    return Plan(order.astype(np.int32), state, stage.batch, left_out, unique)


def _draw(
    pool: NDArray[np.int64], weight: NDArray[np.float64], wanted: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """`wanted` visits: every pair once in random order before any comes again; heavier ones several times."""
    times = np.floor(weight + rng.random(len(pool))).astype(np.int64)
    once = np.repeat(pool, np.maximum(times, 1))
    rounds = [rng.permutation(once) for _ in range(-(-wanted // len(once)))]
    return np.concatenate(rounds)[:wanted] if rounds else once[:0]


def _by_length(
    order: NDArray[np.int64],
    state: NDArray[np.int8],
    lengths: NDArray[np.int64],
    batch: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    places = []
    for start in range(0, len(order), batch * POOL):
        pool = np.arange(start, min(start + batch * POOL, len(order)))
        rows = pool[np.argsort(lengths[order[pool]], kind="stable")].reshape(-1, batch)
        places.append(rows[rng.permutation(len(rows))].reshape(-1))
    chosen = np.concatenate(places)
    return order[chosen], state[chosen]
