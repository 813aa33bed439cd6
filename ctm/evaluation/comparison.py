"""Compares models on the same frozen test items by their first edits, and says whether their trainings were equal."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ctm.evaluation.averages import accuracy
from ctm.evaluation.calibrate import draw_equally
from ctm.evaluation.compared_items import write_compared
from ctm.evaluation.fairness import equality, nearest, nearest_milestones
from ctm.evaluation.first_edits import FirstEdits, first_edit_figures, first_edits_of_several
from ctm.evaluation.first_states import inputs_of
from ctm.evaluation.flops import count_flops
from ctm.evaluation.paired import conclusion, mcnemar, paired_difference
from ctm.evaluation.settings import EvaluationSettings
from ctm.evaluation.suites import Case, prepare, read_suite
from ctm.evaluation.training_compute import TrainedStage, step_flops, training_figures
from ctm.files import write_json
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.base import EditModel
from ctm.model.device import pick_device, pick_precision
from ctm.model.inference import infer
from ctm.model.weights import load_model
from ctm.pairs.overall import OVERALL
from ctm.repair.candidates import make_state
from ctm.training.data import load_split

log = logging.getLogger(__name__)
FORMAT_VERSION = 2
COUNTED = 6
"""Items whose matrix products are counted, at even quantiles of their length."""
CTM, TRM = "CTM", "TRM"


@dataclass(frozen=True)
class Contestant:
    """A trained model: its weights, and the summaries of the stages that led to them."""

    weights: Path
    stages: tuple[TrainedStage, ...]

    @property
    def samples(self) -> int:
        """Samples seen."""
        return sum(stage.samples_seen for stage in self.stages)


def contestants(ctm: Sequence[tuple[Path, Path]], trm: tuple[Path, Path]) -> dict[str, Contestant]:
    """The models that are compared, by name: the CTM, the TRM, and the CTM as it was when it had seen about as much.

    ctm: weights and summary of each stage, in order; trm: its own. The third is the CTM after the stage whose samples
    come nearest to the TRM's; there is none where that is the last stage.
    """
    stages = [TrainedStage.read(summary) for _, summary in ctm]
    so_far = [Contestant(weights, tuple(stages[: n + 1])) for n, (weights, _) in enumerate(ctm)]
    found = {CTM: so_far[-1], TRM: Contestant(trm[0], (TrainedStage.read(trm[1]),))}
    place = nearest([one.samples for one in so_far], found[TRM].samples)
    if so_far[place] is not so_far[-1]:
        found[f"{CTM} after {stages[place].run.name}"] = so_far[place]
    return found


def compare_models(
    models: Mapping[str, Contestant], tokenizer: Path, test: Path, grids: Path, items: int,
    settings: EvaluationSettings, threads: int, out: Path, answers: Path,
) -> None:  # fmt: skip
    """Write what the models, by name, say of the same items, and what divides each from the TRM (JSON).

    answers: Parquet, a row for each item and model (ctm.evaluation.compared_items).

    test: Parquet of the frozen test set; up to `items` of it are drawn, categories in equal shares; 0: all. grids:
    manifest of a split on whose lengths training operations are estimated. Raises ValueError if there are no items.
    """
    codec = CodeTokenizer.load(tokenizer)
    suite = read_suite(test)
    if items:
        suite = draw_equally(suite, items, np.random.default_rng(settings.seed))
    if not suite:
        raise ValueError(f"{test}: has no pairs; the comparison needs at least one")
    cases, data = prepare(suite, codec), load_split(grids)
    device = pick_device(settings.device)
    precision = pick_precision(settings.precision, device, "evaluation.precision")
    loaded = {name: load_model(one.weights).to(device) for name, one in models.items()}
    said = first_edits_of_several(cases, loaded, codec, threads, precision)
    cost = {
        stage.run.name: step_flops(stage.run, data, codec) for one in models.values() for stage in one.stages
    }
    figures = {
        name: {
            **model_figures(cases, model, codec, said[name]),
            "training": training_figures(models[name].stages, cost),
        }
        for name, model in loaded.items()
    }
    pairs = [
        {
            "first": name,
            "second": TRM,
            **equality(name, figures[name], TRM, figures[TRM]),
            **divided(cases, said[name], said[TRM]),
        }
        for name in figures
        if name != TRM
    ]
    for pair in pairs:
        pair["sentence"] = sentence(pair)
        log.info("%s", pair["sentence"])
    write_compared(answers, cases, said)
    milestones = nearest_milestones(CTM, models[CTM].stages, TRM, models[TRM].stages)
    write_json(
        out,
        {
            "format_version": FORMAT_VERSION,
            "items": len(cases),
            "models": figures,
            "pairs": pairs,
            "nearest_milestones": milestones,
        },
    )


def model_figures(
    cases: Sequence[Case], model: EditModel, codec: CodeTokenizer, said: FirstEdits
) -> dict[str, Any]:
    """`first_edit_figures` of a model with intervals by project, its size and what a thought costs."""
    projects = [case.item.project for case in cases]
    return {
        "architecture": model.architecture,
        "parameters": model.parameter_counts(),
        "ticks": model.config.ticks,
        "flops": thought_flops(cases, model, codec),
        **first_edit_figures(said),
        **accuracy(said.category, said.kind, projects, said.surest.tolist()),
    }


def divided(cases: Sequence[Case], first: FirstEdits, second: FirstEdits) -> dict[str, Any]:
    """What divides the answers of two models: the paired difference and McNemar's test (ctm.evaluation.paired)."""
    projects = [case.item.project for case in cases]
    ours, theirs = first.surest, second.surest
    return {
        "difference": paired_difference(first.category, first.kind, projects, ours[:, None], theirs[:, None]),
        "mcnemar": mcnemar(first.category, ours, theirs),
    }


def sentence(pair: Mapping[str, Any]) -> str:
    """What may be said of a pair: nothing but the factors where the trainings were not equal."""
    if not pair["comparable"]:
        return pair["equality"]
    overall = pair["difference"]["accuracy"][OVERALL]
    return f"{pair['equality']} Overall, {conclusion(overall['interval'], pair['first'], pair['second'])}."


@torch.no_grad()
def thought_flops(cases: Sequence[Case], model: EditModel, codec: CodeTokenizer) -> int | None:
    """Operations of matrix products in a whole thought, mean of a few items; None if none is in scope."""
    asked = sorted((case for case in cases if case.goal is not None), key=lambda case: case.cells)
    places = (np.arange(COUNTED) * 2 + 1) * len(asked) // (2 * COUNTED)
    chosen = [asked[place].text for place in sorted(set(places.tolist()))] if asked else []
    states = [state for state in (make_state(text, codec) for text in chosen) if state is not None]
    if not states:
        return None
    inputs = [{k: v.to(model.device) for k, v in inputs_of([state]).items()} for state in states]
    return count_flops(lambda: [infer(model, one) for one in inputs]) // len(states)
