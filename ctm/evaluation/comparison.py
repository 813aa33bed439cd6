"""Compares models on the same frozen test items by their first edits."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ctm.evaluation.calibrate import draw_equally
from ctm.evaluation.first_edits import first_edit_figures, first_edits
from ctm.evaluation.first_states import inputs_of
from ctm.evaluation.flops import count_flops
from ctm.evaluation.settings import EvaluationSettings
from ctm.evaluation.suites import Case, prepare, read_suite
from ctm.files import write_json
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel
from ctm.model.device import pick_device, pick_precision
from ctm.model.inference import infer
from ctm.model.weights import load_model
from ctm.repair.candidates import make_state

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
COUNTED = 16
"""Items whose matrix products are counted."""


def compare_models(
    weights: Mapping[str, Path], tokenizer: Path, test: Path, items: int, settings: EvaluationSettings,
    threads: int, out: Path,
) -> None:  # fmt: skip
    """Write what the models, by name, say of the same items (JSON).

    test: Parquet of the frozen test set; up to `items` of it are drawn, categories in equal shares; 0: all. Raises
    ValueError if there are none.
    """
    codec = CodeTokenizer.load(tokenizer)
    suite = read_suite(test)
    if items:
        suite = draw_equally(suite, items, np.random.default_rng(settings.seed))
    if not suite:
        raise ValueError(f"{test}: has no pairs; the comparison needs at least one")
    cases = prepare(suite, codec)
    device = pick_device(settings.device)
    precision = pick_precision(settings.precision, device, "evaluation.precision")
    models: dict[str, dict[str, Any]] = {}
    for name, path in weights.items():
        model = load_model(path).to(device)
        models[name] = model_figures(cases, model, codec, threads, precision)
        log.info("%s: %s", name, models[name]["accuracy"])
    write_json(out, {"format_version": FORMAT_VERSION, "items": len(cases), "models": models})


def model_figures(
    cases: Sequence[Case], model: EditModel, codec: CodeTokenizer, threads: int, precision: torch.dtype
) -> dict[str, Any]:
    """`first_edit_figures` of a model, with its size and what a thought costs."""
    said = first_edits(cases, model, codec, threads, precision)
    return {
        "architecture": model.architecture,
        "parameters": model.parameter_counts(),
        "ticks": model.config.ticks,
        "flops": thought_flops(cases, model, codec),
        **first_edit_figures(said),
    }


@torch.no_grad()
def thought_flops(cases: Sequence[Case], model: EditModel, codec: CodeTokenizer) -> int | None:
    """Operations of matrix products in a whole thought, mean of some items; None if none is in scope."""
    texts = [case.text for case in cases if case.goal is not None]
    chosen = [texts[int(place)] for place in np.linspace(0, len(texts) - 1, min(COUNTED, len(texts)))]
    states = [state for state in (make_state(text, codec) for text in chosen) if state is not None]
    if not states:
        return None
    inputs = [{k: v.to(model.device) for k, v in inputs_of([state]).items()} for state in states]
    return count_flops(lambda: [infer(model, one) for one in inputs]) // len(states)
