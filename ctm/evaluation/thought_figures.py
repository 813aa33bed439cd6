"""What rule follow_thoughts writes: settling, controls at equal compute, and accuracy against compute beyond T.

All of it is about the first edit of a thought on drawn items of the test set, as accuracy by tick is. Read at tick t
means that tick alone; "answers" means the most certain of the first t ticks, which is what a model that is stopped
there would say.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ctm.evaluation.averages import FIGURES, counts, gains, intervals, shares
from ctm.evaluation.calibrate import draw_equally
from ctm.evaluation.first_states import inputs_of
from ctm.evaluation.flops import count_flops
from ctm.evaluation.followed_thoughts import FollowedThoughts, follow
from ctm.evaluation.iteration import CONTROLS
from ctm.evaluation.settings import EvaluationSettings
from ctm.evaluation.suites import Case, prepare, read_suite
from ctm.files import write_json
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.device import pick_device, pick_precision
from ctm.model.inference import SelectedTick, decode_candidates
from ctm.model.model import CTM, CTMEncoding, TickOutput
from ctm.model.weights import load_model
from ctm.pairs.overall import OVERALL, averages
from ctm.repair.candidates import make_state

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
COUNTED = 8
"""Items whose matrix products are counted."""
AS_IT_IS, FIRST_TICK = "as it is", "first tick"


def follow_thoughts(
    weights: Path,
    tokenizer: Path,
    test: Path,
    items: int,
    control_items: int,
    scaling_ticks: Sequence[int],
    settings: EvaluationSettings,
    threads: int,
    out: Path,
) -> None:
    """Write the figures (JSON).

    test: Parquet of the frozen test set; `items` of it are drawn, categories in equal shares, and the controls see
    the first `control_items` of those. scaling_ticks: numbers of ticks to read answers at, beyond the trained ones
    too. Raises ValueError if there are no items, or for a model without neurons.
    """
    codec = CodeTokenizer.load(tokenizer)
    drawn = draw_equally(read_suite(test), items, np.random.default_rng(settings.seed))
    if not drawn:
        raise ValueError(f"{test}: has no pairs; thoughts are followed on at least one")
    np.random.default_rng(settings.seed).shuffle(drawn)  # so that the first ones are of all categories
    device = pick_device(settings.device)
    model = load_model(weights).to(device)
    if not isinstance(model, CTM):
        raise ValueError(
            f"{weights}: is a {model.architecture}, and only the thoughts of a ctm can be followed"
        )
    precision = pick_precision(settings.precision, device, "evaluation.precision")
    cases = prepare(drawn, codec)
    most = max(model.config.ticks, *scaling_ticks)
    thoughts = follow(cases, model, codec, most, threads, precision=precision)
    log.info("%d thoughts of %d ticks", int(thoughts.in_scope.sum()), most)
    cost = flops_of_parts(cases, model, codec)
    report = {
        "format_version": FORMAT_VERSION,
        "items": len(cases),
        "in_scope": int(thoughts.in_scope.sum()),
        "ticks": model.config.ticks,
        "n": counts(_names(cases, "category")),
        "cost": cost,
        "settling": settling(cases, thoughts, model.config.ticks),
        "scaling": scaling(cases, thoughts, model.config.ticks, scaling_ticks, cost),
        "controls": controls(cases[:control_items], thoughts, model, codec, threads, precision),
    }
    write_json(out, report)


@torch.no_grad()
def flops_of_parts(cases: Sequence[Case], model: CTM, codec: CodeTokenizer) -> dict[str, int] | None:
    """Operations of matrix products in "encode", in one "tick" and in "read" (the candidates), mean of some items.

    None if none is in scope.
    """
    texts = [case.text for case in cases if case.goal is not None]
    chosen = [texts[int(place)] for place in np.linspace(0, len(texts) - 1, min(COUNTED, len(texts)))]
    states = [state for state in (make_state(text, codec) for text in chosen) if state is not None]
    if not states:
        return None
    inputs = [{k: v.to(model.device) for k, v in inputs_of([state]).items()} for state in states]
    encodings: list[CTMEncoding] = []
    said: list[TickOutput] = []

    def encode() -> None:
        encodings.extend(model.encode(**one) for one in inputs)

    def tick() -> None:
        said.extend(model.tick(model.initial_state(encoding), encoding)[1] for encoding in encodings)

    def read() -> None:
        for one, encoding in zip(said, encodings, strict=True):
            answer = SelectedTick(one.certainty, encoding.lengths, one.readout, one.pointers)
            decode_candidates(model, answer, encoding)

    return {part.__name__: count_flops(part) // len(states) for part in (encode, tick, read)}


def settling(cases: Sequence[Case], thoughts: FollowedThoughts, ticks: int) -> dict[str, Any]:
    """Mean of every tick up to `ticks`, by group: all items in scope, first edit right or wrong, by category.

    moved, readout_moved: see `FollowedThoughts`; null at the first tick of the readout. same_span: share whose
    likeliest span is that of tick number `ticks`.
    """
    in_scope, hit, category = thoughts.in_scope, answers(thoughts, ticks), _names(cases, "category")
    groups = {"all": in_scope, "first edit right": in_scope & hit, "first edit wrong": in_scope & ~hit}
    groups |= {name: in_scope & (category == name) for name in FIGURES if name != OVERALL}
    groups = {name: mine for name, mine in groups.items() if mine.any()}
    same = (thoughts.spans[:, :ticks] == thoughts.spans[:, ticks - 1 : ticks]).all(axis=2)
    measures = {"moved": thoughts.moved, "readout_moved": thoughts.readout_moved, "same_span": same}
    return {
        "n": {name: int(mine.sum()) for name, mine in groups.items()},
        **{
            title: {name: _without_nan(values[mine, :ticks].mean(axis=0)) for name, mine in groups.items()}
            for title, values in measures.items()
        },
    }


def scaling(
    cases: Sequence[Case],
    thoughts: FollowedThoughts,
    trained: int,
    wanted_ticks: Sequence[int],
    cost: Mapping[str, int] | None,
) -> list[dict[str, Any]]:
    """For so many ticks each, and for as many as were trained: accuracy of the answers and of the tick itself,
    operations and seconds (one thread, encoding and ticks in batches) of a thought, mean of the items in scope.
    """
    category, kind, projects = (_names(cases, name) for name in ("category", "kind", "project"))
    n = int(thoughts.in_scope.sum())
    rows = []
    for ticks in sorted({trained, *wanted_ticks}):
        hit = answers(thoughts, ticks).tolist()
        rows.append(
            {
                "ticks": ticks,
                "trained": ticks <= trained,
                "accuracy": shares(category, kind, hit),
                "interval": intervals(category, kind, projects.tolist(), hit)["accuracy"][OVERALL],
                "accuracy_of_the_tick": shares(category, kind, thoughts.right[:, ticks - 1].tolist()),
                "flops": cost["encode"] + ticks * cost["tick"] + cost["read"] if cost else None,
                "seconds": float(thoughts.seconds[: 1 + ticks].sum()) / n if n else None,
            }
        )
    return rows


def controls(
    cases: Sequence[Case],
    thoughts: FollowedThoughts,
    model: CTM,
    codec: CodeTokenizer,
    threads: int,
    precision: torch.dtype,
) -> dict[str, Any]:
    """The trained model with its ticks frozen and shuffled, which cost what its own do, on the same items.

    cases: the first ones of those that `thoughts` are about. `ahead`: by how much its answers are more often right
    than the control's, with an interval. "first tick" is no control of equal compute: its answer is read at once.
    """
    category, kind, projects = (_names(cases, name) for name in ("category", "kind", "project"))
    ticks, n = model.config.ticks, len(cases)
    mine = thoughts.right[:n, :ticks], answers(thoughts, ticks)[:n]
    said = {AS_IT_IS: mine, FIRST_TICK: (thoughts.right[:n, :1], thoughts.right[:n, 0])}
    for name, change in CONTROLS.items():
        other = follow(cases, model, codec, ticks, threads, change, precision)
        said[name] = other.right, answers(other, ticks)
        log.info("ticks %s: %d of %d right", name, int(said[name][1].sum()), n)
    return {
        "items": n,
        "ticks": ticks,
        "n": counts(category),
        "by_control": {
            name: {
                "accuracy": shares(category, kind, hit.tolist()),
                "accuracy_by_tick": {
                    group: values.tolist() for group, values in averages(category, kind, right * 1.0).items()
                },
                "ahead": gains(category, kind, projects.tolist(), hit, mine[1]) if name != AS_IT_IS else None,
            }
            for name, (right, hit) in said.items()
        },
    }


def answers(thoughts: FollowedThoughts, ticks: int) -> NDArray[np.bool_]:
    """Whether the most certain of the first `ticks` ticks is right, [n]; never of an item out of scope."""
    surest = np.nan_to_num(thoughts.certainty[:, :ticks]).argmax(axis=1)
    return thoughts.right[np.arange(len(surest)), surest]


def _names(cases: Sequence[Case], name: str) -> NDArray[np.str_]:
    return np.array([getattr(case.item, name) for case in cases], dtype=np.str_)


def _without_nan(values: NDArray[np.floating[Any]]) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]
