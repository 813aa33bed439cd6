"""Builds padded micro-batches from a plan's visits, with the correct replacement units of each.

Everything is done for some 2,000 visits together on flat arrays (cells of all states one after the other),
because a numpy call costs as much as a state has cells; one visit by itself would take twenty times as long. What comes
out is what `grid.packed` says of each state alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ctm.grid.edits import MAX_UNITS, Edit
from ctm.grid.layout import COLS, cell_positions
from ctm.grid.tokenizer import END, PAD, STOP, CodeTokenizer
from ctm.training.data import Plan, TrainingSet

# Sizes of a batch are rounded up: for a size not met before, matrix libraries build new kernels. Of 8 and 16 cells the
# demo takes less time with 8: 70 sizes in stage 4 instead of 40, and 4 % fewer cells (training/graphs.py keeps to 16).
CELLS_MULTIPLE = 8
UNITS_MULTIPLE = 32
VISITS_PER_CHUNK = 2048
"""Visits whose states are made together."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrainingBatch:
    """A micro-batch of B states with their answers; R units in all."""

    inputs: dict[str, Tensor]
    """tokens, rows, cols int64 [B, N], lengths int64 [B], diagnosis int64 [B, 2]."""
    words: Tensor
    """int64 [B, N], number of the word that begins at the cell or -1."""
    start: Tensor
    """int64 [B]."""
    end: Tensor
    """int64 [B]."""
    unit_sample: Tensor
    """int64 [R], which state a unit belongs to. Units without token and word fill R up and count for nothing."""
    unit_slot: Tensor
    """int64 [R], its slot."""
    unit_token: Tensor
    """int64 [R], right token or -1."""
    unit_word: Tensor
    """int64 [R], number of the word that it may copy or -1."""

    def to(self, device: torch.device) -> TrainingBatch:
        """The batch on a device."""
        # CUDA alone copies in the order of its stream whatever the host does next
        return self._each(lambda tensor: tensor.to(device, non_blocking=device.type == "cuda"))

    def pinned(self) -> TrainingBatch:
        """The batch in memory that CUDA copies from without a wait."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> TrainingBatch:
        changed = {k: change(v) for k, v in vars(self).items() if isinstance(v, Tensor)}
        return TrainingBatch(inputs={k: change(v) for k, v in self.inputs.items()}, **changed)


@dataclass(frozen=True, eq=False)
class CellLists:
    """Lists of cells one after the other, [sum of counts], and the length of each, [n]."""

    cells: Integers
    counts: Integers

    @staticmethod
    def of(lists: Sequence[Sequence[int]]) -> CellLists:
        counts = np.fromiter(map(len, lists), np.int64, len(lists))
        return CellLists(np.fromiter(chain.from_iterable(lists), np.int64, int(counts.sum())), counts)


@dataclass(frozen=True, eq=False)
class Visits:
    """n states with the edit that is right in each."""

    states: CellLists
    replacements: CellLists
    start: Integers
    end: Integers
    diagnosis: Integers
    """[n, 2]."""


def batches(
    data: TrainingSet, plan: Plan, tokenizer: CodeTokenizer, first: int = 0
) -> Iterator[TrainingBatch]:
    """Micro-batches of a plan from number `first` on."""
    several = max(1, VISITS_PER_CHUNK // plan.batch)
    for number in range(first, len(plan), several):
        visits = slice(number * plan.batch, min(number + several, len(plan)) * plan.batch)
        made = plan.state[visits].astype(np.int64)
        yield from _make_batches(
            collect_visits(data, plan.pair[visits].astype(np.int64), made), plan.batch, _table(tokenizer)
        )


def make_batch(
    states: Sequence[Sequence[int]],
    answers: Sequence[Edit],
    diagnoses: Sequence[tuple[int, int]],
    tokenizer: CodeTokenizer,
) -> TrainingBatch:
    """States (ids) with the edit that is right in each and the parser's diagnosis of each."""
    start, end = np.array([(a.start, a.end) for a in answers], np.int64).T.copy()
    visits = Visits(
        CellLists.of(states),
        CellLists.of([a.tokens for a in answers]),
        start,
        end,
        np.array(diagnoses, np.int64),
    )
    return next(_make_batches(visits, len(states), _table(tokenizer)))


def collect_visits(data: TrainingSet, pair: Integers, made: Integers) -> Visits:
    """What `data.visit` says of each pair after so many edits; both [n]."""
    values, at = data.edits.values, data.edits.offsets[pair]  # at: where each one's next edit begins
    begins = data.offsets[pair]
    counts = data.offsets[pair + 1] - begins
    source = data.ids[_runs(begins, counts)].astype(np.int64)
    begins = np.cumsum(counts) - counts
    pieces, size = [source], len(source)
    left, done = np.flatnonzero(made), 0
    place, count = begins[left], counts[left]
    while len(left):  # one edit of each state that needs more of them
        edit = at[left]
        start, end, new = (values[edit + column].astype(np.int64) for column in range(3))
        tokens = values[_runs(edit + 3, new)].astype(np.int64)
        lengths = np.stack([start, new, count - end], axis=1).ravel()
        origins = np.stack([place, len(source) + np.cumsum(new) - new, place + end], axis=1).ravel()
        source = np.concatenate([source, tokens])[_runs(origins, lengths)]
        count = count - (end - start) + new
        place = np.cumsum(count) - count
        at[left] += 3 + new
        begins[left], counts[left] = size + place, count
        pieces.append(source)
        size, done = size + len(source), done + 1
        more = made[left] > done
        left, place, count = left[more], place[more], count[more]
    states = CellLists(np.concatenate(pieces)[_runs(begins, counts)], counts)
    start, end, new = counts.copy(), counts.copy(), np.zeros(len(pair), np.int64)
    told = data.diagnoses.offsets[pair]
    wrong = np.flatnonzero(2 * made + 2 < data.diagnoses.offsets[pair + 1] - told)
    edit = at[wrong]
    start[wrong], end[wrong], new[wrong] = (values[edit + column] for column in range(3))
    tokens = values[_runs(edit + 3, new[wrong])].astype(np.int64)
    diagnosis = data.diagnoses.values[told[:, None] + 2 * made[:, None] + np.arange(2)]
    return Visits(states, CellLists(tokens, new), start, end, diagnosis.astype(np.int64))


def _make_batches(visits: Visits, size: int, table: _Table) -> Iterator[TrainingBatch]:
    """The visits in batches of `size`, which divides their number."""
    cells, counts = visits.states.cells, visits.states.counts
    rows, cols = cell_positions(cells, counts)
    longest = counts.reshape(-1, size).max(axis=1) + 1
    widths = -(-longest // CELLS_MULTIPLE) * CELLS_MULTIPLE
    width = np.repeat(widths, size)
    begins = np.cumsum(width) - width
    place = _runs(begins, counts)
    padded = np.full((3, int(width.sum())), PAD, np.int64)
    for row, values in enumerate((cells, rows, cols)):
        padded[row, place] = values
    end, last = begins + counts, np.cumsum(counts) - 1
    padded[0, end] = END
    some = counts > 0
    padded[1, end[some]] = rows[last[some]]
    padded[2, end[some]] = np.minimum(cols[last[some]] + 1, COLS - 1)
    words = np.full(padded.shape[1], -1, np.int64)
    found, replaced, numbers, known = _numbered(visits, table)
    words[place[found]] = numbers
    units = _units(visits, replaced, known)
    cut = np.searchsorted(units[0], np.arange(0, len(counts) + 1, size))
    units[0] %= size
    at = 0
    for number, width_ in enumerate(widths.tolist()):
        mine = slice(number * size, (number + 1) * size)
        area = slice(at, at := at + size * width_)
        tokens_, rows_, cols_ = torch.from_numpy(padded[:, area].reshape(3, size, width_)).unbind()
        columns = _filled_up(units[:, cut[number] : cut[number + 1]])
        yield TrainingBatch(
            inputs={
                "tokens": tokens_,
                "rows": rows_,
                "cols": cols_,
                "lengths": torch.from_numpy(counts[mine] + 1),
                "diagnosis": torch.from_numpy(visits.diagnosis[mine]),
            },
            words=torch.from_numpy(words[area].reshape(size, width_)),
            start=torch.from_numpy(visits.start[mine]),
            end=torch.from_numpy(visits.end[mine]),
            unit_sample=columns[0],
            unit_slot=columns[1],
            unit_token=columns[2],
            unit_word=columns[3],
        )


def _filled_up(units: Integers) -> Tensor:
    """Units [4, r] with empty ones behind them up to a multiple."""
    columns = np.zeros((4, -(-units.shape[1] // UNITS_MULTIPLE) * UNITS_MULTIPLE), np.int64)
    columns[2:] = -1
    columns[:, : units.shape[1]] = units
    return torch.from_numpy(columns)


def _units(visits: Visits, replaced: tuple[Integers, Integers], known: Integers) -> Integers:
    """Rows sample, slot, token, word of all units, in order: `grid.packed.replacement_units`, and STOP where there
    is room.

    replaced: where words of the replacements begin, and how long they are. known: their numbers in the state, or -1.
    """
    tokens, counts = visits.replacements.cells, visits.replacements.counts
    begins, lengths = replaced
    word = np.full(len(tokens), -1, np.int64)
    word[begins] = known
    kept = np.ones(len(tokens), bool)
    whole = (known >= 0) & (lengths > 1)  # one unit, whatever its tokens
    kept[_runs(begins[whole] + 1, lengths[whole] - 1)] = False
    token = tokens.copy()
    token[begins[whole]] = -1
    sample = np.repeat(np.arange(len(counts)), counts)[kept]
    used = np.bincount(sample, minlength=len(counts))
    total = used + (used < MAX_UNITS)
    first = np.cumsum(total) - total
    units = np.empty((4, int(total.sum())), np.int64)
    units[0] = np.repeat(np.arange(len(counts)), total)
    units[1] = np.arange(units.shape[1]) - np.repeat(first, total)
    units[2], units[3] = STOP, -1
    place = _runs(first, used)
    units[2, place], units[3, place] = token[kept], word[kept]
    return units


@dataclass(frozen=True, eq=False)
class _Table:
    """What each id is, [V]."""

    word: NDArray[np.bool_]
    starts: NDArray[np.bool_]


@lru_cache(maxsize=4)
def _table(tokenizer: CodeTokenizer) -> _Table:
    ids = range(tokenizer.vocab_size)
    return _Table(np.array([*map(tokenizer.is_word, ids)]), np.array([*map(tokenizer.starts_word, ids)]))


def _numbered(
    visits: Visits, table: _Table
) -> tuple[Integers, tuple[Integers, Integers], Integers, Integers]:
    """Words of the states and of the replacements: (begins, (begins, lengths), numbers, numbers).

    Words of a state are numbered by first appearance; those of its replacement have the same numbers, or -1.
    """
    begins, _, state, hashes = _words(visits.states, table)
    other, lengths_other, state_other, hashes_other = _words(visits.replacements, table)
    count = len(begins)
    keys = _mixed(
        np.concatenate([hashes, hashes_other]) * _FACTOR
        + np.concatenate([state, state_other]).astype(np.uint64)
    )
    order = np.argsort(keys, kind="stable")  # equal ones in order of appearance
    ordered = keys[order]
    new = np.ones(len(keys), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    first = np.empty(len(keys), np.int64)
    first[order] = order[new][np.cumsum(new) - 1]
    opens = first[:count] == np.arange(count)
    running = np.cumsum(opens) - 1
    distinct = np.bincount(state[opens], minlength=len(visits.start))
    before = np.cumsum(distinct) - distinct
    numbers = running[first[:count]] - before[state]
    known = np.full(len(other), -1, np.int64)
    met = first[count:] < count
    known[met] = running[first[count:][met]] - before[state_other[met]]
    return begins, (other, lengths_other), numbers, known


def _words(texts: CellLists, table: _Table) -> tuple[Integers, Integers, Integers, NDArray[np.uint64]]:
    """Where words begin, how long they are, in which text, and a hash of their tokens: `grid.packed.word_spans`."""
    cells, counts = texts.cells, texts.counts
    starts = table.starts[cells]
    edge = starts | ~table.word[cells]
    edge[(np.cumsum(counts) - counts)[counts > 0]] = True
    edges = np.flatnonzero(edge)
    real = starts[edges]
    begins = edges[real]
    lengths = np.diff(edges, append=len(cells))[real]
    text = np.repeat(np.arange(len(counts)), counts)[begins]
    where = _runs(begins, lengths)
    firsts = np.cumsum(lengths) - lengths
    within = np.arange(len(where)) - np.repeat(firsts, lengths)
    parts = _mixed(cells[where].astype(np.uint64) * _FACTOR + within.astype(np.uint64))
    hashes = np.add.reduceat(parts, firsts) if len(firsts) else parts
    return begins, lengths, text, hashes


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _runs(begins: Integers, lengths: Integers) -> Integers:
    """begin, begin + 1, ... of each run, one after the other."""
    ends = np.cumsum(lengths)
    size = int(ends[-1]) if len(ends) else 0
    return np.arange(size) + np.repeat(begins - (ends - lengths), lengths)
