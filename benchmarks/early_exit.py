"""What ending thoughts early saves of the command's seconds: the bundle's tick threshold against all ticks.

The same broken functions are repaired with both, one after the other, so that both see the same machine; each takes
the fastest of a few rounds. Beside whole repairs stands a single answer of the model, and the bound: an answer after
one tick, cheaper than which no rule of ending a thought can be. `CTM_BUNDLE` picks the bundle, else the packaged one.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from command import broken

from ctm.bundle_names import CONFIG, MODEL
from ctm.repair.bundle import Bundle, find_bundle, load_bundle
from ctm.repair.bundle_config import BundleConfig
from ctm.repair.candidates import make_state
from ctm.repair.files import fix_source
from ctm.repair.onnx_proposer import OnnxProposer
from ctm.repair.source import parse_source
from mutate import functions

FUNCTIONS, ROUNDS = 50, 3
NEVER = 2.0
"""A certainty that none reaches."""


def proposer(bundle: Bundle, threshold: float | None, max_ticks: int | None = None) -> OnnxProposer:
    """The bundle's model, one thread, with another end of thoughts; None: the bundle's own."""
    config = BundleConfig(bundle.path / CONFIG)
    own = config.number("thresholds", "tick", low=0.0, high=NEVER)
    ticks = config.whole("model", "ticks", low=1, high=10_000)
    return OnnxProposer(
        bundle.path / MODEL,
        own if threshold is None else threshold,
        max_ticks or ticks,
        is_prepared=config.section("is_prepared") is True,
    )


def fastest(work: dict[str, Callable[[str], object]], texts: list[str]) -> dict[str, float]:
    """Milliseconds of each way, mean of the texts: of every text the fastest of ROUNDS, the ways taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for text in texts:
        best = dict.fromkeys(work, float("inf"))
        for _ in range(ROUNDS):
            for name, run_ in work.items():
                started = time.perf_counter()
                run_(text)
                best[name] = min(best[name], time.perf_counter() - started)
        for name, seconds in best.items():
            taken[name].append(1e3 * seconds)
    return {name: statistics.mean(all_) for name, all_ in taken.items()}


def run() -> list[dict[str, Any]]:
    """Whole repairs and single answers."""
    bundle = load_bundle(find_bundle())
    texts = [broken(text) for text in functions(FUNCTIONS)]
    ends = {
        "early": replace(bundle, proposer=proposer(bundle, None)),
        "all ticks": replace(bundle, proposer=proposer(bundle, NEVER)),
        "one tick": replace(bundle, proposer=proposer(bundle, NEVER, 1)),
    }
    repairs = fastest({name: _repair(end) for name, end in ends.items()}, texts)
    answers = fastest({name: _answer(end) for name, end in ends.items()}, texts)
    return [
        _record("exit_repair", repairs["early"], repairs["all ticks"], "all ticks"),
        _record("exit_answer", answers["early"], answers["all ticks"], "all ticks"),
        _record("exit_bound", answers["one tick"], answers["all ticks"], "all ticks; ours: one tick"),
    ]


def _repair(bundle: Bundle) -> Callable[[str], object]:
    return lambda text: fix_source(parse_source((text + "\n").encode()), bundle.repairer())


def _answer(bundle: Bundle) -> Callable[[str], object]:
    def answer(text: str) -> object:
        state = make_state(text, bundle.tokenizer)
        return bundle.proposer.propose([state]) if state else None

    return answer


def _record(name: str, ours: float, rival: float, rival_name: str) -> dict[str, Any]:
    return {
        "name": name, "unit": "ms", "ours": ours, "rival": rival, "rival_name": rival_name, "ratio": rival / ours,
        "n": FUNCTIONS, "threads": 1,
    }  # fmt: skip
