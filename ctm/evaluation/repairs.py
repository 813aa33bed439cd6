"""Repairs of many cases through the same passes, and with the same thresholds, as `ctm-repair` makes them.

Chunks of cases run in threads, so that one thread's model computes while another's Python checks answers;
each chunk depends on nothing but its cases, so the result does not depend on the threads.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from ctm.evaluation.suites import Case
from ctm.evaluation.torch_proposer import TargetEdit, TickResults, TorchProposer
from ctm.grid.batching import by_length
from ctm.grid.edits import MAX_PASSES
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel
from ctm.repair.confidence import ConfidenceCurve
from ctm.repair.evaluate import Evaluated, judge_item
from ctm.repair.passes import Repairer

log = logging.getLogger(__name__)
SYNTAX = "syntax"
CHUNK = 256
"""Cases that advance together, at most: enough for full batches."""
CHUNK_CELLS = 32_768
"""Their cells together, at most: long ones in small chunks, so that all threads end at about the same time."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case with its repair, and what each tick of the first answer would have said."""

    case: Case
    evaluated: Evaluated
    by_tick: TickResults | None
    """None where the model was not asked, or the case is out of scope."""
    in_use: Evaluated | None = None
    """The repair with the thresholds of use, where those were asked for."""


@contextmanager
def single_threads(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads in each of which torch computes with one thread: on small models that beats sharing each step.

    Compiler warnings are silenced: each check silences them for itself, but not while another thread's check ends.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings(), ThreadPoolExecutor(threads) as pool:
            warnings.simplefilter("ignore")
            yield pool
    finally:
        torch.set_num_threads(before)


def repair_cases(
    cases: Sequence[Case],
    model: EditModel,
    tokenizer: CodeTokenizer,
    tick: float,
    edit: float,
    threads: int,
    name: str,
    max_passes: int = MAX_PASSES,
    precision: torch.dtype = torch.float32,
    in_use: tuple[float, float] | None = None,
    further: float = 0.0,
    confidence: ConfidenceCurve | None = None,
) -> list[CaseResult]:
    """Repair and judge all cases; thresholds `tick` (certainty), `edit` and `further` (probability).

    in_use: `tick` and `edit` of use, for a second repair of the code that is not of the category syntax. Its first
    thought is the first repair's, read at another tick. `name` is for the log.
    """
    chunks = by_length([case.cells for case in cases], CHUNK_CELLS, CHUNK)[::-1]  # the dearest first
    started = time.monotonic()
    done: dict[int, CaseResult] = {}

    def work(chunk: list[int]) -> list[CaseResult]:
        chosen = [cases[index] for index in chunk]
        early_threshold = in_use[0] if in_use else None
        proposer = TorchProposer(model, tokenizer, tick, early_threshold=early_threshold, precision=precision)
        judged = _repair(
            chosen,
            proposer,
            Repairer(proposer, tokenizer, edit, max_passes, further=further, confidence=confidence),
        )
        if in_use:
            again = TorchProposer(model, tokenizer, in_use[0], precision=precision)
            repairer = Repairer(
                again, tokenizer, in_use[1], max_passes, proposer.early_answers, further=further
            )
            judged = _repair_again(judged, repairer)
        return judged

    with single_threads(threads) as pool:
        for chunk, judged in zip(chunks, pool.map(work, chunks), strict=True):
            done.update(zip(chunk, judged, strict=True))
            rate = len(done) / (time.monotonic() - started)
            log.info("%s: %d of %d items, %.0f a second", name, len(done), len(cases), rate)
    return [done[index] for index in range(len(cases))]


def _repair_again(judged: list[CaseResult], repairer: Repairer) -> list[CaseResult]:
    asked = [item.case for item in judged if item.case.item.category != SYNTAX]
    repairs = iter(repairer.repair([case.item.buggy for case in asked]))
    return [
        item
        if item.case.item.category == SYNTAX
        else replace(item, in_use=judge_item(item.case.item, next(repairs), item.case.reason))
        for item in judged
    ]


def _repair(cases: list[Case], proposer: TorchProposer, repairer: Repairer) -> list[CaseResult]:
    goals: dict[str, TargetEdit] = {}
    for case in cases:
        if case.goal is not None:
            goals.setdefault(case.text, case.goal)
    proposer.goals = goals
    repairs = repairer.repair([case.item.buggy for case in cases])
    judged = []
    for case, repair in zip(cases, repairs, strict=True):
        known = case.goal is not None and goals[case.text] == case.goal
        by_tick = proposer.tick_results.get(case.text) if known else None
        judged.append(CaseResult(case, judge_item(case.item, repair, case.reason), by_tick))
    return judged
