"""Records one thought of a CTM, tick by tick: where it looks, where it points, what it would write, how sure it is.

Attention is computed beside each tick from the same query, since a tick keeps what it read and not its weights.
The rest is read as the proposer reads it, so the answer at the most certain tick is the proposer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ctm.bundle_names import OUTPUTS
from ctm.evaluation.suites import Case, prepare
from ctm.evaluation.torch_proposer import MULTIPLE, leads_to
from ctm.grid.batching import collate
from ctm.grid.packed import expand_units
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.attention import attend
from ctm.model.base import TickOutput
from ctm.model.inference import SelectedTick, decode_candidates
from ctm.model.model import CTM, CTMEncoding, CTMState
from ctm.model.weights import load_ctm
from ctm.pairs.record import Pair
from ctm.repair.candidates import CodeState, Proposal, make_state
from ctm.repair.evaluate import Item
from ctm.repair.onnx_proposer import read_answer


@dataclass(frozen=True, slots=True)
class TickEdit:
    """The likeliest edit of a tick: cells [start, end) become `written`."""

    start: int
    end: int
    written: str | None
    """Text of the replacement; None where it copies a word from a cell where none begins."""
    probability: float
    """Of the span and what is written there together."""
    is_none: bool
    """Whether it says 'no edit'."""
    right: bool
    """Whether it is the one that the item asks for first."""


@dataclass(frozen=True, slots=True, eq=False)
class RecordedThought:
    """T ticks about a text of L cells; cell L is the end of the text."""

    text: str
    cells: tuple[tuple[int, int], ...]
    """[L+1], where each cell's characters begin and end in `text`; an indentation of none has none, nor has the end."""
    attention: NDArray[np.float32]
    """[T, heads, L+1], weights of each head, which add up to 1."""
    pointers: NDArray[np.float32]
    """[T, 2, L+1], log-probabilities of the first cell that goes and of the cell after the last one."""
    certainty: NDArray[np.float32]
    """[T]."""
    synchronization: NDArray[np.float32]
    """[T, n_out], what the answer is read from."""
    edits: tuple[TickEdit, ...]
    """[T]."""
    proposals: tuple[Proposal, ...]
    """[T], all candidates of each tick."""

    @property
    def answering(self) -> int:
        """Number of the tick that answers, from 1: the first of the most certain ones."""
        return int(self.certainty.argmax()) + 1


def think_about(weights: Path, tokenizer: Path, pair: Pair) -> RecordedThought:
    """The thought of a CTM, by its files, about a pair's buggy text. Raises ValueError if they are no CTM's."""
    codec = CodeTokenizer.load(tokenizer)
    item = Item(pair.pair_id, pair.buggy, pair.fixed, pair.category, pair.kind)
    return record_thought(load_ctm(weights), codec, prepare([item], codec)[0])


@torch.inference_mode()
def record_thought(model: CTM, tokenizer: CodeTokenizer, case: Case) -> RecordedThought:
    """Think all ticks about the first state of `case`, in float32. Raises ValueError where it does not fit the grid."""
    state = make_state(case.text, tokenizer)
    if state is None:
        raise ValueError(f"item {case.item.item_id} does not fit the grid; choose one that is in scope")
    arrays = collate([state.packed], [state.diagnosis], MULTIPLE)
    encoding: CTMEncoding = model.encode(
        **{name: torch.from_numpy(array).to(model.device) for name, array in arrays.items()}
    )
    inner, length = model.initial_state(encoding), len(state.packed.tokens)
    looked, outputs, proposals = [], [], []
    for tick in range(1, model.config.ticks + 1):
        looked.append(attention_weights(model, inner, encoding)[0, :, :length])
        inner, output = model.tick(inner, encoding)
        outputs.append(output)
        proposals.append(_proposal(model, output, encoding, tick))
    return RecordedThought(
        state.text,
        cell_spans(state, tokenizer),
        _numpy(torch.stack(looked)),
        _numpy(torch.stack([output.pointers[0, :, :length] for output in outputs])),
        _numpy(torch.cat([output.certainty for output in outputs])),
        _numpy(torch.cat([output.readout for output in outputs])),
        tuple(_edit(case, state, proposal, tokenizer) for proposal in proposals),
        tuple(proposals),
    )


def attention_weights(model: CTM, state: CTMState, encoding: CTMEncoding) -> Tensor:
    """How the next tick from `state` divides its attention: [B, heads, N] for each head, on cells and padding."""
    sync, _, _ = model.sync_action(state.z, state.alpha_action, state.beta_action)
    query = model.attention.query(sync).view(len(sync), model.attention.heads, 1, -1)
    _, weights = attend(query, encoding.key_values.key, encoding.key_values.value, encoding.mask)
    return weights[:, :, 0]


def cell_spans(state: CodeState, tokenizer: CodeTokenizer) -> tuple[tuple[int, int], ...]:
    """Characters [begin, end) of each cell and of the end; the space that two words imply belongs to the second one."""
    ends = [len(tokenizer.decode(state.ids[: place + 1])) for place in range(len(state.ids))]
    begins = [0, *ends]
    return (*zip(begins, ends, strict=False), (len(state.text), len(state.text)))


def _proposal(model: CTM, output: TickOutput, encoding: CTMEncoding, tick: int) -> Proposal:
    number = torch.full_like(encoding.lengths, tick)
    selected = SelectedTick(output.certainty, number, output.readout, output.pointers)
    outputs = (*decode_candidates(model, selected, encoding), output.certainty, number)
    return read_answer({name: _numpy(t) for name, t in zip(OUTPUTS, outputs, strict=True)}, 0)


def _edit(case: Case, state: CodeState, proposal: Proposal, tokenizer: CodeTokenizer) -> TickEdit:
    best = proposal.candidates[0]
    try:
        written = tokenizer.decode(expand_units(best.units, state.packed, tokenizer.vocab_size))
    except ValueError:
        written = None
    none = best.start == best.end == len(state.ids) and not best.units
    right = leads_to(state, case.goal, best.start, best.end, best.units, tokenizer)
    return TickEdit(best.start, best.end, written, best.probability, none, right)


def _numpy(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.cpu().numpy()
    return array
