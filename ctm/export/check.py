"""Checks the ONNX model against torch on real pairs, and batches against single samples.

Every item is answered with all ticks, and with a threshold that freezes about half of the items early (where
a batch could leak from sample to sample, so single samples are compared there). All ranked candidates must be the same,
down to the log-probability `MIN_LOG_PROBABILITY`, below which rounding decides which replacements are read: of those,
the ones that both have must be equally probable.
Ties are no disagreement, but counted: two certainties, or two candidates at one rank that are equally probable.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ctm.bundle_names import OUTPUTS
from ctm.export.settings import ExportSettings
from ctm.files import write_json
from ctm.grid.batching import by_length, collate
from ctm.grid.diagnosis import diagnose
from ctm.grid.layout import DoesNotFit
from ctm.grid.packed import PackedCells, pack
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.decoding import MIN_LOG_PROBABILITY
from ctm.model.inference import RUN_ALL_TICKS, decode_candidates, no_tick_selected, select_tick
from ctm.model.model import CTM
from ctm.model.weights import load_ctm
from ctm.pairs.record import read_pairs
from ctm.repair.onnx_proposer import limits_of_thought, read_answer
from ctm.runtime import open_graph, ort

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
BATCH, CELLS = 16, 1024
LOG_TOLERANCE = 1e-2
"""Largest difference of log-probabilities: small probabilities are all alike, their logarithms are not."""
RANKED = MIN_LOG_PROBABILITY + LOG_TOLERANCE
"""Log-probability above which candidates must be the same at every rank."""
NO_CANDIDATE: tuple[tuple[int, ...], float] = ((), -math.inf)


class Disagreement(AssertionError):
    """onnxruntime and torch, or a batch and a single sample, differ; the message names the item and the values."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A text to answer."""

    name: str
    packed: PackedCells
    diagnosis: tuple[int, int]


@dataclass(frozen=True, eq=False)
class RuntimeAnswer:
    """What one runtime answers for one sample."""

    candidates: dict[tuple[int, ...], float]
    """Start, end and units up to STOP -> log-probability of all together, the most probable first."""
    certainty: float
    tick: int


def check_onnx(
    onnx: Path, weights: Path, tokenizer: Path, pairs: Path, settings: ExportSettings, threads: int, out: Path
) -> None:
    """Compare on `settings.items` pairs and write a report (JSON). Raises Disagreement; ValueError without pairs."""
    torch.set_num_threads(threads)
    samples = draw(pairs, CodeTokenizer.load(tokenizer), settings)
    if not samples:
        raise ValueError(f"{pairs}: has no pair that fits the grid, so the ONNX model cannot be checked")
    report = compare_runtimes(onnx, load_ctm(weights), samples, settings, threads)
    log.info("%s answers %d items as torch does: %s", onnx, len(samples), report)
    write_json(out, report)


def draw(pairs: Path, codec: CodeTokenizer, settings: ExportSettings) -> list[Sample]:
    """The buggy texts of random pairs, those that fit the grid."""
    known = [(pair.pair_id, pair.buggy) for pair in read_pairs(pairs, ("pair_id", "buggy"))]
    samples: list[Sample] = []
    for place in np.random.default_rng(settings.seed).permutation(len(known)):
        if len(samples) == settings.items:
            break
        name, text = known[place]
        ids = codec.encode(text)
        try:
            samples.append(Sample(name, pack(ids, codec), diagnose(text, codec, ids)))
        except DoesNotFit:
            continue
    return samples


def compare_runtimes(
    onnx: Path, model: CTM, samples: Sequence[Sample], settings: ExportSettings, threads: int
) -> dict[str, Any]:
    """The report of a comparison. Raises Disagreement at the first item that differs by more than the tolerances."""
    session = open_graph(onnx, threads)
    batches = by_length([len(sample.packed.tokens) for sample in samples], CELLS, BATCH)
    _, certainties = _torch_answers(model, samples, batches, RUN_ALL_TICKS)
    middle = float(np.float32(np.median(certainties.max(axis=1))))
    alone = [[place] for place in range(len(samples))]
    comparison = _AnswerComparison(settings)

    def agree(who: str, threshold: float, one: list[RuntimeAnswer], other: list[RuntimeAnswer]) -> None:
        for sample, said, other_said, certainty in zip(samples, one, other, certainties, strict=True):
            comparison.compare(sample.name, who, threshold, said, other_said, certainty)

    for threshold in (RUN_ALL_TICKS, middle):
        of_torch, _ = _torch_answers(model, samples, batches, threshold)
        batched = _onnx_answers(session, model, samples, batches, threshold)
        agree("onnxruntime and torch", threshold, batched, of_torch)
    single = _onnx_answers(session, model, samples, alone, middle)
    agree("a single sample and a batch", middle, single, batched)
    return {
        "format_version": FORMAT_VERSION,
        "items": len(samples),
        "thresholds": [RUN_ALL_TICKS, middle],
        "comparisons": comparison.compared,
        "largest_probability_difference": comparison.probability,
        "largest_certainty_difference": comparison.certainty,
        "ties": dict(comparison.ties),
        "metadata": session.get_modelmeta().custom_metadata_map,
        "onnxruntime": ort.__version__,
        "torch": torch.__version__,
    }


class _AnswerComparison:
    """Compares answers, and remembers the largest differences and the ties."""

    def __init__(self, settings: ExportSettings) -> None:
        self.settings = settings
        self.compared = 0
        self.probability = 0.0
        self.certainty = 0.0
        self.ties: Counter[str] = Counter()

    def compare(
        self,
        name: str,
        who: str,
        threshold: float,
        one: RuntimeAnswer,
        other: RuntimeAnswer,
        certainty: NDArray[np.float32],
    ) -> None:
        """Raises Disagreement. `certainty`: torch's, of every tick, [T]."""
        self.compared += 1
        where = f"item {name}, {who}, threshold {threshold:.6g}"
        close = self.settings.certainty_tolerance
        if one.tick != other.tick:
            near = abs(float(certainty[one.tick - 1] - certainty[other.tick - 1])) < close
            passing = np.abs(certainty[: max(one.tick, other.tick)] - threshold).min() < close
            if not (near or passing):
                raise Disagreement(
                    f"{where}: the answers come from ticks {one.tick} and {other.tick}; "
                    f"certainties by tick (torch): {certainty}"
                )
            self.ties["ticks"] += 1
            return
        difference = abs(one.certainty - other.certainty)
        self.certainty = max(self.certainty, difference)
        if difference > self.settings.probability_tolerance:
            raise Disagreement(f"{where}: certainties {one.certainty} and {other.certainty}")
        ranks = zip_longest(one.candidates.items(), other.candidates.items(), fillvalue=NO_CANDIDATE)
        for (candidate, score), (other_candidate, other_score) in ranks:
            if max(score, other_score) <= RANKED:
                break
            if not (candidate and other_candidate):
                counts = len(one.candidates), len(other.candidates)
                raise Disagreement(f"{where}: {counts[0]} candidates against {counts[1]}")
            if candidate != other_candidate:
                self._tie("ranks", where, score, other_score, candidate, other_candidate)
        for candidate in one.candidates.keys() & other.candidates.keys():
            a, b = one.candidates[candidate], other.candidates[candidate]
            self.probability = max(self.probability, abs(math.exp(a) - math.exp(b)))
            if not self._alike(a, b):
                raise Disagreement(f"{where}, candidate {candidate}: log-probabilities {a} and {b}")

    def _alike(self, one: float, other: float) -> bool:
        """Whether two log-probabilities are as good as equal; False for NaN."""
        near = abs(math.exp(one) - math.exp(other)) <= self.settings.probability_tolerance
        return near and abs(one - other) <= LOG_TOLERANCE

    def _tie(self, what: str, where: str, one: float, other: float, said: object, other_said: object) -> None:
        """Different answers are a tie where their log-probabilities are as good as equal."""
        if not self._alike(one, other):
            raise Disagreement(f"{where}: {said} ({one}) and {other_said} ({other})")
        self.ties[what] += 1


@torch.inference_mode()
def _torch_answers(
    model: CTM, samples: Sequence[Sample], batches: Sequence[list[int]], threshold: float
) -> tuple[list[RuntimeAnswer], NDArray[np.float32]]:
    """Answers, and the certainty of every tick [n, T]."""
    answers: dict[int, RuntimeAnswer] = {}
    certainties = np.zeros((len(samples), model.config.ticks), dtype=np.float32)
    for batch in batches:
        inputs = {name: torch.from_numpy(array) for name, array in _feeds(samples, batch).items()}
        encoding = model.encode(**inputs)
        state, selected = model.initial_state(encoding), no_tick_selected(model, encoding)
        for tick in range(model.config.ticks):
            state, output = model.tick(state, encoding)
            selected = select_tick(selected, output, tick + 1, threshold)
            certainties[batch, tick] = output.certainty.numpy()
        outputs = [
            tensor.numpy()
            for tensor in (*decode_candidates(model, selected, encoding), selected.certainty, selected.tick)
        ]
        answers.update({place: _runtime_answer(outputs, row) for row, place in enumerate(batch)})
    return [answers[place] for place in range(len(samples))], certainties


def _onnx_answers(
    session: ort.InferenceSession,
    model: CTM,
    samples: Sequence[Sample],
    batches: Sequence[list[int]],
    threshold: float,
) -> list[RuntimeAnswer]:
    answers: dict[int, RuntimeAnswer] = {}
    limits = limits_of_thought(threshold, model.config.ticks)
    for batch in batches:
        outputs = session.run(list(OUTPUTS), {**_feeds(samples, batch), **limits})
        answers.update({place: _runtime_answer(outputs, row) for row, place in enumerate(batch)})
    return [answers[place] for place in range(len(samples))]


def _feeds(samples: Sequence[Sample], batch: Sequence[int]) -> dict[str, NDArray[np.int64]]:
    return collate([samples[place].packed for place in batch], [samples[place].diagnosis for place in batch])


def _runtime_answer(outputs: Sequence[NDArray[Any]], row: int) -> RuntimeAnswer:
    answer = read_answer(dict(zip(OUTPUTS, outputs, strict=True)), row)
    return RuntimeAnswer(
        candidates={(item.start, item.end, *item.units): item.log_probability for item in answer.candidates},
        certainty=answer.certainty,
        tick=answer.ticks,
    )
