"""A proposer that runs the torch model, and can record what every tick would have answered.

The answer by tick is read while the proposer answers anyway; the heads are asked only at ticks whose span
touches the right one, since nowhere else can the edit be right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ctm.bundle_names import OUTPUTS
from ctm.grid.batching import by_length, collate
from ctm.grid.edits import Edit, apply_edit
from ctm.grid.packed import expand_units
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel, Encoding, TickOutput, select_samples
from ctm.model.decoding import best_spans, likeliest_units
from ctm.model.inference import RUN_ALL_TICKS, SelectedTick, decode_candidates, no_tick_selected, select_tick
from ctm.repair.candidates import CodeState, Proposal
from ctm.repair.onnx_proposer import read_answer

BATCH = 64
"""States a batch, at most."""
CELLS = {"cpu": 8192}
"""Padded cells a batch, at most. On a CPU 2,048 took a sixth longer and 4,096 a twelfth (260 items of the demo)."""
CELLS_ELSEWHERE = 32_768
MULTIPLE = 16
"""N of a batch: a new N costs matrix libraries a new kernel."""


@dataclass(frozen=True, slots=True)
class TargetEdit:
    """The edit that is right first in a state, and the text that it leads to (the state's own for 'no edit')."""

    edit: Edit
    text: str


@dataclass(frozen=True, slots=True)
class TickResults:
    """A thought about one state, tick by tick."""

    right: NDArray[np.bool_]
    """[T], whether the likeliest edit leads to the goal's text."""
    certainty: NDArray[np.float32]
    """[T]."""


@dataclass
class TorchProposer:
    """A Proposer (ctm.repair.candidates) over a model in evaluation mode.

    Answers are those of the ONNX graph for the same threshold and ticks. Texts of `goals` are watched: all their
    ticks are thought, `tick_results` has what each said, and `early_answers` the answer that the threshold
    `early_threshold` would have had.
    """

    model: EditModel
    tokenizer: CodeTokenizer
    threshold: float = RUN_ALL_TICKS
    goals: Mapping[str, TargetEdit] = field(default_factory=dict)
    tick_results: dict[str, TickResults] = field(default_factory=dict)
    early_threshold: float | None = None
    early_answers: dict[str, Proposal] = field(default_factory=dict)
    precision: torch.dtype = torch.float32

    @torch.inference_mode()
    def propose(self, states: Sequence[CodeState]) -> list[Proposal]:
        """One answer per state, in their order; the candidates of each by probability."""
        answers: dict[int, Proposal] = {}
        cells = CELLS.get(self.model.device.type, CELLS_ELSEWHERE)
        for batch in by_length([len(state.packed.tokens) for state in states], cells, BATCH):
            chosen = [states[index] for index in batch]
            with torch.autocast(
                self.model.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16
            ):
                answers.update(zip(batch, self._answer(chosen), strict=True))
        return [answers[index] for index in range(len(states))]

    def _answer(self, states: list[CodeState]) -> list[Proposal]:
        device = self.model.device
        arrays = collate([state.packed for state in states], [state.diagnosis for state in states], MULTIPLE)
        inputs = {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
        encoding = self.model.encode(**inputs)
        goals = [self.goals.get(state.text) for state in states]
        watch = TickRecorder(self.model, self.tokenizer, states, goals) if any(goals) else None
        state, selected = self.model.initial_state(encoding), no_tick_selected(self.model, encoding)
        selected_early = selected if watch and self.early_threshold is not None else None
        for tick in range(1, self.model.config.ticks + 1):
            state, output = self.model.tick(state, encoding)
            selected = select_tick(selected, output, tick, self.threshold)
            if selected_early is not None and self.early_threshold is not None:
                selected_early = select_tick(selected_early, output, tick, self.early_threshold)
            if watch:
                watch.look(output, encoding)
            elif not bool((selected.certainty < self.threshold).any()):
                break
        if watch:
            seen = zip(states, watch.seen(), strict=True)
            self.tick_results.update((state.text, results) for state, results in seen if results)
        answers = self._read(selected, encoding)
        if selected_early is not None:
            self._note_early_answers(states, answers, selected, selected_early, encoding)
        return answers

    def _read(self, selected: SelectedTick, encoding: Encoding) -> list[Proposal]:
        outputs = (*decode_candidates(self.model, selected, encoding), selected.certainty, selected.tick)
        named = {name: tensor.cpu().numpy() for name, tensor in zip(OUTPUTS, outputs, strict=True)}
        return [read_answer(named, place) for place in range(len(selected.tick))]

    def _note_early_answers(
        self,
        states: list[CodeState],
        answers: list[Proposal],
        selected: SelectedTick,
        selected_early: SelectedTick,
        encoding: Encoding,
    ) -> None:
        """Answers of `selected_early` for the watched states; the heads are asked only where another tick answers."""
        rows = (selected.tick != selected_early.tick).nonzero()[:, 0]
        same = dict(enumerate(answers))
        if len(rows):
            part = SelectedTick(*(tensor[rows] for tensor in selected_early))
            same.update(zip(rows.tolist(), self._read(part, select_samples(encoding, rows)), strict=True))
        watched = (place for place, state in enumerate(states) if state.text in self.goals)
        self.early_answers.update((states[place].text, same[place]) for place in watched)


class TickRecorder:
    """Looks at every tick of a batch: is the likeliest edit of each watched state right?

    goals: of every state, what is right; None: it is not watched.
    """

    def __init__(
        self,
        model: EditModel,
        tokenizer: CodeTokenizer,
        states: Sequence[CodeState],
        goals: Sequence[TargetEdit | None],
    ) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.states, self.goals = states, goals
        nowhere = (-2, -2)
        around = [(g.edit.start - 1, g.edit.end + 1) if g else nowhere for g in self.goals]
        self.around = torch.tensor(around, device=self.model.device)
        self.right: list[NDArray[np.bool_]] = []
        self.certainty: list[NDArray[np.float32]] = []
        self._known: dict[tuple[int, ...], bool] = {}

    def look(self, output: TickOutput, encoding: Encoding) -> None:
        """Note one tick."""
        spans, _ = best_spans(output.pointers, 1)
        near = (spans[:, 0, 0] <= self.around[:, 1]) & (spans[:, 0, 1] >= self.around[:, 0])
        rows = near.nonzero()[:, 0]
        right = np.zeros(len(self.states), dtype=bool)
        if len(rows):
            places = rows.tolist()
            right[places] = self._judge(
                places, output.readout[rows], select_samples(encoding, rows), spans[rows]
            )
        self.right.append(right)
        self.certainty.append(output.certainty.float().cpu().numpy())

    def _judge(self, places: list[int], sync: Tensor, encoding: Encoding, spans: Tensor) -> list[bool]:
        units = likeliest_units(self.model, sync, encoding, spans)
        rows = zip(places, spans[:, 0].tolist(), units[:, 0].tolist(), strict=True)
        return [self._is_right(place, start, end, answer) for place, (start, end), answer in rows]

    def _is_right(self, place: int, start: int, end: int, units: list[int]) -> bool:
        key = (place, start, end, *units)
        if key not in self._known:
            self._known[key] = leads_to(
                self.states[place], self.goals[place], start, end, units, self.tokenizer
            )
        return self._known[key]

    def seen(self) -> list[TickResults | None]:
        """All ticks of each state; None of one that is not watched."""
        right, certainty = np.stack(self.right, axis=1), np.stack(self.certainty, axis=1)
        return [
            TickResults(right[place], certainty[place]) if goal is not None else None
            for place, goal in enumerate(self.goals)
        ]


def leads_to(
    state: CodeState,
    goal: TargetEdit | None,
    start: int,
    end: int,
    units: Sequence[int],
    tokenizer: CodeTokenizer,
) -> bool:
    """Whether an edit of `state` gives the goal's text; the span must lie in the state, copies must be of words."""
    if goal is None or not 0 <= start <= end <= len(state.ids):
        return False
    try:
        tokens = expand_units(units, state.packed, tokenizer.vocab_size)
    except ValueError:
        return False
    edited, wanted = apply_edit(state.ids, Edit(start, end, tokens)), apply_edit(state.ids, goal.edit)
    # another place for the same change is as right (which of two equal tokens went), and so are other tokens for it
    return edited == wanted or tokenizer.decode(edited) == goal.text
