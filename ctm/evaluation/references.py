"""Reference points: what is reached on the same items without a model, in the measures of ctm.repair.metrics.

| name | what it does |
|---|---|
| no_edit | leaves every text as it is |
| deletion | broken code: without the shortest run of tokens whose absence makes it compile (ctm.repair.deletion) |
| single_token | broken code: a single-token edit near the parser's error, the first that compiles (ctm.repair.nearby) |
| inverse_mutation | the most frequent exchanges of the training pairs, the first that compiles (inverse_mutation.py) |

Everything is in their scope: they have no grid. None says how sure it is.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ctm.evaluation.averages import accuracy
from ctm.evaluation.compared_items import read_compared
from ctm.evaluation.inverse_mutation import ANSWERS, InverseMutations, learn
from ctm.evaluation.items import read_items
from ctm.evaluation.one_edit import one_edit_figures
from ctm.evaluation.settings import ReferenceSettings
from ctm.files import write_json
from ctm.pairs.record import read_pair_columns
from ctm.python.compiling import compile_error, compiles, quiet
from ctm.repair.deletion import shortest_deletion
from ctm.repair.evaluate import DELETION, Item, judge_texts
from ctm.repair.metrics import Outcome, intervals, measure_baseline
from ctm.repair.nearby import nearby

FORMAT_VERSION = 1
MODEL = "model"
"""Name of the model's own row beside them."""
NO_EDIT, SINGLE_TOKEN, INVERSE = "no_edit", "single_token", "inverse_mutation"
CHUNK = 64

Answerer = Callable[[str, int], list[str]]
"""(text, most) -> ranked texts, at most so many; none: it is left as it is."""


def answerers(mutations: InverseMutations) -> dict[str, Answerer]:
    """Of each reference point, by its name."""
    return {NO_EDIT: _leave, DELETION: _delete, SINGLE_TOKEN: single_token, INVERSE: mutations.answers}


def _leave(text: str, most: int) -> list[str]:
    return []


def _delete(text: str, most: int) -> list[str]:
    found = shortest_deletion(text)
    return [] if found is None else [found]


def single_token(text: str, most: int = ANSWERS) -> list[str]:
    """Texts one token away that compile, by the fixed order of `nearby`; none for code that compiles."""
    error = compile_error(text)
    if error is None or error.lineno is None:
        return []
    with quiet():
        return nearby(text, error, compiles, most)


def reference_points(
    train: Path,
    test: Path,
    real: Path,
    answers: Path,
    compared: Path,
    settings: ReferenceSettings,
    threads: int,
    out: Path,
    learned: Path,
) -> None:
    """Measure first answers on `test` and `real` (Parquet files of pairs); `threads` processes share the items.

    train: the pairs that the list of edits is learned from; `learned`: where it goes. answers: items.parquet of the
    benchmark, for the model's row on the same items. compared: what compare_trm wrote of single items. Both rules draw
    in one way, so that with one seed the smaller part is in the larger. out: JSON with M, intervals and accuracy by
    category of each suite and point, and what ctm.evaluation.one_edit makes of them.
    """
    # torch, which the processes that share the items need not load
    from ctm.evaluation.calibrate import draw_equally
    from ctm.evaluation.suites import read_suite

    started = time.monotonic()
    mutations = learned_mutations(train, settings)
    tested = read_suite(test)
    if settings.items:
        tested = draw_equally(tested, settings.items, np.random.default_rng(settings.seed))
    suites = {"test": tested, "real": read_suite(real)}
    rows = read_items(answers).select(["suite", "id", "in_scope", "confidence", "answer"]).to_pylist()
    known = {(row["suite"], row["id"]): row for row in rows}
    found: dict[str, Any] = {}
    beside_models: dict[str, Any] | None = None
    for name, items in suites.items():
        if items:
            outcomes = judge(items, answerers(mutations), 1, threads)
            model = [_of_model(item, known[name, item.item_id]) for item in items]
            found[name] = {point: figures(items, of) for point, of in {MODEL: model, **outcomes}.items()}
            if name == "test":
                beside_models = one_edit_figures(items, outcomes, read_compared(compared))
    write_json(learned, {"format_version": FORMAT_VERSION, **mutations.as_dict()})
    write_json(
        out,
        {
            "format_version": FORMAT_VERSION,
            "items": {name: len(items) for name, items in suites.items()},
            "training_pairs": mutations.pairs,
            "suites": found,
            "one_edit": beside_models,
            "seconds": time.monotonic() - started,
        },
    )


def _of_model(item: Item, row: Mapping[str, Any]) -> Outcome:
    """What the benchmark's row says of the model's first answer, which compiles or is the text itself."""
    text = row["answer"]
    outcome = judge_texts(item, [text] if text not in ("", item.buggy) else [])
    return replace(outcome, in_scope=row["in_scope"], confidence=row["confidence"])


def judge(
    items: Sequence[Item], ask: Mapping[str, Answerer], most: int, processes: int
) -> dict[str, list[Outcome]]:
    """Outcomes of every item with up to `most` answers, by reference point, whatever the number of processes."""
    chunks = [items[begin : begin + CHUNK] for begin in range(0, len(items), CHUNK)]
    work = partial(_judge_chunk, ask, most)
    if processes == 1 or len(chunks) == 1:
        done = list(map(work, chunks))
    else:
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
            done = list(pool.map(work, chunks))
    return {name: [outcome for part in done for outcome in part[name]] for name in ask}


def _judge_chunk(ask: Mapping[str, Answerer], most: int, items: Sequence[Item]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = {name: [] for name in ask}
    for item in items:
        judged: dict[tuple[str, ...], Outcome] = {}  # where a baseline finds nothing it does as `no_edit`
        for name, answer in ask.items():
            texts = answer(item.buggy, most)
            if (key := tuple(texts)) not in judged:
                judged[key] = judge_texts(item, texts)
            found[name].append(judged[key])
    return found


def figures(items: Sequence[Item], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """M, its intervals, and exact match averaged as the benchmark averages it, with intervals."""
    category = np.array([item.category for item in items])
    kind = np.array([item.kind for item in items])
    projects = [item.project for item in items]
    return {
        "measures": measure_baseline(outcomes),
        "measure_intervals": intervals(outcomes),
        **accuracy(category, kind, projects, [outcome.is_right for outcome in outcomes]),
    }


def learned_mutations(train: Path, settings: ReferenceSettings) -> InverseMutations:
    """The edits that undo most bugs of the training pairs (Parquet); the same for every rule that asks."""
    rng = np.random.default_rng(settings.seed)
    return learn(_training_pairs(train, settings.pairs, rng), settings.edits)


def _training_pairs(path: Path, most: int, rng: np.random.Generator) -> Iterator[tuple[str, str, bool]]:
    """Pairs with a bug, at most so many, drawn at random; whether one compiles is told by its category."""
    rows = [row for row in read_pair_columns(path, ("buggy", "fixed", "category")) if row[0] != row[1]]
    for place in np.sort(rng.permutation(len(rows))[:most]):
        buggy, fixed, category = rows[place]
        yield buggy, fixed, category != "syntax"
