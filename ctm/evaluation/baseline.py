"""The untrained model: its accuracy, and the time and memory of a thought, each with its target."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ctm.evaluation.averages import counts, shares
from ctm.evaluation.first_states import FirstState, inputs_of, read_first_states
from ctm.evaluation.memory import saved_bytes
from ctm.evaluation.repairs import single_threads
from ctm.evaluation.torch_proposer import TargetEdit, TorchProposer
from ctm.files import write_json
from ctm.grid.edits import apply_edit
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.inference import decode_candidates, infer
from ctm.model.model import CTM
from ctm.pairs.overall import CLEAN
from ctm.training.initial import new_ctm

log = logging.getLogger(__name__)
FORMAT_VERSION = 2
ITEMS = 256
TIMED = 12
"""Thoughts of which the fastest is reported: the others were disturbed."""
TARGET_MS, TARGET_MB = 500, 200
"""The specification's targets for one sample at batch 1: a forward pass, and the memory of training."""
TARGET_ACCURACY = 0.02
"""Accuracy above which random weights know what they cannot know."""


def baseline(
    manifest: Path, tokenizer: Path, sizes: Mapping[str, Any], threads: int, out: Path
) -> dict[str, Any]:
    """Write the figures of an untrained model as JSON, and return them. A target that is missed is no error.

    manifest: of the validation grids. sizes: of the model (ModelConfig), as the last stage leaves it; vocabulary and
    diagnoses follow from the tokenizer.
    """
    torch.set_num_threads(threads)
    codec = CodeTokenizer.load(tokenizer)
    states = read_first_states(manifest, codec, ITEMS)
    model = new_ctm(sizes, codec, 0).eval()
    typical = _typical(states)
    report = {
        "format_version": FORMAT_VERSION,
        "parameters": model.parameter_counts(),
        **random_weights_accuracy(model, states, codec),
        "cells": len(typical.state.ids),
        "ticks": model.config.ticks,
        "forward_ms_batch_1": forward_ms(model, typical, model.config.ticks),
        "forward_ms_by_ticks": [
            [ticks, forward_ms(model, typical, ticks)] for ticks in _powers(model.config.ticks)
        ],
        "memory_mb_per_sample": {
            "thinking": peak_bytes(model, typical, training=False) / 1e6,
            "training": peak_bytes(model, typical, training=True) / 1e6,
        },
        "threads": threads,
    }
    report["targets"] = targets(report)
    for target in report["targets"]:
        log.info("%(what)s: %(value).4g, target %(target)s: met: %(met)s", target)
    write_json(out, report)
    return report


def targets(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each figure that has a target: what, value, target, whether it is met.

    Random weights should know nothing: more than one or two first edits in a hundred right would mean that the test
    gives its answers away.
    """
    memory = report["memory_mb_per_sample"]
    rows = [
        ("accuracy, overall", report["accuracy"]["overall"], TARGET_ACCURACY, f"under {TARGET_ACCURACY}"),
        ("forward pass of one sample, ms", report["forward_ms_batch_1"], TARGET_MS, f"under {TARGET_MS}"),
        ("memory of one sample in training, MB", memory["training"], TARGET_MB, f"under {TARGET_MB}"),
        ("memory of one sample in use, MB", memory["thinking"], TARGET_MB, f"under {TARGET_MB}"),
    ]
    return [
        {"what": what, "value": value, "target": target, "met": value < most}
        for what, value, most, target in rows
    ]


def random_weights_accuracy(model: CTM, states: list[FirstState], codec: CodeTokenizer) -> dict[str, Any]:
    """Share of first edits that are right at the last tick, by category, and the number of items."""
    goals = {
        item.state.text: TargetEdit(item.edit, codec.decode(apply_edit(item.state.ids, item.edit)))
        for item in states
    }
    proposer = TorchProposer(model, codec, goals=goals)
    with single_threads(1):
        proposer.propose([item.state for item in states])
    right = [bool(proposer.tick_results[item.state.text].right[-1]) for item in states]
    category, kind = np.array([item.category for item in states]), np.array([item.kind for item in states])
    return {"accuracy": shares(category, kind, right), "n": counts(category)}


@torch.inference_mode()
def forward_ms(model: CTM, item: FirstState, ticks: int) -> float:
    """Milliseconds of one sample's thought of `ticks` ticks and its answer."""
    inputs = inputs_of([item.state])

    def infer_once() -> None:
        selected, encoding = infer(model, inputs, max_ticks=ticks)
        decode_candidates(model, selected, encoding)

    return 1e3 * min(_seconds(infer_once) for _ in range(TIMED))


def peak_bytes(model: CTM, item: FirstState, *, training: bool) -> int:
    """Bytes that one sample's thought holds besides the weights: for its backward pass, or between ticks.

    Counted tensor by tensor (what autograd saves; what encoding and state keep), so it is the same on every machine.
    """
    inputs = inputs_of([item.state])
    if not training:
        with torch.inference_mode():
            selected, encoding = infer(model, inputs, max_ticks=1)[0], model.encode(**inputs)
            state = model.initial_state(encoding)
        held = (*encoding, encoding.key_values.key, encoding.key_values.value, *state, *selected)
        return sum({t.data_ptr(): t.nbytes for t in held if isinstance(t, Tensor)}.values())
    return saved_bytes(model, inputs, model.config.ticks)


def _typical(states: list[FirstState]) -> FirstState:
    """The buggy text of median length."""
    buggy = [item for item in states if item.category != CLEAN] or states
    return sorted(buggy, key=lambda item: len(item.state.ids))[len(buggy) // 2]


def _powers(most: int) -> list[int]:
    return sorted({2**power for power in range(most.bit_length()) if 2**power <= most} | {most})


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
