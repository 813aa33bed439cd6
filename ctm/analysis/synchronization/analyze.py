"""Rule analyze_synchronization: all questions about the synchronization, as figures, table, heatmaps and page.

Questions are answered in as many threads as the rule has; each computes with one and draws from a generator of its own,
so the result does not depend on the threads.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from ctm.analysis.settings import SynchronizationSettings
from ctm.analysis.synchronization.ablation import ablation_figures, pair_effects
from ctm.analysis.synchronization.category import category_figures
from ctm.analysis.synchronization.collapse import collapse_figures
from ctm.analysis.synchronization.heatmaps import plot_heatmaps
from ctm.analysis.synchronization.importance import pair_table, write_pairs
from ctm.analysis.synchronization.page import interpretation_page
from ctm.analysis.synchronization.patching import patching_figures
from ctm.analysis.synchronization.place import place_figures
from ctm.analysis.synchronization.similarity import similarity_figures
from ctm.analysis.synchronization.success import success_figures
from ctm.evaluation.repairs import single_threads
from ctm.evaluation.thoughts import draw_asked, load_tokenizer, record_thoughts, untrained_like
from ctm.files import write_json, write_text
from ctm.model.device import pick_device
from ctm.model.weights import load_ctm
from ctm.pairs.record import CATEGORIES

log = logging.getLogger(__name__)
FORMAT_VERSION = 1
T = TypeVar("T")


def analyze_synchronization(
    weights: Path,
    tokenizer: Path,
    test: Path,
    settings: SynchronizationSettings,
    threads: int,
    out: Path,
    pairs: Path,
    heatmaps: Path,
    page: Path,
) -> dict[str, Any]:
    """Write the figures (JSON), the pairs (CSV), the heatmaps (PNG) and the page (Markdown); return the figures.

    weights: of a CTM. test: Parquet of the frozen test set. Raises ValueError if no pair of it is in scope.
    """
    codec, device = load_tokenizer(tokenizer), pick_device(settings.device)
    model = load_ctm(weights).to(device)
    control = untrained_like(model, codec, settings.seed).to(device)
    items, left_out = draw_asked(test, codec, settings.items, settings.seed)
    searched, _ = draw_asked(test, codec, settings.patched, settings.seed)
    with single_threads(threads) as pool, threadpool_limits(1):

        def begin(name: str, work: Callable[..., T], *arguments: Any) -> Future[T]:
            return pool.submit(_timed, name, work, *arguments)

        def rng() -> np.random.Generator:  # each part has its own: none depends on what another draws
            return np.random.default_rng(settings.seed)

        patching = begin("patching", patching_figures, model, searched, settings)
        of_model = begin("thoughts", record_thoughts, model, items)
        of_control = begin("thoughts of the untrained model", record_thoughts, control, items)
        trained, untrained = of_model.result(), of_control.result()
        readout = trained.at_answer(trained.readout)
        right = np.flatnonzero(trained.right)[: settings.ablated]
        ablated = items.select(right)
        effects_made = begin("pairs", pair_effects, model, ablated, readout[right])
        parts = {
            "category": begin("category", category_figures, trained, untrained, items, settings, rng()),
            "similarity": begin("similarity", similarity_figures, trained, untrained, items, rng()),
            "place": begin("place", place_figures, trained, untrained, items, settings, rng()),
            "success": begin("success", success_figures, trained, items, settings, rng()),
            "collapse": begin("collapse", collapse_figures, trained, untrained, rng()),
            "patching": patching,
        }
        effects = effects_made.result()
        parts["ablation"] = begin(
            "ablation", ablation_figures, model, ablated, readout[right], effects, settings, rng()
        )
        table_made = begin("information", pair_table, model, items, readout, ablated, effects, settings.seed)
        figures = {
            "format_version": FORMAT_VERSION,
            "items": {name: int((items.category == name).sum()) for name in CATEGORIES},
            "projects": len(np.unique(items.projects)),
            "left out": left_out,
            "ticks": model.config.ticks,
            "pairs": model.config.out_pairs,
            "settings": dataclasses.asdict(settings),
            **{name: part.result() for name, part in parts.items()},
        }
        table = table_made.result()
    write_pairs(table, pairs)
    top = table.head(settings.shown)
    names = [f"{i}-{j}" for i, j in zip(top["neuron_i"], top["neuron_j"], strict=True)]
    order = "the costliest to ablate first" if len(ablated) else "in the order of their numbers"
    plot_heatmaps(
        trained, items, top["pair"].to_numpy(), names, order, settings.fewest, heatmaps, settings.dpi
    )
    write_json(out, figures)
    write_text(page, interpretation_page(figures, table, heatmaps.name, pairs.name))
    return figures


def _timed(name: str, work: Callable[..., T], *arguments: Any) -> T:
    started = time.monotonic()
    done = work(*arguments)
    log.info("%s: %.1f s", name, time.monotonic() - started)
    return done
