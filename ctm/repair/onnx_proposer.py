"""The model behind onnxruntime: batches of states in, candidates out.

States are batched by length, since empty cells cost as much as full ones; a batch gives what single
samples give (the graph freezes each sample by itself), so batching is only a matter of speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ctm.bundle_names import INPUTS, OUTPUTS
from ctm.grid.batching import by_length, collate
from ctm.grid.tokenizer import STOP
from ctm.repair.candidates import Candidate, CodeState, Proposal
from ctm.runtime import open_graph

BATCH = 16
"""States a batch, at most."""
CELLS = 1024
"""Padded cells a batch, at most: long states come in smaller batches."""
LEAST = -1e3
"""Log-probabilities below are masks: the graph returns a fixed number of candidates, a short text may have fewer."""


class OnnxProposer:
    """A Proposer over `ctm.onnx`.

    threshold: certainty at which a thought ends; max_ticks: ticks at which it ends in any case. is_prepared: the graph
    needs no more optimization.
    Raises ValueError for max_ticks below 1, or where the file is no graph of ours
    """

    def __init__(
        self, path: Path, threshold: float, max_ticks: int, threads: int = 1, *, is_prepared: bool = False
    ) -> None:
        if max_ticks < 1:
            raise ValueError(f"max_ticks must be 1 or more, not {max_ticks}")
        try:
            self._session = open_graph(path, threads, is_prepared=is_prepared)
        except Exception as error:
            raise ValueError(f"{path}: onnxruntime cannot load it ({_first_line(error)})") from error
        for wanted, found in (
            (INPUTS, [item.name for item in self._session.get_inputs()]),
            (OUTPUTS, [item.name for item in self._session.get_outputs()]),
        ):
            if missing := sorted(set(wanted) - set(found)):
                raise ValueError(f"{path}: the graph lacks {', '.join(missing)}; export it again")
        ranks = {item.name: len(item.shape) for item in self._session.get_outputs()}
        if (ranks["units"], ranks["unit_log_probability"]) != (4, 3):
            raise ValueError(
                f"{path}: made by an older version (one replacement for each span); run export_onnx again, or get "
                "a new bundle"
            )
        self._limits = limits_of_thought(threshold, max_ticks)

    def propose(self, states: Sequence[CodeState]) -> list[Proposal]:
        """One answer per state, in their order; the candidates of each by probability."""
        answers: dict[int, Proposal] = {}
        for batch in by_length([len(state.packed.tokens) for state in states], CELLS, BATCH):
            arrays = self.run([states[index] for index in batch])
            for place, index in enumerate(batch):
                answers[index] = read_answer(arrays, place)
        return [answers[index] for index in range(len(states))]

    def run(self, states: Sequence[CodeState]) -> dict[str, NDArray[Any]]:
        """The graph's outputs for one batch, by name."""
        feeds = collate([state.packed for state in states], [state.diagnosis for state in states])
        outputs = self._session.run(list(OUTPUTS), {**feeds, **self._limits})
        return dict(zip(OUTPUTS, outputs, strict=True))


def limits_of_thought(threshold: float, max_ticks: int) -> dict[str, NDArray[Any]]:
    """The inputs of the graph that say when a thought ends: float32 [] and int64 []."""
    return {
        "threshold": np.array(threshold, dtype=np.float32),
        "max_ticks": np.array(max_ticks, dtype=np.int64),
    }


def read_answer(arrays: dict[str, NDArray[Any]], place: int) -> Proposal:
    """Sample `place` of a batch's outputs: spans [B, K, 2], units [B, K, R, 16], log-probabilities [B, K], [B, K, R].

    Candidates are ranked by the log-probability of span and units together.
    """
    spans: list[list[int]] = arrays["spans"][place].tolist()
    scores = arrays["span_log_probability"][place][:, None] + arrays["unit_log_probability"][place]
    replacements = arrays["units"][place]
    k, r = np.nonzero(scores > LEAST)
    order = np.argsort(-scores[k, r], kind="stable")
    k, r = k[order], r[order]
    candidates = tuple(
        Candidate(spans[span][0], spans[span][1], _until_stop(units), score)
        for span, units, score in zip(
            k.tolist(), replacements[k, r].tolist(), scores[k, r].tolist(), strict=True
        )
    )
    return Proposal(candidates, float(arrays["certainty"][place]), int(arrays["ticks"][place]))


def _until_stop(units: list[int]) -> tuple[int, ...]:
    return tuple(units[: units.index(STOP)] if STOP in units else units)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
