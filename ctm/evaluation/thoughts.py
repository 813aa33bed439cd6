"""What a CTM thinks about test items, recorded for analysis: synchronization, certainty, and where it looks, by tick.

Only the first state of an item is asked about; what is right is its first edit ('no edit' for clean code), as in
`ctm.evaluation.first_edits`.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ctm.evaluation.calibrate import draw_equally
from ctm.evaluation.suites import Case, prepare, read_suite
from ctm.evaluation.torch_proposer import CELLS, CELLS_ELSEWHERE, TargetEdit, leads_to
from ctm.grid.batching import by_length
from ctm.grid.layout import ROWS
from ctm.grid.tokenizer import EOL, CodeTokenizer
from ctm.model.attention import attend
from ctm.model.base import Target
from ctm.model.decoding import best_spans, likeliest_units
from ctm.model.model import CTM, CTMEncoding, CTMState
from ctm.repair.candidates import CodeState, make_state
from ctm.training.batch import make_batch
from ctm.training.initial import new_ctm

BATCH = 64
"""Items thought about together, at most."""
TOO_LONG = "more cells than a state may have"


@dataclass(frozen=True, slots=True, eq=False)
class AskedItem:
    """A test item in scope, as the model is asked about it."""

    case: Case
    state: CodeState
    goal: TargetEdit
    """What is right."""

    @property
    def is_clean(self) -> bool:
        """Whether 'no edit' is right."""
        return self.case.edits == 0


class AskedBatch(NamedTuple):
    """Some of the items, as a model sees them."""

    places: list[int]  # among the items
    encoding: CTMEncoding
    target: Target  # the right edits


@dataclass(frozen=True, eq=False)
class AskedItems:
    """Test items in scope, and how a model is asked about them."""

    items: Sequence[AskedItem]
    tokenizer: CodeTokenizer

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def projects(self) -> NDArray[np.str_]:
        """[n]."""
        return np.array([item.case.item.project for item in self.items], np.str_)

    @cached_property
    def category(self) -> NDArray[np.str_]:
        """[n]."""
        return np.array([item.case.item.category for item in self.items], np.str_)

    def select(self, places: Iterable[int]) -> AskedItems:
        """Some of them."""
        return AskedItems([self.items[place] for place in places], self.tokenizer)

    def batches(self, model: CTM, most: int = BATCH) -> Iterator[AskedBatch]:
        """All items, `most` of similar length at a time, encoded by the model where it is."""
        cells = CELLS.get(model.device.type, CELLS_ELSEWHERE)
        for places in by_length([len(item.state.packed.tokens) for item in self.items], cells, most):
            chosen = [self.items[place] for place in places]
            batch = make_batch(
                [item.state.ids for item in chosen],
                [item.goal.edit for item in chosen],
                [item.state.diagnosis for item in chosen],
                self.tokenizer,
            ).to(model.device)
            yield AskedBatch(places, model.encode(**batch.inputs), batch)

    def right(self, model: CTM, batch: AskedBatch, readout: Tensor, pointers: Tensor) -> NDArray[np.bool_]:
        """Whether the likeliest edit of each item is right, [B], from readout [B, n_out] and pointers [B, 2, N]."""
        spans, _ = best_spans(pointers, 1)
        units = likeliest_units(model, readout, batch.encoding, spans)[:, 0].tolist()
        right = np.zeros(len(units), dtype=np.bool_)
        for row, (start, end) in enumerate(spans[:, 0].tolist()):
            item = self.items[batch.places[row]]
            right[row] = leads_to(item.state, item.goal, start, end, units[row], self.tokenizer)
        return right


@dataclass(frozen=True, eq=False)
class Thoughts:
    """All ticks of one thought about each of n items; lines are source lines from 0 on."""

    readout: NDArray[np.float32]
    """S_out, [n, T, n_out]."""
    certainty: NDArray[np.float32]
    """[n, T]."""
    right: NDArray[np.bool_]
    """[n], whether the likeliest edit of the answering tick leads to the right next text."""
    pooled: NDArray[np.float32]
    """The encoder's output averaged over the cells, [n, d]."""
    pointer_lines: NDArray[np.float32]
    """Probability that the span starts on each line, [n, T, ROWS]; what END has ('no edit') is left out."""
    attention_lines: NDArray[np.float32]
    """What the ticks' queries attend to, mean over the heads, [n, T, ROWS]; END left out."""

    @property
    def answering(self) -> NDArray[np.int64]:
        """The most certain tick of each item, from 0 on, [n]."""
        return self.certainty.argmax(axis=1)

    def at_answer(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of values [n, T, ...] those of the answering tick, [n, ...]."""
        return values[np.arange(len(values)), self.answering]


def draw_asked(
    test: Path, tokenizer: CodeTokenizer, count: int, seed: int
) -> tuple[AskedItems, dict[str, int]]:
    """Up to `count` items of a Parquet file of pairs, categories in equal shares, and how many are left out, by reason.

    They are in random order, so that the first of them are a sample of all. Raises ValueError if none is in scope.
    """
    rng = np.random.default_rng(seed)
    drawn = draw_equally(read_suite(test), count, rng)
    cases = prepare([drawn[place] for place in rng.permutation(len(drawn))], tokenizer)
    asked, left_out = [], Counter[str]()
    for case in cases:
        state = make_state(case.text, tokenizer) if case.goal is not None else None
        if state is None or case.goal is None:
            left_out[case.reason or TOO_LONG] += 1
        else:
            asked.append(AskedItem(case, state, case.goal))
    if not asked:
        raise ValueError(f"{test}: none of {len(cases)} pairs is in scope; the analysis needs at least one")
    return AskedItems(asked, tokenizer), dict(left_out)


@torch.inference_mode()
def record_thoughts(model: CTM, items: AskedItems) -> Thoughts:
    """All ticks of a thought about every item."""
    ticks, n = model.config.ticks, len(items)
    found = Thoughts(
        readout=np.zeros((n, ticks, model.config.out_pairs), np.float32),
        certainty=np.zeros((n, ticks), np.float32),
        right=np.zeros(n, bool),
        pooled=np.zeros((n, model.config.width), np.float32),
        pointer_lines=np.zeros((n, ticks, ROWS), np.float32),
        attention_lines=np.zeros((n, ticks, ROWS), np.float32),
    )
    for batch in items.batches(model):
        places, encoding = batch.places, batch.encoding
        state, readouts, weights = model.initial_state(encoding), [], []
        for _ in range(ticks):
            weights.append(attention_weights(model, state, encoding).mean(1))
            state, sync = model.step(state, encoding)
            readouts.append(sync)
        readout = torch.stack(readouts, dim=1)
        pointers, certainty = model.predict_span(readout, encoding)
        found.readout[places], found.certainty[places] = readout.cpu(), certainty.cpu()
        rows, answering = torch.arange(len(places), device=readout.device), certainty.argmax(1)
        found.right[places] = items.right(model, batch, readout[rows, answering], pointers[rows, answering])
        inside = (encoding.mask == 0).float()
        found.pooled[places] = ((encoding.h * inside[:, :, None]).sum(1) / inside.sum(1, keepdim=True)).cpu()
        found.pointer_lines[places] = by_line(pointers[:, :, 0].exp(), encoding).cpu()
        found.attention_lines[places] = by_line(torch.stack(weights, dim=1), encoding).cpu()
    return found


def load_tokenizer(path: Path) -> CodeTokenizer:
    """The tokenizer of a run."""
    return CodeTokenizer.load(path)


def untrained_like(model: CTM, tokenizer: CodeTokenizer, seed: int) -> CTM:
    """A CTM of the same sizes and pairs with random weights of `seed`, in evaluation mode."""
    return new_ctm(dataclasses.asdict(model.config), tokenizer, seed).eval()


def attention_weights(model: CTM, state: CTMState, encoding: CTMEncoding) -> Tensor:
    """Where the tick after `state` looks, [B, heads, N]: as `CTM.step` does, which keeps only what it reads there."""
    sync, _, _ = model.sync_action(state.z, state.alpha_action, state.beta_action)
    query = model.attention.query(sync).view(len(sync), model.attention.heads, 1, -1)
    _, weights = attend(query, encoding.key_values.key, encoding.key_values.value, encoding.mask)
    return weights[:, :, 0]


def by_line(values: Tensor, encoding: CTMEncoding) -> Tensor:
    """Values of cells [B, T, N] summed up by source line, [B, T, ROWS]; END and padding count for nothing."""
    batch, ticks, cells = values.shape
    code = torch.arange(cells, device=values.device) < (encoding.lengths - 1)[:, None]
    lines = lines_of(encoding.tokens).clamp(max=ROWS - 1)[:, None].expand(-1, ticks, -1)
    return values.new_zeros(batch, ticks, ROWS).scatter_add(2, lines, values * code[:, None])


def lines_of(tokens: Tensor) -> Tensor:
    """Source line of every cell, int64 [..., N]; an end of line belongs to the line that it ends."""
    ends = (tokens == EOL).long()
    return ends.cumsum(-1) - ends


def line_of(state: CodeState, cell: int) -> int:
    """Source line of a cell; that of END is the last one."""
    return state.ids[:cell].count(EOL)
